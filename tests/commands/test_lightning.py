from untrained.commands.lightning import parsers_of, percent
from untrained.commands.train import TrainCLI


def test_parsers_are_made_without_a_command_line():
    (parser,) = parsers_of(TrainCLI)
    names = {name for action in parser._actions for name in action.option_strings}
    assert {"--ckpt_path", "--force", "--config", "--model.head", "--trainer.max_steps"} <= names


def test_an_accuracy_is_shown_with_its_interval():
    scores = {"val/accuracy": 0.5, "val/accuracy_low": 0.25, "val/accuracy_high": 0.756}
    assert percent("val/accuracy", scores) == "val/accuracy 50.00 % [25.0, 75.6]"
