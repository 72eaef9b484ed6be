import inspect

import pytest
from jsonargparse import Namespace
from pytorch_lightning import Trainer, callbacks
from untrained.errors import UsageError
from untrained.parsing import trainer_defaults
from untrained.probes.trainer import REFUSED, REFUSED_CALLBACKS, USED, refuse_unused


def test_every_option_of_the_trainer_is_used_or_rejected():
    assert not USED.keys() & REFUSED.keys()
    # If this fails, a new version of Lightning has a new option: decide whether it has an effect on the commands.
    assert set(inspect.signature(Trainer).parameters) <= USED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_without_effect_is_rejected_by_name_unless_it_has_its_default(name):
    default = {key: parameter.default for key, parameter in inspect.signature(Trainer).parameters.items()}.get(name)
    refuse_unused({name: default})
    refuse_unused({name: trainer_defaults().get(name, default)})
    other = not default if isinstance(default, bool) else 7
    with pytest.raises(UsageError, match=rf"^--trainer\.{name} {other} has no effect \(.+\); leave it out$"):
        refuse_unused({name: other, "precision": "16-mixed"})


def test_callbacks_without_effect_are_rejected_by_name():
    named = [Namespace(class_path=f"pytorch_lightning.callbacks.{name}") for name in ("ModelCheckpoint", "Timer")]
    with pytest.raises(UsageError, match=r"callbacks ModelCheckpoint has .*callbacks Timer has .*leave them out"):
        refuse_unused({"callbacks": named})
    refuse_unused({"callbacks": Namespace(class_path="pytorch_lightning.callbacks.DeviceStatsMonitor")})
    refuse_unused({"callbacks": None})


def test_every_rejected_callback_exists_in_lightning():
    of_newer_versions = {"SpikeDetection", "WeightAveraging"}
    assert {name for name in REFUSED_CALLBACKS if not hasattr(callbacks, name)} <= of_newer_versions
