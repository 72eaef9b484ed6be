"""Result of an extraction, with a summary for the user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .profile import profile_line
from .store import EmbeddingStore


@dataclass(frozen=True)
class Extraction:
    """Result of an extraction.

    Args:
        store: Store that holds the embeddings.
        n_clips: Number of clips of the data set.
        n_computed: Number of clips that this extraction computed.
        failed: Reasons why other clips could not be read, by id.
        n_other_files: Number of files in the folder of the data set that are not clips and were ignored.
        seconds: Duration of the extraction, in s.
        notes: Remarks about the data for the user.
        profile: Time profile of the store's last extraction, see `Profile.as_numbers`.
        fold_stores: Stores of the embeddings computed with frontends that were calibrated without the clips of a fold,
            by fold.
    """

    store: EmbeddingStore
    n_clips: int
    n_computed: int
    failed: Mapping[str, str]
    n_other_files: int
    seconds: float
    notes: Sequence[str] = ()
    profile: Mapping[str, float] = field(default_factory=dict)
    fold_stores: Mapping[int, EmbeddingStore] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.n_computed} of {self.n_clips} clips computed in {self.seconds:.1f} s -> {self.store.folder}"]
        if self.n_computed and self.profile:
            lines.append(profile_line(self.profile))
        if self.n_computed == 0 and not self.failed:
            lines = [f"All {self.n_clips} clips present in {self.store.folder}, nothing to do"]
        if self.failed:
            lines.append(f"{len(self.failed)} clips could not be read, listed in {self.store.folder / 'failed.csv'}")
        if self.n_other_files:
            lines.append(f"{self.n_other_files} other files were ignored: not audio, or not part of the data set")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])
