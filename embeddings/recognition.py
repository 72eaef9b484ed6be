"""Recognition of clips by the content of their files if size or modification time have changed.

The stamp of a file is its size and modification time. A digest is a SHA-256 hash of content: of a file, or of audio.
A file that was touched, copied, renamed or moved is not computed again: its embedding is found by a digest of the file,
either in the store of the data set or in another store that differs only in the folder of the data.
"""

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
from numpy.typing import NDArray

from ..audio import Decoded
from ..datamodules.base import AudioDataModule
from ..datamodules.clip import Clip
from ..datamodules.digests import Digests, known_file_digest, n_bytes_known_by, stamp_of
from ..datamodules.loader import Result, read_with_digests
from ..files import read_json
from .shards import StoredClip
from .store import EmbeddingStore

N_THREADS = 8  # threads that read files; hashing releases the GIL


@dataclass(frozen=True)
class Recognised:
    """Clips whose embeddings are stored although the stamps of their files have changed.

    Args:
        found: Row with the current stamp and embedding of each recognised clip, by id.
        notes: Sentences that explain to the user why these clips are not computed again.
    """

    found: Mapping[str, tuple[StoredClip, NDArray[Any]]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def recognise(store: EmbeddingStore, datamodule: AudioDataModule) -> Recognised:
    """Find, by the content of their files, the embeddings of clips that seem to be missing or changed.

    This function only reads; `adopt_known` writes the embeddings to the store.

    Args:
        store: Store of the data set.
        datamodule: Data set of the clips.
    """
    stamps = datamodule.stamps()
    lacking = set(store.missing(stamps))
    waiting = [clip for clip in datamodule.listed if clip.id in lacking and isinstance(clip.path, Path)]
    found: dict[str, tuple[StoredClip, NDArray[Any]]] = {}
    notes: list[str] = []
    for other in _stores(store):
        if not waiting:
            break
        rows = _rows_of(other, waiting)
        vectors = other.read([row.id for row in rows.values()])
        for (clip_id, row), vector in zip(rows.items(), vectors, strict=True):
            size, mtime_ns = stamps[clip_id]
            found[clip_id] = row._replace(id=clip_id, size=size, mtime_ns=mtime_ns), vector
        waiting = [clip for clip in waiting if clip.id not in found]
        if rows:
            notes += _notes_on_own(rows) if other is store else [_note_on_other(other, len(rows))]
        elif other is not store and {clip.id for clip in waiting}.intersection(r.id for r in other.rows if not r.file):
            notes.append(
                f"{other.folder} may contain embeddings of the same clips, but they cannot be reused: the store has no "
                "content digests, because its files are remote or an earlier version wrote it"
            )
    return Recognised(found, notes)


_BLOCK = 8192  # number of clips whose digests are added at once


def adopt_known(store: EmbeddingStore, datamodule: AudioDataModule) -> None:
    """Write the embeddings of recognised clips to a store, and add digests to clips that an earlier version stored.

    Args:
        store: Store of the data set; this process must hold its lock.
        datamodule: Data set of the clips.
    """
    found = recognise(store, datamodule).found
    if found:
        store.adopt(found)
    clips = without_digests(store, datamodule)
    rate = int(store.manifest["sample_rate"])
    for start in range(0, len(clips), _BLOCK):  # an interruption loses one block
        block = clips[start : start + _BLOCK]
        # Threads suffice, because the decoder, the resampler and the hash release the GIL.
        read = joblib.Parallel(n_jobs=-1, prefer="threads")(
            joblib.delayed(read_with_digests)(datamodule.read, clip, rate) for clip in block
        )
        learned = {clip.id: found for clip, found in zip(block, read, strict=True)}
        rows = [row for row in store.rows if row.id in learned]
        known = [_completed(row, *learned[row.id]) for row in rows]
        vectors = store.read([row.id for row in rows])
        store.adopt({row.id: (row, vector) for row, vector in zip(known, vectors, strict=True)})


def without_digests(store: EmbeddingStore, datamodule: AudioDataModule) -> list[Clip]:
    """Return the clips whose embeddings an earlier version stored without digests."""
    lacking = set(store.missing(datamodule.stamps()))
    rows = {row.id for row in store.rows if not row.audio} - lacking
    return [clip for clip in datamodule.listed if clip.id in rows]


def _completed(row: StoredClip, decoded: Result, digests: Digests) -> StoredClip:
    """Return a copy of an old row with its digests added, and with remarks if the clip can be decoded."""
    remarks = " ".join(decoded.remarks) if isinstance(decoded, Decoded) else ""
    return row._replace(**digests._asdict(), remarks=remarks)


def _stores(store: EmbeddingStore) -> Iterator[EmbeddingStore]:
    """Yield a store, then all stores of other data folders whose embeddings were computed in the same way."""
    yield store
    if not _reads_files(store):
        return
    wanted = {**store.manifest, "source": None}
    pattern = f"*-{glob.escape(str(store.manifest['frontend']))}-*/manifest.json"
    for path in sorted(store.folder.parent.glob(pattern), key=lambda path: -path.stat().st_mtime_ns):
        try:
            manifest = read_json(path)
        except (OSError, ValueError):
            continue
        if path.parent != store.folder and isinstance(manifest, dict) and {**manifest, "source": None} == wanted:
            fields = {name: value for name, value in manifest.items() if name not in ("format", "embedding_size")}
            yield EmbeddingStore(path.parent, fields, store.embedding_size, damaged=True)


def _reads_files(store: EmbeddingStore) -> bool:
    """Return whether embeddings depend on the content of files alone, because no plug-in reads files in its own way."""
    return set(store.manifest["reading"]) == {"audio decoding"}


def _rows_of(store: EmbeddingStore, clips: Sequence[Clip]) -> dict[str, StoredClip]:
    """Return the rows of a store whose files have the same content as the files of clips, by the ids of the clips."""
    given = store.manifest["n_samples"] / store.manifest["sample_rate"]
    by_content = _reads_files(store)
    of_id = {row.id: row for row in store.rows}
    of_digest: dict[int, dict[int, dict[str, StoredClip]]] = {}  # by file size and number of bytes in the digest
    for row in store.rows:
        if row.file:
            n_bytes = n_bytes_known_by(row.size, row.seconds, given)
            of_digest.setdefault(row.size, {}).setdefault(n_bytes, {})[row.file] = row

    def row_of(clip: Clip) -> StoredClip | None:
        stamp = stamp_of(clip)
        for n_bytes, rows in of_digest.get(stamp.size, {}).items():
            digest = known_file_digest(clip.path or Path(), stamp, n_bytes)
            own = of_id.get(clip.id)
            if own is not None and own.file == digest != "":
                return own
            if by_content and digest in rows:
                return rows[digest]
        return None

    with ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(row_of, clips))
    return {clip.id: row for clip, row in zip(clips, found, strict=True) if row is not None}


def _notes_on_own(rows: Mapping[str, StoredClip]) -> list[str]:
    """Return sentences about recognised clips that the store already holds, under the same or other ids."""
    n_touched = sum(row.id == clip_id for clip_id, row in rows.items())
    touched = f"{n_touched:,} clips have new modification times but the same content: they are not computed again"
    n_others = len(rows) - n_touched
    others = f"{n_others:,} clips were renamed or copied: they are recognised by their content and not computed again"
    return [*([touched] if n_touched else []), *([others] if n_others else [])]


def _note_on_other(other: EmbeddingStore, n: int) -> str:
    """Return a sentence about recognised clips that the store of another data folder holds."""
    source = other.manifest["source"]
    root = str(source.get("root", "")) if isinstance(source, dict) else ""
    if root and not os.path.isdir(root):
        moved = f"the data folder has moved from {root}"
        return f"{moved}: {n:,} clips are recognised by their content and not computed again"
    where = f" of {root}" if root else ""
    return f"{n:,} clips are copies{where}: their embeddings are copied from {other.folder} and not computed again"
