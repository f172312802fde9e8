import concurrent.futures

import numpy as np
import pytest

import lic
from lic.environment import keras, tf
from lic.errors import CheckpointError
from lic.layers import Convolution
from lic.layers.initial_weights import skip_random_init, unless_skipped
from lic.weights import get_tensors
from tests.conftest import shallow, tiny_model


def test_an_initialiser_gives_the_same_values():
    start = unless_skipped(keras.initializers.Constant(3.0))
    np.testing.assert_array_equal(start((2, 2)), np.full((2, 2), 3.0))
    assert start((1,), dtype="bfloat16").dtype == tf.bfloat16


def test_zeros_stand_in_only_within():
    start = unless_skipped(keras.initializers.Constant(3.0))
    with skip_random_init():
        assert not np.any(start((2, 2)))
        with concurrent.futures.ThreadPoolExecutor() as others:
            assert np.all(others.submit(start, (2, 2)).result())
    assert np.all(start((2, 2)))


@pytest.mark.parametrize("largest", [0, 3])
def test_a_weight_of_more_than_there_are_numbers_is_refused(largest):
    start = unless_skipped(keras.initializers.Constant(3.0))
    with skip_random_init(largest), pytest.raises(CheckpointError, match=rf"shape \(2, 2\), more than the {largest}"):
        start((2, 2))


def test_all_weights_together_are_no_more_than_the_numbers_and_the_weights_that_there_are():
    start = unless_skipped(keras.initializers.Constant(3.0))
    for numbers, count in ((8, 9), (9, 2)):
        with skip_random_init(numbers, count):
            start((2, 2)), start((2, 2))
            with pytest.raises(CheckpointError, match=f"{numbers - 8} numbers and {count - 2} weights that are left"):
                start((2, 2))


@pytest.mark.parametrize("kernel_form", ["plain", "dft"])
def test_layers_made_within_start_with_zeros(kernel_form):
    with skip_random_init():
        layer = Convolution(4, 3, kernel_form=kernel_form)
        layer(tf.zeros((1, 8, 8, 3)))
    assert not any(np.any(weight) for weight in layer.get_weights())


@pytest.mark.parametrize(("transform", "entropy"), [("conv", "charm"), ("swin", "checkerboard"), ("klt", "hyperprior")])
def test_a_codec_has_its_models_weights_all_the_same(transform, entropy):
    model = tiny_model(transform, entropy, **shallow(transform, entropy))
    codec = lic.Codec(model)
    mine, given = get_tensors(codec.model), get_tensors(model)
    assert mine.keys() == given.keys()
    for name in given:
        np.testing.assert_array_equal(mine[name], given[name])
