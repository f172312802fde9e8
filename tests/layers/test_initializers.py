import numpy as np
import pytest

import lic
from lic.environment import keras, tf
from lic.layers import Convolution
from lic.layers.initializers import replaced_at_once, unless_replaced
from lic.weights import get_tensors
from tests.conftest import random_images, tiny_model


def test_an_initialiser_does_what_it_does():
    start = unless_replaced(keras.initializers.Constant(3.0))
    np.testing.assert_array_equal(start((2, 2)), np.full((2, 2), 3.0))
    assert start((1,), dtype="bfloat16").dtype == tf.bfloat16


def test_zeros_stand_in_only_within():
    start = unless_replaced(keras.initializers.Constant(3.0))
    with replaced_at_once():
        assert not np.any(start((2, 2)))
    assert np.all(start((2, 2)))


@pytest.mark.parametrize("kernel_form", ["plain", "dft"])
def test_layers_made_within_start_with_zeros(kernel_form):
    with replaced_at_once():
        layer = Convolution(4, 3, kernel_form=kernel_form)
        layer(tf.zeros((1, 8, 8, 3)))
    assert not any(np.any(weight) for weight in layer.get_weights())


@pytest.mark.parametrize(("transform", "entropy"), [("conv", "charm"), ("swin", "checkerboard"), ("klt", "hyperprior")])
def test_a_codec_has_its_models_weights_all_the_same(transform, entropy):
    model = tiny_model(transform, entropy)
    codec = lic.Codec(model)
    mine, given = get_tensors(codec.model), get_tensors(model)
    assert mine.keys() == given.keys()
    for name in given:
        np.testing.assert_array_equal(mine[name], given[name])
    assert codec.decompress(codec.compress(random_images(17, 9, 3))).shape == (17, 9, 3)
