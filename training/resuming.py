"""Resuming from a checkpoint that is given with --ckpt_path."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..embeddings.changes import changes
from ..errors import CheckpointError
from ..files import plain
from ..probes.archive import named_kind
from ..probes.checkpoint import name_frontend
from ..probes.run import RunKey
from .checkpoints import BEST, LAST, RESUMABLE
from .fitting import Progress
from .module import MARK, EndToEnd

_WANTED = "pass the last.ckpt of the run to resume"


def place_checkpoint(
    path: Path,
    module: EndToEnd,
    key: RunKey,
    folder: Path,
    is_complete: Callable[[Path], bool] = lambda folder: False,
    say: Callable[[str], None] = print,
) -> None:
    """Copy a checkpoint to the place from which the run resumes.

    Args:
        path: Lightning's checkpoint of an interrupted run.
        module: Module that is trained.
        key: Key of the run.
        folder: Folder of the run.
        is_complete: Function that returns whether a folder holds the complete run.
        say: Function that shows a line of text to the user.

    Raises:
        CheckpointError: The file cannot be read, belongs to another frontend, head or run, does not end an epoch, or
            its run is complete.
    """
    about = read_mark(path)
    name, arguments = name_frontend(module.frontend)
    if about.get("frontend") != name or about.get("arguments") != plain(arguments):
        theirs, ours = (_shown(*each) for each in ((about.get("frontend"), about.get("arguments")), (name, arguments)))
        raise CheckpointError(
            f"{path} belongs to frontend {theirs}, but this command trains {ours}; {_WANTED}, or leave out "
            "--ckpt_path to train from the start"
        )
    if about.get("head") != module.head:
        raise CheckpointError(
            f"{path} belongs to head {about.get('head')!r}, but this command trains {module.head!r}; {_WANTED}, "
            "or leave out --ckpt_path"
        )
    if about.get("identity") != key.identity:
        try:
            differing = list(changes(json.loads(str(about.get("key"))), plain(key.fields)).values())
        except ValueError:
            differing = []
        why = "; ".join(differing) or "its settings are unknown"
        raise CheckpointError(
            f"{path} belongs to a run with other settings ({why}); repeat the options of that run, or leave out "
            "--ckpt_path to train from the start"
        )
    if not about.get(RESUMABLE):
        raise CheckpointError(f"{path} is not the checkpoint of a finished epoch; {_WANTED}")
    for complete in (folder, path.parent):
        if is_complete(complete):
            raise CheckpointError(
                f"run is already complete; to repeat it, pass --force without --ckpt_path (-> {complete})"
            )
    progress = Progress(folder, key.identity)
    training = str(about.get("training"))
    is_same_run = progress.is_of_this_run
    if not is_same_run:
        folder.mkdir(parents=True, exist_ok=True)
        progress.start()
    target = folder / LAST if about.get("alone") else folder / "trainings" / training / LAST
    if path.resolve() != target.resolve():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        _place_best(path.with_name(BEST), target.with_name(BEST), is_same_run=is_same_run, say=say)


def _place_best(path: Path, target: Path, *, is_same_run: bool, say: Callable[[str], None]) -> None:
    """Copy the best checkpoint from beside a given one; if it is missing, keep only one of the same run."""
    if path.is_file():
        shutil.copyfile(path, target)
    elif not (is_same_run and target.is_file()):
        target.unlink(missing_ok=True)
        say(f"note: the best checkpoint so far, {path}, does not exist; only later checkpoints are compared")


def read_mark(path: Path) -> dict[str, Any]:
    """Return the metadata that a training run wrote to Lightning's checkpoint.

    Raises:
        CheckpointError: The file does not exist or is not a checkpoint of `untrained train`.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; {_WANTED}")
    kind = named_kind(path)
    if not kind.startswith("Lightning"):
        what = kind or (
            "the checkpoint of a probe, for test and classify"
            if path.name == "probe.ckpt"
            else "not a checkpoint of `untrained train`"
        )
        raise CheckpointError(f"--ckpt_path {path} is {what}; {_WANTED}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} cannot be read as tensors and plain values ({reason}); {_WANTED}") from error
    about = content.get(MARK) if isinstance(content, dict) else None
    if not isinstance(about, dict):
        raise CheckpointError(f"{path} was not written by `untrained train`; {_WANTED}")
    return about


def _shown(name: object, arguments: object) -> str:
    given = arguments if isinstance(arguments, dict) else {}
    return f"{name}({', '.join(f'{key}={value}' for key, value in given.items() if value is not None)})"
