"""Recognition of clips by the content of their files if size or modification time have changed.

The stamp of a file is its size and modification time. A digest is a SHA-256 hash of content: of a file, or of audio.
A file that was touched, copied, renamed or moved is not computed again: its embedding is found by a digest of the file,
either in the store of the data set or in another store that differs only in the folder of the data.
"""

import contextlib
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..datamodules.base import AudioDataModule
from ..datamodules.clip import Clip
from ..datamodules.digests import HEAD_BYTES, known_file_digest, n_bytes_known_by
from ..datamodules.listing import Clips
from ..datamodules.sorted_ids import matched
from ..datamodules.stamps import Stamps
from ..errors import StoreError
from ..files import read_json
from .locate import store_at
from .store import EmbeddingStore

N_THREADS = 8  # threads that read files; hashing releases the GIL
BLOCK = 8192  # number of clips that are read or written at once


class Known(NamedTuple):
    """Row of a store with the content of a clip.

    Args:
        store: Store of the row.
        number: Number of the row.
    """

    store: EmbeddingStore
    number: int


@dataclass(frozen=True)
class Recognised:
    """Clips whose embeddings are stored although the stamps of their files have changed.

    Args:
        found: Row with the content of each recognised clip, by id.
        notes: Sentences that explain to the user why these clips are not computed again.
    """

    found: Mapping[str, Known] = field(default_factory=dict)
    notes: Sequence[str] = ()


def recognise(store: EmbeddingStore, datamodule: AudioDataModule) -> Recognised:
    """Find, by the content of their files, the embeddings of clips that seem to be missing or changed.

    This function only reads; `adopt_known` writes the embeddings to the store.

    Args:
        store: Store of the data set.
        datamodule: Data set of the clips.
    """
    stamps = datamodule.stamps()
    waiting = datamodule.listed.take(store.missing(stamps))
    found: dict[str, Known] = {}
    notes: list[str] = []
    for other in _stores(store):
        if not len(waiting):
            break
        if not other.shards.n_rows:
            continue
        try:
            rows = _rows_of(other, waiting, stamps)
        except StoreError:  # of another data set, or another command has replaced its shards
            continue
        here = {clip_id: Known(other, number) for clip_id, (number, _) in rows.items()}
        n_same = sum(row_id == clip_id for clip_id, (_, row_id) in rows.items())
        if here:
            notes += _notes_on_own(n_same, len(here) - n_same) if other is store else [_note_on_other(other, len(here))]
        found |= here
        waiting = waiting.where(~waiting.among(here))
    return Recognised(found, notes)


def adopt_known(store: EmbeddingStore, datamodule: AudioDataModule) -> None:
    """Write the embeddings of recognised clips to a store.

    Args:
        store: Store of the data set; this process must hold its lock.
        datamodule: Data set of the clips.
    """
    found, stamps = recognise(store, datamodule).found, datamodule.stamps()
    by_store: dict[EmbeddingStore, list[tuple[str, int]]] = {}
    for clip_id, known in found.items():
        by_store.setdefault(known.store, []).append((clip_id, known.number))
    for other, pairs in by_store.items():
        for start in range(0, len(pairs), BLOCK):
            ids, numbers = zip(*pairs[start : start + BLOCK], strict=True)
            try:
                rows, vectors = other.clips(np.array(numbers)), other.take(np.array(numbers))
            except StoreError:  # damaged, or another command has replaced its shards: the clips are computed again
                continue
            named = [
                row._replace(id=clip_id, **stamps[clip_id]._asdict()) for clip_id, row in zip(ids, rows, strict=True)
            ]
            store.append(named, vectors, {})
    if found:
        store.commit()


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
            with contextlib.suppress(StoreError):
                yield store_at(path.parent, manifest, damaged=True)


def _reads_files(store: EmbeddingStore) -> bool:
    """Return whether embeddings depend on the content of files alone, because no plug-in reads files in its own way."""
    return set(store.manifest["reading"]) == {"audio decoding"}


def _rows_of(store: EmbeddingStore, clips: Clips, stamps: Stamps) -> dict[str, tuple[int, str]]:
    """Return the number and id of a row with the same content as the file of a clip, by the id of the clip.

    Args:
        store: Store to search.
        clips: Clips to find.
        stamps: Current stamps of the files of these clips and others.
    """
    lengths = _lengths_known(store)

    def digests_of(clip: Clip) -> list[str]:
        stamp, path = stamps[clip.id], clip.path
        lower, upper = np.searchsorted(lengths[:, 0], [stamp.size, stamp.size + 1])
        return [known_file_digest(path or Path(), stamp, int(n)) for n in lengths[lower:upper, 1]]

    digests: dict[str, list[str]] = {}
    with ThreadPoolExecutor(N_THREADS) as pool:
        for start in range(0, len(clips), BLOCK):
            block = [clip for clip in clips[start : start + BLOCK] if isinstance(clip.path, Path)]
            read = zip(block, pool.map(digests_of, block), strict=True)
            digests |= {clip.id: found for clip, found in read if any(found)}
    wanted = pa.array(sorted({digest for each in digests.values() for digest in each if digest}), pa.string())
    numbers: dict[str, dict[str, int]] = {}  # of rows, by digest and id
    start = 0
    for content in store.shards.blocks() if len(wanted) else ():
        rows, which = matched(content.batch.column("file"), wanted)
        ids = content.ids.take(pa.array(rows)).to_pylist()
        for row, clip_id, digest in zip(rows.tolist(), ids, wanted.take(pa.array(which)).to_pylist(), strict=True):
            numbers.setdefault(digest, {})[clip_id] = start + row
        start += len(content.ids)
    by_content = _reads_files(store)
    found: dict[str, tuple[int, str]] = {}
    for clip_id, each in digests.items():
        for digest in each:
            of_digest = numbers.get(digest, {})
            row_id = clip_id if clip_id in of_digest else next(iter(of_digest), "") if by_content else ""
            if row_id:
                found.setdefault(clip_id, (of_digest[row_id], row_id))
    return found


def _lengths_known(store: EmbeddingStore) -> NDArray[np.int64]:
    """Return the sizes of the stored clips' files with the number of bytes in their digests, `(n_pairs, 2)`, sorted."""
    given = store.manifest["n_samples"] / store.manifest["sample_rate"]
    parts = []
    for content in store.shards.blocks():
        sizes, seconds = (content.batch.column(name).to_numpy() for name in ("size", "seconds"))
        n_bytes = sizes.copy()
        for number in np.flatnonzero(sizes > HEAD_BYTES):
            n_bytes[number] = n_bytes_known_by(int(sizes[number]), float(seconds[number]), given)
        parts.append(np.unique(np.stack([sizes, n_bytes], axis=1), axis=0))
    return np.unique(np.concatenate(parts), axis=0) if parts else np.zeros((0, 2), np.int64)


def _notes_on_own(n_touched: int, n_others: int) -> list[str]:
    """Return sentences about recognised clips that the store already holds, under the same or other ids."""
    touched = f"{n_touched:,} clips have new modification times but the same content: they are not computed again"
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
