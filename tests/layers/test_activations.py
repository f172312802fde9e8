import numpy as np
import pytest

from lic.environment import keras, tf
from lic.layers import Convolution, activations

VALUES = np.array([-2.0, -1e-3, 0.0, 3.0], np.float32)


@pytest.mark.parametrize(("name", "slope"), [("leaky_relu_0.01", 0.01), ("leaky_relu_0.3", 0.3), ("leaky_relu_0", 0.0)])
def test_the_slope_is_in_the_name(name, slope):
    np.testing.assert_allclose(activations.get(name)(VALUES), np.where(VALUES < 0, slope, 1) * VALUES, rtol=1e-6)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "linear"])
def test_others_are_keras_own(name):
    assert activations.get(name) is keras.activations.get(name)


@pytest.mark.parametrize("name", ["leaky_relu_", "leaky_relu_-1", "leaky_relu_x", "nothing"])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match=name):
        activations.get(name)


def test_a_layer_is_made_anew_from_its_configuration():
    layer = Convolution(2, 1, activation="leaky_relu_0.01", bias_initializer="ones")
    again = Convolution.from_config(layer.get_config())
    values = np.full((1, 1, 1, 3), -1.0, np.float32)
    layer(values), again(values)
    again.set_weights([np.ones_like(weight) for weight in layer.get_weights()])
    np.testing.assert_allclose(again(values), -0.02, rtol=1e-6)


@pytest.mark.parametrize("name", ["hard_sigmoid", "celu", "squareplus", "gelo"])
def test_names_that_mean_another_function_in_another_keras_are_refused(name):
    with pytest.raises(ValueError, match=f"expected one of elu, .* Received: '{name}'"):
        activations.get(name)


@pytest.mark.parametrize("name", activations.NAMES)
def test_every_name_is_known_to_every_keras(name):
    values = tf.linspace(-3.0, 3.0, 13)
    assert np.isfinite(activations.get(name)(values)).all()
