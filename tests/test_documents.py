"""Commands in documents are valid: each is parsed, none is run."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
from untrained.commands.check import data_parser
from untrained.commands.classify import classify_parser
from untrained.commands.config import bundled_studies
from untrained.commands.proxy import proxy_parser
from untrained.commands.report import report_parser
from untrained.commands.stages import stage_parsers
from untrained.commands.train import train_parser
from untrained.errors import UsageError
from untrained.parsing import load_names
from untrained.registry import BACKENDS, DATAMODULES, FRONTENDS
from untrained.studies.plan import study_parser
from untrained.studies.rank.parser import rank_parser

ROOT = Path(__file__).parents[1]
MADE = {ROOT / "docs" / "sandbox", ROOT / "docs" / "site"}  # by the build of the documentation
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if not MADE & {*path.parents}]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
RUN = "```{command-output} "  # precedes a command that the build of the documentation runs
MODEL = ["--data", "synthetic", "--model.frontend", "vgg"]
# Options that replace what a document leaves out, as `...` or in a file.
REST = {
    "predict": MODEL,
    "fit": [*MODEL, "--model.backend", "svm"],
    "train": MODEL,
    "test": ["--data", "synthetic"],
    "compare": [],
    "rank": [],
    "proxy": MODEL,
    "classify": ["--ckpt_path", "probe.ckpt", "a.wav"],
    "check data": ["--data", "synthetic"],
    "report": ["runs/mine"],
}
OF_TAKES = ["--datamodule.root", "takes", "--datamodule.n_samples", "24000"]
# Arguments of the other commands; names in capitals are placeholders.
WORDS = {
    "list": ["frontends", "backends", "datamodules", "proxies", "embeddings", "runs", "FOLDER", "--details"],
    "export": ["embeddings", "STORE", "--to", "FILE.parquet", "events.parquet"],
    "config": ["NAME", *bundled_studies(), *bundled_studies("rank")],
    "completion": ["SHELL", "bash", "zsh", "fish"],
    "new": ["frontend", "backend", "datamodule", "proxy", "NAME", "my_idea", "my_rule", "my_data", "my_guess"],
    "check": [
        "frontend",
        "backend",
        "datamodule",
        "proxy",
        "NAME",
        "my_idea",
        "my_rule",
        "my_data",
        "my_guess",
        *OF_TAKES,
    ],
    "--version": [],
}
KINDS = {"--data": DATAMODULES, "--model.frontend": FRONTENDS, "--model.backend": BACKENDS}
# Options that are valid without a parser, or that belong to another tool.
OTHERS = {"--config", "--help", "--help-all", "--version", "--details", "--logdir", "--trust"}


@pytest.fixture(scope="module")
def parsers():
    load_names()
    stages = {name: parser for name, parser in stage_parsers().items() if name in REST}
    found = {**stages, "compare": study_parser(), "classify": classify_parser(), "check data": data_parser()}
    found |= {"report": report_parser(), "train": train_parser(), "proxy": proxy_parser(), "rank": rank_parser()}
    for parser in found.values():
        parser.allow_abbrev = False  # so that --seed is not accepted for --seeds
    return found


def in_code(text):
    """Return the lines of fenced and indented code; a line that ends in a backslash is joined with the next."""
    fenced, lines = False, []
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            if line.startswith(RUN):
                lines.append(line.removeprefix(RUN))
        elif fenced or line.startswith("    "):
            lines.append(line.strip())
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def inline(text):
    """Return inline code outside fences, which may span two lines."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]


