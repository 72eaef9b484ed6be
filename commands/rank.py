"""`untrained rank`: test whether the rank of untrained architectures predicts their rank after training."""

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace

from ..errors import UsageError
from ..files import locked
from ..parsing import load_names
from ..probes.trainer import refuse_unused
from ..studies.rank import protocol, results
from ..studies.rank.estimate import dry_run
from ..studies.rank.execute import Schedule, execute
from ..studies.rank.gate import pass_gate
from ..studies.rank.merge import merge
from ..studies.rank.parser import rank_parser
from ..studies.rank.plan import RankPlan, plan
from ..terminal import console, hide_bars, say
from ..training.jobs import devices_of
from .compare import trainer_of, with_study
from .dispatch import begin, run_with_argv
from .report import show_rank_report
from .words import paths_as_text


def run(argv: list[str]) -> int:
    """Run a rank study and write its report.

    Args:
        argv: Command line without `rank`.

    Returns:
        Exit status: 1 if any item failed.

    Raises:
        UsageError: The study does not exist, or is invalid.
    """
    load_names()
    begin()
    parser = rank_parser()
    arguments = paths_as_text(with_study(argv, "rank", "rank"))
    config = run_with_argv(lambda: parser.parse_args(arguments), ["rank", *argv])
    return run_with_argv(lambda: _rank(config), ["rank", *argv])


def _rank(config: Namespace) -> int:
    """Plan a rank study; then estimate, merge or run it, and write its report."""
    refuse_unused(config.trainer)
    if not config.trainer.enable_progress_bar:
        hide_bars()
    trainer = trainer_of(config)
    root, note = Path(trainer.default_root_dir), console(sys.stderr).print
    if config.merge:
        folders = [Path(folder) for word in config.merge for folder in _listed(word)]
        return show_rank_report(root / config.name, merge(folders, root / config.name, note), open_page=config.open)
    started = time.monotonic()
    is_mine = _share(config.part)
    devices = devices_of(trainer)
    planned = plan(config, root, devices[0])
    known = results.read(planned.folder, note)
    mine = is_mine([each.name for each in planned.architectures])
    ends = None if config.max_seconds is None else started + config.max_seconds
    schedule = Schedule(planned, known, mine.__contains__, ends)
    if config.dry_run:
        for line in dry_run(planned, schedule, devices, _checked_digest(planned)):
            say(line)
        return 0
    for text in planned.notes:
        note(text)
    with locked(planned.folder, "give the study another --name"):
        frozen = _frozen(planned, devices, note, ends)
        if frozen is None:
            note("the time is up before the gate has ended; run the same command to go on")
            return 0
        note(f"protocol {frozen['digest']} -> {planned.folder}")
        schedule.known = results.read(planned.folder, lambda text: None)  # another process may have written
        known = schedule.known
        execute(planned, schedule, devices, note)
    if schedule.is_over and any(True for _ in schedule.waiting()):
        n_done, total = schedule.count()
        note(f"the time is up: {n_done} of {total} items are done; run the same command to go on")
    return show_rank_report(planned.folder, known, open_page=config.open)


def _listed(word: str) -> list[str]:
    """Return the folders in a word of the command line, which may be a list in brackets."""
    is_list = re.fullmatch(r"\[.*\]", word)
    return [part for part in re.split(r"\s*,\s*", word[1:-1].strip()) if part] if is_list else [word]


def _checked_digest(planned: RankPlan) -> str:
    """Return the digest of the protocol, which must be that in the folder of the study if there is one."""
    wanted = protocol.protocol_of(planned)
    if (planned.folder / protocol.FILE).is_file():
        protocol.refuse_other(protocol.read(planned.folder), wanted, planned.folder)
    return str(wanted["digest"])


def _frozen(
    planned: RankPlan, devices: Sequence[torch.device], note: Callable[[str], None], ends: float | None
) -> dict[str, Any] | None:
    """Return the frozen protocol, after the gate if there is one and it has not been passed yet."""
    gate = None
    if planned.config.gate.n and not (planned.folder / protocol.FILE).is_file():
        gate = pass_gate(planned, devices, note, ends)
        if gate is None:
            return None
    return protocol.freeze(planned, gate)


def _share(part: str) -> Callable[[Sequence[str]], set[str]]:
    """Return a function that selects the architectures of this machine: every n-th, from the i-th on."""
    found = re.fullmatch(r"(\d+)/(\d+)", part)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--part {part}: expected I/N with I from 1 to N, such as 1/2 and 2/2 on two machines")
    start, step = int(found[1]) - 1, int(found[2])
    return lambda names: set(names[start::step])
