import re

import pytest

import lic
from lic import registry
from lic.layers.initial_weights import skip_random_init
from lic.weights import get_tensors
from tests.conftest import slow_but

# These are one size each of the published systems that have several.
_ONE_EACH = [name for name in lic.list_models() if not re.search("-(swint|conv|s|l)", name)]


@pytest.mark.parametrize("name", slow_but(lic.list_models(), *_ONE_EACH))
def test_stated_number_of_parameters_is_true(name):
    with skip_random_init():
        model = lic.create_model(name)
    system = registry.models.get(name)()
    assert sum(array.size for array in get_tensors(model).values()) == system.parameters
    assert system.paper
    assert system.licence


def _convolution(size, inputs, outputs, bias=True, dft=True):
    """Numbers that a convolution stores: a real DFT keeps half the columns, rounded up, as real and imaginary part."""
    kernel = 2 * size * (size // 2 + 1) if dft else size**2
    return kernel * inputs * outputs + bias * outputs


def _gdn(channels):
    return channels + channels**2


# The learnt prior's networks 1 -> 3 -> 3 -> 1: matrices, biases and factors of one channel.
_PRIOR = (3 + 9 + 3) + (3 + 3 + 1) + (3 + 3)
# Four convolutions each way at 192 channels, and the hyper analysis without a bias at its end.
_TRANSFORM_192 = _convolution(5, 3, 192) + 6 * _convolution(5, 192, 192) + _convolution(5, 192, 3) + 6 * _gdn(192)
_HYPER_ANALYSIS_192 = (
    _convolution(3, 192, 192) + _convolution(5, 192, 192) + _convolution(5, 192, 192, bias=False) + 192 * _PRIOR
)
BY_HAND = {
    "bls2017": (
        _convolution(9, 3, 128)
        + _convolution(5, 128, 128)
        + _convolution(5, 128, 128, bias=False)
        + 2 * _convolution(5, 128, 128)
        + _convolution(9, 128, 3)
        + 4 * _gdn(128)
        + 128 * _PRIOR
    ),
    "bmshj2018-hyperprior": (
        _TRANSFORM_192
        + _HYPER_ANALYSIS_192
        + 2 * _convolution(5, 192, 192, dft=False)
        + _convolution(3, 192, 192, dft=False)
    ),
    "mbt2018-mean": (
        _TRANSFORM_192
        + _HYPER_ANALYSIS_192
        + _convolution(5, 192, 192, dft=False)
        + _convolution(5, 192, 288, dft=False)
        + _convolution(3, 288, 384, dft=False)
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_stated_number_of_parameters_is_that_of_the_published_layers(name):
    assert registry.models.get(name)().parameters == BY_HAND[name]