def commands_of(line):
    """Yield the commands in a line of shell code, each as its name and its words."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # not shell code
        return
    for index, word in enumerate(words):
        if word == "untrained" and words[index - 1 : index] not in (["from"], ["import"]):
            name, *rest = [*words[index + 1 :], ""]
            end = next((i for i, word in enumerate(rest) if word in ("", "&&", "|", ">", ";")), len(rest))
            if name == "check" and rest[0] == "data":
                yield "check data", rest[1:end]
            elif name != "COMMAND":  # a placeholder
                yield name, rest[:end]


def completed(name, words):
    """Return the words of a command, with options instead of `...` and of files, which need not exist."""
    left = list(words)
    if name in ("compare", "rank") and left and not left[0].startswith("-"):
        left[:0] = ["--config"]
    files = [i for i, word in enumerate(left) if word == "--config"]
    found = REST[name] if files or "..." in left or not left else []
    for index in files:
        study = {**bundled_studies(), **bundled_studies("rank")}.get(left[index + 1])
        left[index : index + 2] = ["--config", str(study)] if study else ["", ""]
    return [*found, *(word for word in left if word not in ("", "..."))]


def problem_with(parsers, name, words):
    """Return the problem with a command; empty if it is valid."""
    if name not in parsers:  # commands without a parser of options
        return "" if all(word in WORDS.get(name, []) for word in words) else f"{name} {words}"
    try:
        parsers[name].parse_args(completed(name, words))
    except UsageError as error:
        return str(error)
    except SystemExit as end:
        return "" if end.code == 0 else "usage"
    return ""


def plugins(kind):
    """Yield the options that select each plug-in of a kind, with its required arguments."""
    for name in KINDS[kind].names():
        parameters = inspect.signature(KINDS[kind].get(name)).parameters.values()
        needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
        yield [kind, name, *(f"{kind}.{parameter}=x" for parameter in needed)]


def is_valid(parsers, options):
    """Return whether any command, with any plug-in, accepts options; the value of a single option may be missing."""
    words = shlex.split(options)
    if words[0] in OTHERS:
        return True
    kind = next((kind for kind in KINDS if words[0].startswith(f"{kind}.")), None)
    tried = [("fit", others) for others in plugins(kind)] if kind else [(name, []) for name in parsers]
    for name, others in tried:
        if not problem_with(parsers, name, ["...", *others, *words]):
            return True
        if len(words) == 1:
            problem = problem_with(parsers, name, ["...", *others, *words, "0"])
            if "is not accepted" not in problem and "nrecognized" not in problem:
                return True
    return False


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_a_document_are_valid(parsers, document, capsys):
    # Blocks of `console` show invalid commands and their errors.
    text = re.sub(r"^```console.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    for line in [*in_code(text), *(code for code in inline(text) if code.startswith("untrained "))]:
        for name, words in commands_of(line):
            assert problem_with(parsers, name, words) == "", line
    for code in inline(text):
        if code.startswith("--"):
            assert is_valid(parsers, code), code


@pytest.mark.parametrize(
    "line",
    [
        "untrained fit --data synthetic --model.frontend vgg --model.backend sklearn --model.backend.classifier x",
        "untrained predict ... --trainer.device 2",
        "untrained compare gtzan --root.gtzan DIR  # a comment",
        "untrained compare mine.yaml --seed '[0]'",
        "untrained classify --ckpt_paths RUN/probe.ckpt new/ > labels.csv",
        "cd sounds && untrained check data --data folder --data.roots .",
        "untrained predcit --data synthetic",
        "untrained list frontends --detail",
        "untrained config gtsan",
        "untrained completion basch",
        "untrained check frontent vgg",
        "srun untrained test --data synthetic --ckpt_paths RUN/probe.ckpt",
    ],
)
def test_a_misspelt_option_is_found(parsers, line):
    ((name, words),) = commands_of(line)
    assert problem_with(parsers, name, words)


def test_a_misspelt_option_is_found_without_its_command(parsers):
    for options in ("--model.backend sklearn --model.backend.estimator x.Y", "--data.folds", "--roots.gtzan DIR"):
        assert is_valid(parsers, options)
    for options in (
        "--model.backend sklearn --model.backend.classifier x.Y",
        "--data.fold",
        "--trainer.device",
        "--seed",
    ):
        assert not is_valid(parsers, options), options
