"""Data set with the labels in its file names."""

import re
from pathlib import Path
from typing import Unpack

from untrained import AudioDataModule, Clip
from untrained.datamodules import LoaderOptions
from untrained.errors import DataError

_NAME = re.compile(r"(\d)_(\w+)_(\d+)\.wav")


class SpokenDigits(AudioDataModule):
    """Free Spoken Digit Dataset: the digits 0 to 9, each spoken many times by a few people.

    File names are `{digit}_{speaker}_{index}.wav`. Indices 0 to 4 are the test split, as defined by the authors;
    indices 5 to 9 are used for validation here.

    Args:
        root: Folder that holds `recordings/`.
    """

    default_n_samples = 12_000
    origin = "https://github.com/Jakobovski/free-spoken-digit-dataset"
    licence = "CC BY-SA 4.0"

    def __init__(self, root: str, **loader: Unpack[LoaderOptions]) -> None:
        super().__init__(**loader)
        self.root = Path(root).expanduser()

    def clips(self) -> list[Clip]:
        found = []
        for path in sorted((self.root / "recordings").glob("*.wav")):
            if match := _NAME.fullmatch(path.name):
                digit, speaker, index = match[1], match[2], int(match[3])
                split = "test" if index < 5 else "validation" if index < 10 else "train"
                found.append(Clip(f"recordings/{path.name}", digit, path, split, metadata={"speaker": speaker}))
        if not found:
            raise DataError(
                f"no recordings under root={str(self.root)!r}; expected files such as recordings/7_jackson_32.wav"
            )
        return found
