import numpy as np
import pytest

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


def test_side_information_may_have_a_bias():
    hyper = ConvHyperTransform(12, hyper_width=7, side_depth=5, side_bias=True)
    side = hyper.analysis(np.zeros((1, 8, 8, 12), np.float32))
    hyper.analysis.layers[-1].bias.assign(np.arange(5.0))
    np.testing.assert_array_equal(hyper.analysis(np.zeros((1, 8, 8, 12), np.float32)) - side, side * 0 + np.arange(5.0))


def test_options_of_the_classic_hyperpriors():
    hyper = ConvHyperTransform(
        12,
        hyper_width=7,
        side_depth=5,
        features=6,
        hyper_synthesis_widths=(9, 10),
        hyper_activation="leaky_relu",
        features_activation=None,
        absolute_latent=True,
    )
    latent = np.random.default_rng(0).normal(size=(1, 8, 8, 12)).astype(np.float32)
    np.testing.assert_array_equal(hyper.analysis(latent), hyper.analysis(-latent))
    _, *analysis = hyper.analysis.layers
    assert [layer.filters for layer in analysis] == [12, 7, 5]
    assert [layer.filters for layer in hyper.synthesis.layers] == [9, 10, 6]
    assert [layer.activation.__name__ for layer in analysis] == ["leaky_relu", "leaky_relu", "linear"]
    assert [layer.activation.__name__ for layer in hyper.synthesis.layers] == ["leaky_relu", "leaky_relu", "linear"]
    # Keras 2 and Keras 3 have the same slope.
    np.testing.assert_allclose(analysis[0].activation(np.float32([-1, 2])), [-0.2, 2])


def test_the_sign_of_the_latent_counts_by_default():
    hyper = ConvHyperTransform(12, hyper_width=7, side_depth=5)
    latent = np.random.default_rng(0).normal(size=(1, 8, 8, 12)).astype(np.float32)
    assert np.any(np.asarray(hyper.analysis(latent)) != np.asarray(hyper.analysis(-latent)))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            {"hyper_synthesis_widths": (8,)},
            r"to be 2 values, each .* Received: .*=\(8,\)",
        ),
        (
            {"hyper_synthesis_widths": (8, 0)},
            r"expected hyper_synthesis_widths .* Received: .*=\(8, 0\)",
        ),
        ({"hyper_activation": "rellu"}, "expected hyper_activation to be the name .* Received: 'rellu'"),
        ({"features_activation": "rellu"}, "expected features_activation to be the name .* Received: 'rellu'"),
    ],
)
def test_wrong_arguments_are_named(sizes, message):
    with pytest.raises(ValueError, match=message):
        ConvHyperTransform(12, **sizes)
