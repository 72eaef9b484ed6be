import torch
from untrained.embeddings.sources import is_ours, source_digest
from untrained.frontends.vgg import VGG


class Plugin(VGG):
    pass


def test_this_package_and_libraries_have_no_digest():
    assert is_ours(VGG)
    assert not is_ours(Plugin)
    assert source_digest([VGG, torch.nn.Conv2d]) == ""
    assert source_digest([VGG, Plugin]) == source_digest([Plugin]) != ""


def test_code_without_a_source_file_has_an_empty_digest():
    namespace = {"__name__": "typed"}
    exec("class Typed:\n    pass", namespace)
    assert source_digest([namespace["Typed"]]) == ""
