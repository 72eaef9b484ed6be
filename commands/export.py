"""`untrained export`: write stored embeddings to a file that other tools read."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..files import read_json
from ..terminal import say
from .list import STORES

if TYPE_CHECKING:
    from ..embeddings.store import EmbeddingStore


def run(argv: list[str]) -> int:
    """Write the embeddings of a store to a Parquet file.

    Args:
        argv: Command line without `export`.

    Returns:
        Exit status.

    Raises:
        StoreError: The store is damaged or of another version, or the file cannot be written.
        UsageError: The command line is invalid, there is no such store, or the file exists.
    """
    options = _parser().parse_args(argv)
    if options.what != STORES:
        raise UsageError(f"unknown kind {options.what!r}; expected untrained export {STORES} [STORE] --to FILE.parquet")
    from ..embeddings.export import export_parquet

    store = _opened(_folder(options.store, Path(options.embeddings)))
    if store.shards.has_pending:
        say("note: rows of an interrupted extraction are left out; run the same untrained predict again to add them")
    if store.shards.n_lost:
        say(f"note: {store.shards.n_lost:,} rows are gone, because files of the store were deleted")
    n_rows = export_parquet(store, Path(options.to), force=options.force)
    print(f"{n_rows:,} embeddings of {store.embedding_size:,} features -> {options.to}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="untrained export", description="Write stored embeddings to a file that other tools read."
    )
    parser.add_argument("what", metavar=STORES, help="what to export")
    store = "store, by its folder or by the name that untrained list embeddings prints (default: the only store)"
    parser.add_argument("store", nargs="?", metavar="STORE", help=store)
    parser.add_argument("--to", required=True, metavar="FILE.parquet", help="file to write")
    folder = "folder of all embedding stores (default: %(default)s)"
    parser.add_argument("--embeddings", default="runs/embeddings", metavar="DIR", help=folder)
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    return parser


def _folder(name: str | None, root: Path) -> Path:
    """Return the folder of the named store, or of the only one."""
    found = sorted(path.parent for path in root.glob("*/manifest.json"))
    if name is None and len(found) == 1:
        return found[0]
    for folder in (root / name, Path(name)) if name is not None else ():
        if (folder / "manifest.json").is_file():
            return folder
    names = ", ".join(folder.name for folder in found[:10]) + (", ..." if len(found) > 10 else "")
    here = f"{root} holds {names}" if found else f"there is no store in {root}: give its folder with --embeddings DIR"
    raise UsageError(f"no store {name!r}; {here}" if name is not None else f"which store? {here}")


def _opened(folder: Path) -> "EmbeddingStore":
    """Open a store without the frontend and the data set that its embeddings were computed with."""
    from ..embeddings.locate import store_at

    try:
        manifest = read_json(folder / "manifest.json")
        size = manifest.get("embedding_size")
        if type(size) is not int or not 0 < size < 2**31:
            raise ValueError("it states no embedding_size above 0")
        return store_at(folder, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder / 'manifest.json'} is not the manifest of a store ({error})") from error
