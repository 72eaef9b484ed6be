from untrained.frontends.vgg import VGG


def test_maps_equal_the_original(assert_maps_equal_the_original):
    assert_maps_equal_the_original("vgg", VGG(n_filters=6), {layer: layer for layer in range(5)})
