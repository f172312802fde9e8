import warnings

import numpy as np
import pytest

from lic.environment import keras, tf
from lic.errors import CheckpointError, LicError
from lic.layers import Sequential
from lic.weights import get_tensors, named_variables, set_tensors
from tests.conftest import FEW_MIXES, tiny_model


@pytest.fixture
def model():
    return _built("klt", "hyperprior")


def _built(transform, entropy):
    model = tiny_model(transform, entropy)
    model(np.zeros((1, 32, 32, 3), np.float32))
    return model


@pytest.mark.parametrize(("transform", "entropy"), FEW_MIXES)
def test_every_weight_has_a_name(transform, entropy):
    model = _built(transform, entropy)
    names = named_variables(model)
    assert {id(variable) for variable in names.values()} == {id(variable) for variable in model.weights}
    assert not [name for name in names if "/_" in name or name.startswith("_")]


def test_names_are_attribute_paths(model):
    names = list(named_variables(model))
    assert names[0] == "transform/analysis/branch/layers/1/kernel"
    assert "entropy/prior/matrices/0" in names


def test_names_do_not_change_with_training(model):
    before = list(named_variables(model))
    model.compile(keras.optimizers.Adam(), run_eagerly=True)
    model.fit(np.zeros((2, 32, 32, 3), np.float32), verbose=0)
    assert list(named_variables(model)) == before


def test_keras_layers_have_the_same_names_in_both_kerases():
    layer = keras.layers.Conv2D(3, 3)
    layer.build((None, 8, 8, 2))
    assert list(named_variables(layer)) == ["kernel", "bias"]


def test_models_of_keras_inside_a_layer_have_names():
    image = keras.Input((None, None, 3))
    functional = keras.Model(image, keras.layers.Conv2D(4, 2, name="first")(image))
    sequential = keras.Sequential([keras.layers.Conv2D(2, 1), keras.layers.Conv2D(3, 1)])
    layer = Sequential([functional, sequential])
    layer(tf.zeros((1, 4, 4, 3)))
    kernels = [name for name in named_variables(layer) if name.endswith("kernel")]
    assert kernels == ["layers/0/layers/1/kernel", "layers/1/layers/0/kernel", "layers/1/layers/1/kernel"]


def test_values_come_back(model):
    changed = {name: array + 1 for name, array in get_tensors(model).items()}
    set_tensors(model, changed)
    for name, array in get_tensors(model).items():
        np.testing.assert_array_equal(array, changed[name])


def test_missing_extra_and_misshaped_tensors_are_named(model):
    tensors = get_tensors(model)
    with pytest.raises(CheckpointError, match="'entropy/prior/biases/1' is missing"):
        set_tensors(model, {name: array for name, array in tensors.items() if name != "entropy/prior/biases/1"})
    with pytest.raises(CheckpointError, match="'entropy/extra' is there"):
        set_tensors(model, tensors | {"entropy/extra": np.zeros(3)})
    with pytest.raises(CheckpointError, match=r"'entropy/prior/biases/1' has shape \(2,\)"):
        set_tensors(model, tensors | {"entropy/prior/biases/1": np.zeros(2)})


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        (np.array([0.5, np.nan]), "1 of 2 numbers that are NaN, infinite or too large for float32"),
        (np.array([1e300, 1e300]), "2 of 2 numbers that are NaN"),
        (np.array([0.5, 1j]), "the type complex128"),
        (np.array([True, False]), "the type bool"),
        (np.array(["a", "b"]), "the type <U1"),
        (np.array([None, 1.0]), "the type object"),
    ],
)
def test_tensors_of_other_than_finite_real_numbers_are_named(wrong, received):
    layer = keras.layers.Dense(2)
    layer.build((None, 1))
    with warnings.catch_warnings(), pytest.raises(CheckpointError) as caught:
        warnings.simplefilter("error")
        set_tensors(layer, get_tensors(layer) | {"bias": wrong})
    assert str(caught.value).startswith(f"The tensor 'bias': expected finite real numbers. Received: {received}")


def test_real_numbers_of_any_type_become_those_of_the_weight():
    layer = keras.layers.Dense(2, use_bias=False)
    layer.build((None, 1))
    for dtype in (np.int8, np.uint16, ">f4", np.float16, np.float64, tf.bfloat16.as_numpy_dtype):
        set_tensors(layer, {"kernel": np.array([[3, 4]], dtype)})
        np.testing.assert_array_equal(get_tensors(layer)["kernel"], np.array([[3, 4]], np.float32))


def _absent(shape, dtype=None):
    return tf.zeros(shape, tf.bool)


def test_a_weight_that_is_no_number_comes_back():
    layer = keras.layers.Dense(2)
    layer.mask = layer.add_weight(name="mask", shape=(2,), dtype="bool", initializer=_absent, trainable=False)
    layer.build((None, 1))
    set_tensors(layer, get_tensors(layer) | {"mask": np.array([True, False])})
    np.testing.assert_array_equal(get_tensors(layer)["mask"], [True, False])


def test_a_layer_that_refers_back_to_its_owner_has_the_paths_of_one_that_does_not():
    class Owner(keras.layers.Layer):
        def __init__(self, refers_back):
            super().__init__()
            self.inner = Sequential([keras.layers.Dense(3)])
            if refers_back:  # Keras itself cannot follow such an attribute, so it is hidden from Keras.
                vars(self.inner).update(owner=self, owners=[{"first": self}])

        def call(self, values):
            return self.inner(values)

    names = []
    for refers_back in (False, True):
        owner = Owner(refers_back)
        owner(tf.zeros((1, 2)))
        names.append(list(named_variables(owner)))
    assert names[0] == names[1] == ["inner/layers/0/kernel", "inner/layers/0/bias"]


def test_a_weight_out_of_reach_is_an_error_not_a_loss():
    class Hidden(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self._by_name = {"a": keras.layers.Dense(2)}

        def call(self, values):
            return self._by_name["a"](values)

    layer = Hidden()
    layer(np.zeros((1, 3), np.float32))
    if not layer.weights:
        pytest.skip("this Keras does not see layers in dicts at all")
    with pytest.raises(LicError, match="not reached through attributes"):
        named_variables(layer)
