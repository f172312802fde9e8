import concurrent.futures

import numpy as np
import pytest

import lic
from lic.entropy.dictionary import Dictionary
from lic.entropy.multi_reference import LocalContext
from lic.environment import keras, tf
from lic.errors import CheckpointError
from lic.layers import Convolution
from lic.layers.initial_weights import skip_random_init
from lic.layers.swin.patches import PatchEmbedding
from lic.transforms.klt import KLTAnalysis
from lic.weights import get_tensors
from tests.conftest import shallow, tiny_model


def weight_of(shape):
    layer = lic.layers.Layer()
    return layer.add_weight(name="weight", shape=shape, initializer=keras.initializers.Constant(3.0)).numpy()


def test_weights_start_as_their_initialiser_gives_them():
    np.testing.assert_array_equal(weight_of((2, 2)), np.full((2, 2), 3.0))
    assert lic.layers.Layer(dtype="bfloat16").add_weight(name="weight", shape=(1,)).dtype == tf.bfloat16


def test_zeros_stand_in_only_within():
    with skip_random_init():
        assert not np.any(weight_of((2, 2)))
        with concurrent.futures.ThreadPoolExecutor() as others:
            assert np.all(others.submit(weight_of, (2, 2)).result())
    assert np.all(weight_of((2, 2)))


@pytest.mark.parametrize("largest", [0, 3])
def test_a_weight_of_more_than_there_are_numbers_is_refused(largest):
    with skip_random_init(largest), pytest.raises(CheckpointError, match=rf"shape \(2, 2\), more than the {largest}"):
        weight_of((2, 2))


def test_all_weights_together_are_no_more_than_the_numbers_and_the_weights_that_there_are():
    for numbers, count in ((8, 9), (9, 2)):
        with skip_random_init(numbers, count):
            weight_of((2, 2)), weight_of((2, 2))
            with pytest.raises(CheckpointError, match=f"{numbers - 8} numbers and {count - 2} weights that are left"):
                weight_of((2, 2))


LARGE = {
    "a normalisation": lambda: lic.layers.GDN()(tf.zeros((1, 2, 2, 5000))),
    "a linear transform": lambda: KLTAnalysis(8, 4096, 1, 1.0, 48)(tf.zeros((1, 16, 16, 48))),
    "a dictionary": lambda: Dictionary(3200, 6400),
    "an embedding": lambda: PatchEmbedding(2**24)(tf.zeros((1, 2, 2, 3))),
    "a bias of pairs": lambda: LocalContext(8, 31),
    "a dft": lambda: Convolution(2**16, 31, kernel_form="dft")(tf.zeros((1, 2, 2, 64))),
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_no_layer_takes_memory_for_weights_that_a_file_does_not_hold(make):
    message = "^The configuration asks for a weight of shape [^\n]*$"
    with pytest.raises(CheckpointError, match=message), skip_random_init(1000, 100):
        make()


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
