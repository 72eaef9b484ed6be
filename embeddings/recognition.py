"""Recognition of clips by the content of their files, where size and modification time say that they are others.

A file that was touched, copied, renamed or moved is not computed again: its embedding is found by the digest of its
bytes, in its store, or in a store that differs only in the folder of the data.
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

N_THREADS = 8  # that read files; hashing releases the GIL


@dataclass(frozen=True)
class Recognised:
    """Clips whose embeddings are known though their files have other stamps.

    Args:
        found: Row with the present stamp, and embedding, of each clip by its id.
        notes: Sentences for the user about why these clips are not computed again.
    """

    found: Mapping[str, tuple[StoredClip, NDArray[Any]]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def recognise(store: EmbeddingStore, datamodule: AudioDataModule) -> Recognised:
    """Find clips by the content of their files that a store lacks by size and modification time; nothing is written.

    Args:
        store: Store of the data set.
        datamodule: Data set of the clips.
    """
    stamps = datamodule.stamps()
    lacking = set(store.missing(stamps))
    waiting = [clip for clip in datamodule.listed if clip.id in lacking and clip.path is not None]
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
            notes.append(f"{other.folder} may hold the same clips, but no digests of them: an earlier version wrote it")
    return Recognised(found, notes)


_BLOCK = 8192  # clips whose digests are added at once


def adopt_known(store: EmbeddingStore, datamodule: AudioDataModule) -> None:
    """Keep clips that are recognised by their content, and add digests to clips that an earlier version stored.

    Args:
        store: Store of the data set, which this process has locked.
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
    """Return the clips whose embeddings are stored without digests, as an earlier version did."""
    lacking = set(store.missing(datamodule.stamps()))
    rows = {row.id for row in store.rows if not row.audio} - lacking
    return [clip for clip in datamodule.listed if clip.id in rows]


def _completed(row: StoredClip, decoded: Result, digests: Digests) -> StoredClip:
    """Return a row with what an earlier version did not store, as far as the clip can be read."""
    remarks = " ".join(decoded.remarks) if isinstance(decoded, Decoded) else ""
    return row._replace(**digests._asdict(), remarks=remarks)


def _stores(store: EmbeddingStore) -> Iterator[EmbeddingStore]:
    """Yield a store, and those that hold embeddings of other folders which were made in the same way."""
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
    """Return whether the content of a file is all that decides an embedding: no plug-in reads files in its own way."""
    return set(store.manifest["reading"]) == {"audio decoding"}


def _rows_of(store: EmbeddingStore, clips: Sequence[Clip]) -> dict[str, StoredClip]:
    """Return the row of a store that holds the content of a clip's file, by the clip's id."""
    given = store.manifest["n_samples"] / store.manifest["sample_rate"]
    by_content = _reads_files(store)
    of_id = {row.id: row for row in store.rows}
    of_digest: dict[int, dict[int, dict[str, StoredClip]]] = {}  # by size, and number of bytes that the digest covers
    for row in store.rows:
        if row.file:
            n_bytes = n_bytes_known_by(row.size, row.seconds, given)
            of_digest.setdefault(row.size, {}).setdefault(n_bytes, {})[row.file] = row

    def row_of(clip: Clip) -> StoredClip | None:
        stamp = stamp_of(clip)
        for n_bytes, rows in of_digest.get(stamp.size, {}).items():
            digest = known_file_digest(Path(clip.path or ""), stamp, n_bytes)
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
    """Return sentences on clips that a store holds, under the same ids or under others."""
    n_touched = sum(row.id == clip_id for clip_id, row in rows.items())
    touched = f"{n_touched:,} clips have new modification times but the same content: they are not computed again"
    n_others = len(rows) - n_touched
    others = f"{n_others:,} clips were renamed or copied: they are known by their content and not computed again"
    return [*([touched] if n_touched else []), *([others] if n_others else [])]


def _note_on_other(other: EmbeddingStore, n: int) -> str:
    """Return a sentence on clips that the store of another folder holds."""
    source = other.manifest["source"]
    root = str(source.get("root", "")) if isinstance(source, dict) else ""
    if root and not os.path.isdir(root):
        return f"the data folder has moved from {root}: {n:,} clips are known by their content and not computed again"
    where = f" of {root}" if root else ""
    return f"{n:,} clips are copies{where}: their embeddings are taken from {other.folder}, and not computed again"
