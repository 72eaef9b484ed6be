"""Runs in the folder of a study that do not belong to it any more."""

import itertools
import shutil
from pathlib import Path

from ..probes.record import read_metrics
from .plan import RUNS, Study


def put_aside(study: Study) -> None:
    """Keep only the runs of this study in its folder, because TensorBoard shows all runs in the folder.

    No run is lost: runs of an earlier version of the study, or of another study with the same name, move to the folder
    `NAME-earlier` next to it. They move back when a study includes them again.
    """
    identity_of = {run.folder: run.key.identity for run in study.runs}
    for path in list(study.folder.glob(RUNS)):
        identity = read_metrics(path.parent).get("identity")
        if identity and identity_of.get(path.parent) != identity:
            aside = study.aside(str(identity))  # the identity in a damaged file may have any type
            aside.parent.mkdir(parents=True, exist_ok=True)
            path.parent.rename(_free(aside) if aside.exists() else aside)
    done = study.done()
    for run in study.runs:
        kept_in = done.get(run.key.identity, run.folder)
        if kept_in != run.folder:
            shutil.rmtree(run.folder, ignore_errors=True)  # the remains of an interrupted run
            run.folder.parent.mkdir(parents=True, exist_ok=True)
            kept_in.rename(run.folder)


def _free(path: Path) -> Path:
    """Return a path that does not exist yet, by appending a number to the name of an existing path."""
    return next(free for n in itertools.count(1) if not (free := path.with_name(f"{path.name}-{n}")).exists())
