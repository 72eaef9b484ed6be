"""GTZAN: ten genres, with splits that exclude faulty excerpts."""

import csv
from functools import cache
from pathlib import Path
from typing import Any, Unpack

from ..errors import DataError
from ..files import as_path
from .base import AudioDataModule
from .clip import Clip, Split
from .content import refuse_problems
from .folder import id_of
from .found import quoted
from .options import LoaderOptions
from .search import patterns, search

# Folders that hold the genre folders in copies of the data set.
_PLACES = (".", "genres", "genres_original", "Data/genres_original")
_GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")


@cache
def fault_filtered() -> dict[str, Split]:
    """Return the split of each excerpt in the fault-filtered lists, by its name, such as `blues.00029`.

    `gtzan.csv` holds the lists of Kereliuk, Sturm & Larsen (2015, arXiv:1507.04761) in the order used by torchaudio
    (BSD-2-Clause): by split, then by name. The authors' code, github.com/coreyker/dnn-mgr, has the same names in
    `gtzan/*_filtered.txt`. The lists consist of file names only, to which no licence applies; cite the paper.
    """
    splits: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: splits[row["split"]] for row in csv.DictReader(file)}


class GTZAN(AudioDataModule):
    """Ten genres of music, 930 excerpts of 30 s in fault-filtered splits (Tzanetakis & Cook 2002; Sturm 2013).

    The splits are those of Kereliuk et al. (2015), who removed repeated, distorted and mislabelled excerpts and kept
    the excerpts of an artist in one split: 443 excerpts for training, 197 for validation, 290 for testing. The seed
    does not affect them. Other files in the folders are ignored.

    Args:
        root: Folder that holds the genre folders, directly or in `genres/` or `genres_original/`.
        exclude: Names or glob patterns of genre folders to leave out.
    """

    origin = "http://marsyas.info/downloads/datasets.html, by Tzanetakis & Cook"
    licence = "none stated; excerpts of commercial recordings, used for research"
    citation = (
        "G. Tzanetakis and P. Cook, Musical genre classification of audio signals, IEEE TSAP 10(5), 2002; splits: "
        "C. Kereliuk, B. Sturm and J. Larsen, Deep learning and music adversaries, IEEE TMM 17(11), 2015"
    )

    def __init__(self, root: str, *, exclude: list[str] | str | None = None, **loader: Unpack[LoaderOptions]) -> None:
        super().__init__(**loader)
        self.root, self.exclude = as_path(root), patterns(exclude)

    @property
    def source(self) -> dict[str, Any]:
        """Folder that holds the audio, as plain values."""
        return {"datamodule": "gtzan", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """Return the excerpts of the official lists that are present; `notes` names those that are missing.

        Raises:
            DataError: There are no genre folders, a folder cannot be searched, or no file has the name of an excerpt.
        """
        places = [self.root / place for place in _PLACES if _holds_genres(self.root / place)]
        if not places:
            raise DataError(
                f"GTZAN not found under root={str(self.root)!r}: no folders {', '.join(_GENRES[:3])} to "
                f"{_GENRES[-1]} there, nor in {', '.join(_PLACES[1:])}; set --data.root to the folder that "
                "holds them"
            )
        seen: list[Path] = []
        for genres in places:
            found = search(genres, self.exclude)
            self.notes += refuse_problems(genres, found, _GENRES, skip=self.on_error == "skip")
            # If an excerpt is present in two formats, prefer the wav file.
            in_place = [file for file in found.files if file.parts[:-1] == (file.name.partition(".")[0],)]
            file_of = {file.stem: file for file in sorted(in_place, key=lambda file: file.suffix.lower() == ".wav")}
            clips = [
                Clip(id=id_of(file_of[name]), label=name.partition(".")[0], path=genres / file_of[name], split=split)
                for name, split in fault_filtered().items()
                if name in file_of
            ]
            if clips:
                self.n_other_files = len(found.others) + len(found.files) - len(clips)
                self.note_absent([name for name in fault_filtered() if name not in file_of], len(clips))
                self.note_absent_classes(_GENRES, clips)
                return clips
            inside = [file for file in [*found.files, *found.others] if file.parts[0] in _GENRES]
            seen += [(genres / file).relative_to(self.root) for file in inside]
        raise DataError(
            f"GTZAN not found under root={str(self.root)!r}: no audio file has the name of an excerpt, such as "
            f"blues/blues.00000.wav; the genre folders hold {quoted(seen[:1]) or 'no file'}; rename the files, or use "
            "--data folder"
        )


def _holds_genres(folder: Path) -> bool:
    return any((folder / genre).is_dir() for genre in _GENRES)
