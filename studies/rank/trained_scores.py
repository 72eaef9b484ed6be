"""Scores of one architecture that is trained, or whose head is trained, on one task."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...probes.record import predictions_file, read_metrics, read_predictions
from ...training.jobs import TrainingJob
from ...training.pool import Place
from .items import Item
from .results import Record


@dataclass(frozen=True)
class TrainedJob:
    """Training run of a rank study, of which only the scores are kept.

    Args:
        item: Key of the result.
        job: Training run.
        tested: Ids of the test clips in the order of the predictions.
        names: Names of the classes in the order of the labels.
        machine: Description of the machine.
    """

    item: Item
    job: TrainingJob
    tested: Sequence[str]
    names: Sequence[str]
    machine: dict[str, Any]

    def carry_out(self, place: Place) -> list[Record]:
        """Train, or resume, and return the record."""
        is_done = self.job.is_done  # the process was killed before the record was written
        metrics = read_metrics(self.job.folder) if is_done else self.job.carry_out(place)
        scored = read_predictions(self.job.folder / predictions_file("test/accuracy"))
        label_of = dict(zip(scored.ids, scored.predicted, strict=True))
        index = {name: number for number, name in enumerate(self.names)}
        return [
            Record(
                self.item,
                predicted=[index.get(label_of.get(clip_id, ""), -1) for clip_id in self.tested],
                validation=metrics["val/accuracy"],
                train=metrics["train/accuracy"],
                first_epoch=metrics.get("val/first_epoch_accuracy"),
                seconds=metrics["seconds"],
                machine=self.machine,
            )
        ]

    def forget(self) -> None:
        """Delete the folder of the run, whose record is written."""
        shutil.rmtree(self.job.folder, ignore_errors=True)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Decode the data set once, before several processes would each decode it."""
        self.job.prepare(say)
