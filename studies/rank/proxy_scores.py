"""Values of proxies of one architecture with one seed on one task."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datamodules import AudioDataModule
from ...frontends import Frontend
from ...proxies import Proxy
from ...proxies.batches import N_BATCHES, N_CLIPS, draw_batches
from ...proxies.nngp import nngp_score
from ...proxies.scoring import score
from ...proxies.subject import Labelled
from ...training.pool import Place
from .frozen_scores import Heard
from .items import NNGP, Item
from .results import Record, number


@dataclass(frozen=True)
class ProxyJob:
    """Values of proxies of a frontend; with several frontends, those of `nngp`, which joins their features.

    Args:
        item: Key of the result.
        frontends: Frontend; for `nngp`, the same one with several seeds.
        proxies: Proxies to compute; none for `nngp`.
        datamodule: Data set, whose training clips are read.
        stores: Folder with the cache of waveforms.
        machine: Description of the machine.
        n_clips: Number of clips in a batch.
    """

    item: Item
    frontends: Sequence[Frontend]
    proxies: Sequence[Proxy]
    datamodule: AudioDataModule
    stores: Path | None
    machine: dict[str, Any]
    n_clips: int = N_CLIPS

    def carry_out(self, place: Place) -> list[Record]:
        """Return the record of the values."""
        start = time.perf_counter()
        rate = self.frontends[0].sample_rate
        heard = Heard.of(place, self.datamodule, self.item.task, rate, self.stores)
        batches, names = self._batches(place, rate)
        made = [heard.calibrated(frontend, place.device).to(place.device) for frontend in self.frontends]
        if self.item.arm == NNGP:
            scores = [nngp_score(made, batches, len(names))]
        else:
            scores = score(made[0], batches, self.proxies, n_classes=len(names))
        return [
            Record(
                self.item,
                values={each.proxy: number(each.value) for each in scores},
                reasons={each.proxy: each.reason for each in scores if each.reason},
                times={each.proxy: round(each.seconds, 4) for each in scores},
                seconds=round(time.perf_counter() - start, 3),
                machine=self.machine,
            )
        ]

    def prepare(self, say: Any) -> None:
        """Do nothing, because the job of the embeddings of the same data set prepares it."""

    def _batches(self, place: Place, rate: int) -> tuple[list[Labelled], list[str]]:
        """Return the batches that all architectures share; each process draws them once."""
        key = ("batches", self.item.task, rate, self.n_clips)
        if key not in place.read:
            place.read[key] = draw_batches(self.datamodule, rate, self.n_clips, N_BATCHES)
        found: tuple[list[Labelled], list[str]] = place.read[key]
        return found
