import inspect

import pytest
from untrained.commands import STAGES, WITH_SHORT_HELP
from untrained.commands.proxy import proxy_parser
from untrained.commands.stages import stage_parsers
from untrained.commands.train import train_parser
from untrained.commands.usage import page, sections
from untrained.datamodules.folder import AudioFolder
from untrained.studies.plan import study_parser
from untrained.studies.rank.parser import rank_parser

ONLY_IN_ALL = {"--help", "--help-all", "--seed_everything", "--trainer", "--model", "--data"}  # or from a plug-in
RARE_OF_RANK = ("--backends", "--common_rate", "--embeddings", "--last_head", "--left_out")
NOT_OF = {"predict": ("--trust", "--model.backend", "--model.layers", "--model.protocol", "--model.standardize")}
NOT_OF["predict"] += ("--model.fit_memory",)
NOT_OF |= {"fit": ("--trust",), "test": ("--model.",), "compare": ("--roots", "--training")}
NOT_OF |= {"rank": ("--roots", "--training", "--seeds", "--designs", "--gate", *RARE_OF_RANK)}


@pytest.fixture(scope="module")
def parsers():
    found = {"train": train_parser(), "compare": study_parser(), "rank": rank_parser(), "proxy": proxy_parser()}
    return {**stage_parsers(), **found}


@pytest.mark.parametrize("command", WITH_SHORT_HELP)
def test_short_help_has_all_of_our_options_and_no_others(command, parsers):
    shown = {option.name for options in sections(command).values() for option in options}
    known = {name for action in parsers[command]._actions for name in action.option_strings}
    known |= {f"--data.{name}" for name in inspect.signature(AudioFolder).parameters}
    free = {"STUDY", "--roots.NAME", *(name for name in shown if name.endswith(("ARGUMENT", "--data")))}
    assert shown - free <= known
    ours = {name for name in known if not name.startswith(("--trainer.", "--data.")) and name.startswith("--")}
    left_out = {name for name in ours - shown - ONLY_IN_ALL if not name.endswith(("+", ".help"))}
    assert {name for name in left_out if not name.startswith(NOT_OF.get(command, ("--roots",)))} == set()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", WITH_SHORT_HELP)
def test_short_help_fits_on_a_page(command, width):
    lines = page(command, width).splitlines()
    assert lines[0].startswith(f"usage: untrained {command} ")
    assert len(lines) <= 82
    assert max(map(len, lines)) <= width
    place = {title: index for index, line in enumerate(lines) for title in ("Files:", "Devices:") if line == title}
    assert 5 < place["Files:"] < place["Devices:"]  # sections about the task come first


def test_full_help_ends_with_the_trainer(untrained, parsers, capsys):
    for stage in STAGES:
        text = parsers[stage].format_help()
        assert text.startswith(f"usage: untrained {stage} [OPTION ...]\n")
        assert 0 < text.index("--embeddings") < text.index("--model.frontend") < text.index("--trainer.accelerator")
    with pytest.raises(SystemExit):
        untrained("compare", "--help-all")
    assert "--trainer.gradient_clip_val" in capsys.readouterr().out
    assert "--trainer.gradient_clip_val" not in untrained("compare", "--help")[1]
