from types import SimpleNamespace

import pytest
from pytorch_lightning import Callback
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from untrained.probes.observers import Observers


def logged(given, folder):
    loggers = []
    assert Observers.of(given, None).log(loggers.append, folder) == []
    return loggers


@pytest.mark.parametrize("given", [None, True])
def test_tensorboard_is_the_default(tmp_path, given):
    (logger,) = logged(given, tmp_path)
    assert isinstance(logger, TensorBoardLogger)
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1


def test_named_loggers_replace_tensorboard_and_false_means_no_logger(tmp_path):
    csv = CSVLogger(tmp_path / "csv")
    assert logged([csv], tmp_path) == logged(csv, tmp_path) == [csv]
    assert logged(False, tmp_path) == []
    assert not list(tmp_path.glob("events.*"))


def test_a_logger_that_fails_is_reported_and_the_others_log(tmp_path):
    class Broken(CSVLogger):
        def log_metrics(self, metrics, step=None):
            raise OSError("no connection")

        def finalize(self, status):
            raise OSError("no connection")

    observers = Observers.of([Broken(tmp_path / "broken"), CSVLogger(tmp_path / "csv")], None)
    with pytest.warns(UserWarning, match=r"Broken could not log the whole run \(OSError: no connection\)"):
        (note,) = observers.log(lambda logger: logger.log_metrics({"accuracy": 0.5}), tmp_path)
    assert note.startswith("Broken could not log")
    with pytest.warns(UserWarning, match="Broken could not log"):
        observers.close()
    assert len(list(tmp_path.glob("csv/**/metrics.csv"))) == 1


def test_loops_have_loggers_only_if_there_are_callbacks(tmp_path):
    csv, callback = CSVLogger(tmp_path), Callback()
    assert Observers.of(csv, callback).in_loops == [csv]
    assert Observers.of(csv, None).in_loops is False
    assert Observers.of(None, callback).in_loops is False


def test_close_finalizes_a_logger_and_finishes_its_run():
    ended = []
    experiment = SimpleNamespace(finish=lambda: ended.append("run"))
    Observers.of(SimpleNamespace(experiment=experiment, finalize=ended.append), None).close()
    assert ended == ["success", "run"]
