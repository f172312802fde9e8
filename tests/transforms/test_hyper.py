import numpy as np

from lic.transforms import ConvHyperTransform


def test_defaults_are_those_of_ms2020():
    hyper = ConvHyperTransform()
    hyper(np.zeros((1, 4, 4, 320), np.float32))
    shapes = [[tuple(layer.kernel.shape) for layer in chain.layers] for chain in (hyper.analysis, hyper.synthesis)]
    assert shapes[0] == [(3, 3, 320, 320), (5, 5, 320, 256), (5, 5, 256, 192)]
    assert shapes[1] == [(5, 5, 192, 192), (5, 5, 192, 256), (3, 3, 256, 320)]
    assert [layer.use_bias for layer in hyper.analysis.layers] == [True, True, False]
    assert [layer.activation.__name__ for layer in hyper.analysis.layers] == ["relu", "relu", "linear"]
    assert [layer.activation.__name__ for layer in hyper.synthesis.layers] == ["relu"] * 3


def test_every_size_is_an_argument():
    hyper = ConvHyperTransform(12, hyper_width=7, side_depth=5, features=6, kernel_size=3, outer_width=8)
    side = hyper.analysis(np.zeros((1, 9, 10, 12), np.float32))
    assert side.shape == (1, 3, 3, 5)
    assert hyper.synthesis(side).shape == (1, 12, 12, 6)
    assert [layer.filters for layer in hyper.analysis.layers] == [8, 7, 5]
    assert [layer.filters for layer in hyper.synthesis.layers] == [8, 7, 6]
