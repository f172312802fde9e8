"""Every operation that may give other floats on another machine is found, wherever it stands."""

import numpy as np
import pytest

import lic
from lic.codec.integer import audit
from lic.codec.integer.audit import inexact_operations
from lic.codec.integer.calibration import parameter_layers
from lic.codec.integer.layers import SCOPE
from lic.environment import called_graph, tf
from lic.layers import Convolution
from tests.conftest import random_images, slow_but, tiny_model

CALIBRATION = [random_images(64, 80, 3, seed=1)]


def types_of(function):
    """Types of the inexact operations of a function of floats [3]."""
    graph = tf.function(function, [tf.TensorSpec([3])], autograph=False).get_concrete_function().graph
    return sorted({operation.type for operation in inexact_operations(graph.outputs[0].op)})


def scoped(function):
    def within(values):
        with tf.name_scope(SCOPE):
            return function(values)

    return within


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda values: tf.nn.relu(values) + tf.round(values * 2.0), []),
        (lambda values: tf.nn.leaky_relu(values, 0.2), []),
        (tf.exp, ["Exp"]),
        (tf.tanh, ["Tanh"]),
        (lambda values: tf.reduce_sum(values), ["Sum"]),
        (tf.function(lambda values: tf.nn.elu(values), autograph=False), ["Elu"]),
        (lambda values: tf.cond(values[0] > 0, lambda: tf.exp(values), lambda: values), ["Exp"]),
        (lambda values: tf.linalg.matvec(tf.eye(3), values), ["MatMul", "MatrixDiagV3"]),
        (lambda values: values / 3.0, ["RealDiv"]),
        (lambda values: tf.cast(tf.signal.fft(tf.cast(values, "complex64")), "float32"), ["FFT"]),
    ],
)
def test_operations_that_round_in_their_own_way_are_found(function, found):
    assert types_of(function) == found


def test_functions_in_functions_are_searched_once(monkeypatch):
    def within(inner):
        return tf.function(lambda values: [each + 1.0 for each in inner(values)], autograph=False)

    def function(values):
        return [tf.exp(values + number) for number in range(4)]

    searched = []
    monkeypatch.setattr(audit, "called_graph", lambda *call: searched.append(call) or called_graph(*call))
    for _ in range(6):
        function = within(function)
    assert types_of(lambda values: function(values)[0]) == ["Exp"]
    assert len(searched) == 6


@pytest.mark.parametrize("function", [tf.exp, tf.tanh, tf.math.erf, tf.sigmoid, lambda values: tf.reduce_sum(values)])
def test_the_scope_of_whole_numbers_hides_nothing_but_their_sums(function):
    assert types_of(scoped(function)) == types_of(function) != []
    assert types_of(scoped(lambda values: tf.matmul(values[None], values[:, None]))) == []


@pytest.mark.parametrize(
    ("activation", "operation"),
    slow_but([("gelu", "Erf"), ("tanh", "Tanh"), ("sigmoid", "Sigmoid"), ("elu", "Elu")], ("gelu", "Erf")),
)
def test_a_float_activation_of_a_layer_in_whole_numbers_is_refused_by_its_operation(activation, operation):
    model = tiny_model("conv", "hyperprior", hyper_activation=activation)
    with pytest.raises(lic.LicError, match=f"This one also has .*{operation}"):
        lic.Codec(model, deterministic=True, calibration=CALIBRATION)


@pytest.mark.parametrize(
    "activation", slow_but(["relu", "leaky_relu", "leaky_relu_0.01", "linear", "relu6"], "leaky_relu_0.01")
)
def test_activations_that_are_exact_are_taken(activation):
    model = tiny_model("conv", "hyperprior", hyper_activation=activation)
    codec = lic.Codec(model, deterministic=True, calibration=CALIBRATION)
    image = random_images(40, 50, 3)
    np.testing.assert_array_equal(codec.decompress(codec.compress(image)).shape, image.shape)


class Gated(Convolution):
    """Computes otherwise than a convolution, which whole numbers would leave out."""

    def call(self, values):
        return super().call(values) * tf.exp(-2.0)


class Scaled(Convolution):
    """Brings floats into the sums."""

    def correlate(self, values, kernels, bias, activation):
        return super().correlate(values * 0.3, kernels, bias, activation)


@pytest.mark.parametrize("kind", [Gated, Scaled])
def test_a_subclass_of_a_convolution_that_computes_otherwise_is_not_taken_for_one(kind):
    model = tiny_model("conv", "hyperprior")
    plain = parameter_layers(model, Convolution)
    model.entropy.parameters.layers[-1] = kind(24, 1)
    taken = parameter_layers(model, Convolution)
    assert plain.keys() - taken.keys() == {"entropy/parameters/layers/0"}
    masked = parameter_layers(tiny_model("conv", "checkerboard"), Convolution)
    assert "entropy/context" in masked
