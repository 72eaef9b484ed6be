import numpy as np
from untrained.frontends.vertical import Vertical7x86, Vertical7x96


def relu(x):
    return np.maximum(x, 0)


def test_vertical_7x96_as_described(spectrogram, correlate, with_biases, assert_same_maps):
    frontend = with_biases(Vertical7x96(n_filters=5))
    assert_same_maps(frontend, spectrogram, [relu(correlate(spectrogram[None], frontend.conv))])


def test_maps_equal_the_original(assert_maps_equal_the_original):
    # The layer before pooling does not contribute to the embedding.
    assert_maps_equal_the_original("vertical_7x86", Vertical7x86(n_filters=8), {0: 1})
