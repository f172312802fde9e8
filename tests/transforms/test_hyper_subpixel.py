import numpy as np

from lic.testing import check_hyper_transform
from lic.transforms import SubpixelHyperTransform


def _widths(network):
    return [getattr(layer, "filters", None) or layer.convolution.filters // 4 for layer in network.layers]


def test_widths_follow_the_hyper_width_unless_they_are_given():
    hyper = SubpixelHyperTransform(12, hyper_width=8, side_depth=4)
    assert _widths(hyper.analysis) == [8, 8, 8, 8, 4]
    assert _widths(hyper.synthesis) == [8, 8, 12, 12, 24]
    hyper = SubpixelHyperTransform(12, side_depth=4, analysis_widths=(9, 8, 7, 6), synthesis_widths=(5, 6, 7, 8))
    assert _widths(hyper.analysis) == [9, 8, 7, 6, 4]
    assert _widths(hyper.synthesis) == [5, 6, 7, 8, 24]


def test_several_syntheses_stand_side_by_side():
    hyper = SubpixelHyperTransform(12, hyper_width=8, side_depth=4, features=10, num_syntheses=2)
    assert hyper.features == 20
    first, second = hyper.synthesis.layers
    side = np.ones((1, 2, 3, 4), np.float32)
    features = hyper.synthesis(side)
    np.testing.assert_array_equal(features, np.concatenate([first(side), second(side)], -1))
    check_hyper_transform(hyper)
