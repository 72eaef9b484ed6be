import json

import pytest
from untrained.frontends.baselines import MFCC
from untrained.registry import FRONTENDS


class SaysNothing(MFCC):
    """Frontend whose constructor raises an exception without a text."""

    def __init__(self, *, seed: int = 0) -> None:
        raise NotImplementedError


@pytest.mark.usefixtures("raises_when_made")
def test_an_exception_of_a_plug_in_is_one_line_in_every_command(untrained):
    FRONTENDS.register("says_nothing")(SaysNothing)
    tiny = ["--data", "synthetic", "--data.n_samples", "4000"]
    no_module = "module='nosuch' cannot be imported (ModuleNotFoundError: No module named 'nosuch')"
    for frontend, message in (
        (["raises_when_made"], "KeyError: 'what it needs'"),
        (["says_nothing"], "the constructor of a plug-in raises an error without a message; call it in Python"),
        (["hear", "module", "nosuch"], no_module),
    ):
        name, *option = frontend
        argument = {option[0]: option[1]} if option else {}
        for command in (
            ["predict", *tiny, "--model.frontend"],
            ["fit", *tiny, "--model.backend", "elm", "--model.frontend"],
            ["check", "frontend"],
        ):
            flag = "--frontend" if command[0] == "check" else "--model.frontend"
            more = [f"{flag}.{option[0]}", option[1]] if option else []
            status, out, err = untrained(*command, name, *more)
            assert (status, out) == (2, "")
            assert err.startswith(f"untrained: error: {message}")
            assert err.count("\n") == 1
        entry = json.dumps([{"class_path": name, "init_args": argument}])
        status, _, err = untrained("compare", "--frontends", entry)
        assert status == 2
        assert err == f"untrained: error: frontends[0]: {message if 'says' not in name else 'NotImplementedError'}\n"
