from types import SimpleNamespace

import pytest
from pytorch_lightning import Callback
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from untrained.probes.observers import Observers


@pytest.mark.parametrize("given", [None, True])
def test_tensorboard_is_the_default(tmp_path, given):
    with Observers.of(given, None).logging(tmp_path) as loggers:
        (logger,) = loggers
        logger.log_metrics({"accuracy": 0.5})
    assert isinstance(logger, TensorBoardLogger)
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1


def test_named_loggers_take_its_place_and_false_stands_for_none(tmp_path):
    csv = CSVLogger(tmp_path / "csv")
    with Observers.of([csv], None).logging(tmp_path) as loggers:
        assert loggers == [csv]
    with Observers.of(csv, None).logging(tmp_path) as loggers:
        assert loggers == [csv]
    with Observers.of(False, None).logging(tmp_path) as loggers:
        assert loggers == []
    assert not list(tmp_path.glob("events.*"))


def test_loops_have_loggers_where_a_callback_may_log(tmp_path):
    csv, callback = CSVLogger(tmp_path), Callback()
    assert Observers.of(csv, callback).in_loops == [csv]
    assert Observers.of(csv, None).in_loops is False
    assert Observers.of(None, callback).in_loops is False


def test_a_logger_s_own_run_ends_with_the_run():
    ended = []
    experiment = SimpleNamespace(finish=lambda: ended.append("run"))
    Observers.of(SimpleNamespace(experiment=experiment, finalize=ended.append), None).close()
    assert ended == ["success", "run"]
