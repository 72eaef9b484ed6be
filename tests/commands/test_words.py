import pytest
from untrained.commands.words import names_first
from untrained.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "ordered"),
    [
        ("fit --data.root a --data folder", "fit --data folder --data.root a"),
        ("fit --data.root=a --force --data=folder", "fit --force --data=folder --data.root=a"),
        (
            "fit --model.frontend.n_filters 8 --model.backend.C=1 --model.backend svm --model.frontend vgg",
            "fit --model.backend svm --model.backend.C=1 --model.frontend vgg --model.frontend.n_filters 8",
        ),
        ("fit --data.x -1 --data.y 2 --data.class_path folder", "fit --data.class_path folder --data.x -1 --data.y 2"),
        # Arguments follow the first name; a second name replaces the first, as on any command line.
        ("fit --data.x 1 --data a --data b --data.y 2", "fit --data a --data.x 1 --data b --data.y 2"),
        # A name on the command line wins over configurations before and after the argument.
        ("fit --config a --data.x 1 --config b --data c", "fit --config a --config b --data c --data.x 1"),
        ("fit --data.x 1 --config a --config b", "fit --config a --data.x 1 --config b"),
        ("fit --model.backend.C 1 --model m.yaml -c c", "fit --model m.yaml --model.backend.C 1 -c c"),
        ("fit --data.help folder", "fit --data.help folder"),
        ("fit --data folder --data.x 1 --data.y 2", "fit --data folder --data.x 1 --data.y 2"),
        ("fit --config a --data.x 1 --force", "fit --config a --data.x 1 --force"),
        ("data --data.x 1", None),
    ],
)
def test_arguments_follow_the_name(typed, ordered):
    if ordered is None:
        with pytest.raises(
            UsageError, match=r"--data\.x is an argument of a datamodule, but no datamodule is named; add --data"
        ):
            names_first(typed.split())
    else:
        assert names_first(typed.split()) == ordered.split()
        assert names_first(ordered.split()) == ordered.split()
