"""Colours of the points in TensorBoard's embedding projector."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SIDE = 32  # width and height of the image of a point, in pixels
_PALETTE = ("1f77b4", "d62728", "e377c2", "17becf", "2ca02c", "8c564b", "bcbd22", "ff7f0e", "9467bd", "7f7f7f")
_SPRITE, _CONFIG = "sprite.png", "projector_config.pbtxt"


def colour_by_label(folder: Path, labels: Sequence[str]) -> None:
    """Configure the projector to show each point as a disc in the colour of its label.

    TensorBoard starts with the colour map "No color map", and its configuration cannot select another one. An image for
    each point is the only way to show colours without a click. The colours and their order are those of the projector's
    own map `label`, so that its legend is correct.

    Args:
        folder: Folder with a projector configuration; the points of its last embedding are coloured.
        labels: Labels of the points, in order.
    """
    from google.protobuf import text_format  # type: ignore[import-untyped]
    from matplotlib.image import imsave
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config = text_format.Parse((folder / _CONFIG).read_text("utf-8"), ProjectorConfig())
    embedding = config.embeddings[-1]
    place = Path(embedding.metadata_path).parent
    imsave(folder / place / _SPRITE, sprites(labels))
    embedding.sprite.image_path = (place / _SPRITE).as_posix()
    embedding.sprite.single_image_dim.extend([_SIDE, _SIDE])
    (folder / _CONFIG).write_text(text_format.MessageToString(config), "utf-8")


def sprites(labels: Sequence[str]) -> NDArray[np.uint8]:
    """Return a square RGBA image, `(height, width, 4)`: a disc for each label, row by row, transparent elsewhere."""
    index = {label: number for number, label in enumerate(_in_order(labels))}
    per_row = math.ceil(math.sqrt(len(labels)))
    image = np.zeros((per_row, _SIDE, per_row, _SIDE, 4), np.uint8)
    offset = np.arange(_SIDE) - (_SIDE - 1) / 2
    inside = offset[:, None] ** 2 + offset**2 <= (_SIDE / 2) ** 2
    for number, label in enumerate(labels):
        colour = (*bytes.fromhex(_PALETTE[index[label] % len(_PALETTE)]), 255)
        image[number // per_row, :, number % per_row][inside] = colour
    return image.reshape(per_row * _SIDE, per_row * _SIDE, 4)


def _in_order(labels: Sequence[str]) -> list[str]:
    """Return the distinct labels in the order of JavaScript keys: ascending integers, then others as they occur."""
    found = list(dict.fromkeys(labels))
    whole = [label for label in found if label.isascii() and label.isdigit() and str(int(label)) == label]
    return [*sorted(whole, key=int), *(label for label in found if label not in whole)]
