"""Extended Ballroom: thirteen ballroom dances."""

from pathlib import Path
from typing import Any, Unpack
from xml.etree import ElementTree

from ..errors import DataError
from ..files import as_path
from .base import AudioDataModule
from .clip import Clip
from .content import refuse_problems
from .folder import id_of
from .options import LoaderOptions
from .search import patterns, search

DANCES = (
    "Chacha",
    "Foxtrot",
    "Jive",
    "Pasodoble",
    "Quickstep",
    "Rumba",
    "Salsa",
    "Samba",
    "Slowwaltz",
    "Tango",
    "Viennesewaltz",
    "Waltz",
    "Wcswing",
)
_LIST = "extendedballroom_v1.1.xml"
# Tags that the list uses for songs that repeat each other: the same excerpt, the same recording at another tempo,
# another version of the song, or a version without vocals.
_REPEATS = ("exact", "time", "version", "karaoke")


class ExtendedBallroom(AudioDataModule):
    """Thirteen ballroom dances, 4180 excerpts of 30 s (Marchand & Peeters 2016).

    Stratified folds are assigned at random, and depend only on the sorted ids and the seed. Tempo alone largely
    determines the class: before you judge a score, compare it with the score of the frontend `tempo` and the backend
    `nearest_class`.

    Args:
        root: Folder that holds the folders of the dances, directly or in `extendedballroom_v1.1/`.
        exclude: Names or glob patterns of folders of dances to leave out.
        folds: Number of stratified folds.
        group_duplicates: Whether to keep excerpts that repeat each other (the same recording, also at another tempo or
            without vocals, or another version of the song) in one fold. They are read from the list
            `extendedballroom_v1.1.xml`, if it is present. Pons & Serra (2018) did not group them.
    """

    origin = "http://anasynth.ircam.fr, ExtendedBallroom; preview excerpts of an online music shop"
    licence = "none stated; excerpts of commercial recordings, used for research"
    citation = "U. Marchand and G. Peeters, The Extended Ballroom dataset, ISMIR late-breaking session, 2016"

    def __init__(
        self,
        root: str,
        *,
        exclude: list[str] | str | None = None,
        folds: int = 10,
        group_duplicates: bool = True,
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        self.root, self.exclude = as_path(root), patterns(exclude)
        self.folds, self.group_duplicates = folds, group_duplicates

    @property
    def dataset_name(self) -> str:
        """Registered name of the plug-in."""
        return "extended_ballroom"

    @property
    def source(self) -> dict[str, Any]:
        """Folder that holds the audio, as plain values."""
        return {"datamodule": "extended_ballroom", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """Return all excerpts in the folders of the dances, with folds; `notes` names missing dances.

        Raises:
            DataError: There are no folders of dances, a folder cannot be searched, or the list cannot be read.
        """
        places = (self.root, self.root / "extendedballroom_v1.1")
        root = next((place for place in places if any((place / dance).is_dir() for dance in DANCES)), None)
        if root is None:
            raise DataError(
                f"Extended Ballroom not found under root={str(self.root)!r}: no folders {', '.join(DANCES[:3])} to "
                f"{DANCES[-1]} there, nor in extendedballroom_v1.1; set --data.root to the folder that holds them"
            )
        found = search(root, self.exclude)
        self.notes += refuse_problems(root, found, DANCES, skip=self.on_error == "skip")
        songs = [file for file in found.files if file.parts[0] in DANCES and len(file.parts) == 2]
        self.n_other_files = len(found.others) + len(found.files) - len(songs)
        group_of = self._groups(root)
        clips = [
            Clip(id=id_of(file), label=file.parts[0], path=root / file, group=group_of.get(file.stem)) for file in songs
        ]
        present = {clip.label for clip in clips}
        self.note_absent([dance for dance in DANCES if dance not in present], len(present), "dances")
        return self.divided(clips, self.folds)

    def _groups(self, root: Path) -> dict[str, str]:
        if not self.group_duplicates:
            return {}
        if not (root / _LIST).is_file():
            self.notes.append(f"{_LIST} is missing, so duplicate excerpts may be in different folds")
            return {}
        group_of = read_duplicates(root / _LIST)
        if not group_of:
            self.notes.append(f"{_LIST} lists no duplicate excerpts, unlike the original list")
        return group_of


def read_duplicates(path: Path) -> dict[str, str]:
    """Read the groups of songs that repeat each other from the list of the data set.

    Args:
        path: Path of the list `extendedballroom_v1.1.xml`. The XML holds dances, which hold songs. The children of a
            song are the songs that it duplicates, each with an id and a tag: `exact`, `time`, `version` or `karaoke`.

    Returns:
        Smallest id of the group of each song that repeats another or is repeated, by the id of the song.

    Raises:
        DataError: The list cannot be read as XML.
    """
    try:
        songs = [song for dance in ElementTree.parse(path).getroot() for song in dance]
    except (ElementTree.ParseError, OSError, UnicodeError) as error:
        raise DataError(
            f"{path} cannot be read as XML ({error}); replace it, or give --data.group_duplicates false"
        ) from error
    first_of: dict[str, str] = {}

    def first(song: str) -> str:
        while first_of.setdefault(song, song) != song:
            song = first_of[song]
        return song

    for song in songs:
        own = song.get("id")
        for repeated in (link.get("id") for link in song if link.tag in _REPEATS):
            if own and repeated:
                one, other = sorted((first(own), first(repeated)))
                first_of[other] = one
    return {song: first(song) for song in list(first_of)}
