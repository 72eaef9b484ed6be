"""State of a rank study: what is done, what failed, what is left out, and which machines computed it."""

from .document import Heading, Part, Points, Table, Text
from .study import RankStudy, n_rates
from .words import ARMS, UNKNOWN, listed, percent, several

_MOST = 20  # number of failures, or of results that differ, that are listed


def state(study: RankStudy) -> list[Part]:
    """Return the state of a study."""
    done, total = study.progress()
    parts: list[Part] = [Text(f"{done:,} of {total:,} items are done."), progress_table(study), machine_table(study)]
    parts += _failures(study)
    parts += _differing(study)
    if study.known.unreadable:
        n = len(study.known.unreadable)
        parts.append(Text(f"{several(n, 'line')} of the results cannot be read and left out.", "warning"))
    return [*parts, *_left_out(study), *_flags(study)]


def progress_table(study: RankStudy) -> Table:
    """Return the number of items that are done and of all, by arm and task."""
    done, total = study.counts()
    arms = [arm for arm in ARMS if any(total[task, arm] for task in study.tasks)]
    rows = [[ARMS[arm], *(f"{done[task, arm]} of {total[task, arm]}" for task in study.tasks)] for arm in arms]
    scored = [f"{study.scored(task)}" for task in study.tasks]
    rows.append(["architectures with both scores", *scored])
    return Table("Items that are done, by arm and task.", ["arm", *study.tasks], rows)


def machine_table(study: RankStudy) -> Table:
    """Return the machines that computed the results."""
    found: dict[tuple[str, ...], int] = {}
    for record in study.known.records.values():
        machine = record.machine
        key = tuple(str(machine.get(name, UNKNOWN)) for name in ("device", "torch", "system"))
        found[key] = found.get(key, 0) + 1
    rows = [[*key, f"{n:,}"] for key, n in found.items()]
    return Table("Machines that computed the results.", ["device", "torch", "system", "results"], rows, 3)


def _failures(study: RankStudy) -> list[Part]:
    failures = study.known.failures
    if not failures:
        return []
    rows = [[str(record.item), record.error] for record in failures[:_MOST]]
    caption = f"{several(len(failures), 'item')} failed; the same command tries them again."
    caption += f" The first {_MOST} are shown." if len(failures) > _MOST else ""
    return [Heading("Failures"), Table(caption, ["item", "error"], rows, None)]


def _differing(study: RankStudy) -> list[Part]:
    if not study.known.differing:
        return []
    rows = []
    for first, second in study.known.differing[:_MOST]:
        scores = [UNKNOWN if r.validation is None else percent(r.validation, 2) for r in (first, second)]
        machines = [
            f"{r.machine.get('device', UNKNOWN)}, torch {r.machine.get('torch', UNKNOWN)}" for r in (first, second)
        ]
        rows.append([str(first.item), *(part for pair in zip(scores, machines, strict=True) for part in pair)])
    header = ["item", "first (validation, %)", "machine", "second (validation, %)", "machine"]
    caption = f"{several(len(study.known.differing), 'item')} with two results that differ; the first one is used."
    return [Heading("Results that differ"), Table(caption, header, rows, None)]


def _left_out(study: RankStudy) -> list[Part]:
    said = [f"Task {name}: {reason}." for name, reason in study.protocol["left_out"].items()]
    for task in study.analysis.tasks if study.analysis else ():
        if task.left_out:
            names = listed(task.left_out, 10)
            said.append(
                f"{task.name}: {names} {'has' if len(task.left_out) == 1 else 'have'} no untrained or no trained score."
            )
    pending = len(study.architectures) - len(study.data.architectures if study.data else ())
    if pending:
        said.append(
            f"{several(pending, 'architecture')} of the protocol {'has' if pending == 1 else 'have'} no result yet."
        )
    return [Heading("Left out"), Points(said)] if said else []


def _flags(study: RankStudy) -> list[Part]:
    said = []
    for task in study.analysis.tasks if study.analysis else ():
        failed, at_end = task.flags.not_trained, percent(task.flags.share_at_grid_end, 0)
        which = f" ({listed(failed, 10)})" if failed else ""
        text = f"{task.name}: {len(failed)} of {several(task.n, 'network')} did not train{which}"
        text += ", which is more than a fifth" if task.flags.many_not_trained else ""
        if n_rates(study) > 2:
            text += f"; the best learning rate is an end of the grid for {at_end} %"
            text += ", which is more than a fifth" if task.flags.many_at_grid_end else ""
        said.append(f"{text}.")
    if not said:
        return []
    note = "A network did not train if its training accuracy is below 1.5 times chance."
    if n_rates(study) <= 2:
        note += (
            f" With {several(n_rates(study), 'learning rate')}, every choice is an end of the grid, which says nothing."
        )
    return [Heading("Signs that the training recipe decides"), Points(said), Text(note, "note")]
