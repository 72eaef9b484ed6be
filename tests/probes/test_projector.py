import numpy as np
from google.protobuf import text_format
from matplotlib.image import imread
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import zeros
from torch.utils.tensorboard import SummaryWriter
from untrained.probes.projector import colour_by_label, sprites

BLUE, RED, PINK = (0x1F, 0x77, 0xB4, 255), (0xD6, 0x27, 0x28, 255), (0xE3, 0x77, 0xC2, 255)


def centres(image):
    """Return the colour in the middle of the image of each point, row by row."""
    per_row = len(image) // 32
    return [tuple(image[32 * (n // per_row) + 16, 32 * (n % per_row) + 16]) for n in range(per_row**2)]


def test_points_have_the_colours_of_the_map_of_the_projector():
    image = sprites(["b", "a", "b", "c", "a"])
    assert image.shape == (96, 96, 4)
    nothing = (0, 0, 0, 0)
    assert centres(image) == [BLUE, RED, BLUE, PINK, RED, *[nothing] * 4]
    assert tuple(image[0, 0]) == nothing  # a disc, not a square
    assert centres(sprites(["10", "x", "2"]))[:3] == [RED, PINK, BLUE]  # the order of JavaScript keys


def test_tensorboard_finds_the_image_of_the_points(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_embedding(zeros(2, 3), [["low", "a.wav"], ["high", "b.wav"]], metadata_header=["label", "clip"])
    colour_by_label(tmp_path, ["low", "high"])
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (embedding,) = config.embeddings
    assert embedding.metadata_path == "00000/default/metadata.tsv"
    assert list(embedding.sprite.single_image_dim) == [32, 32]
    image = np.asarray(255 * imread(tmp_path / embedding.sprite.image_path)).round().astype(int)
    assert centres(image)[:2] == [BLUE, RED]
