"""The laws of layers: a layer comes back from its configuration and from Keras's files, with its weights."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from lic.environment import keras, saving, tf
from lic.testing.laws import Law, Trial, require, require_same

BATCH, SIDE = 2, 16  # Of the inputs, where the shape leaves them open.


def check_layer(
    layer: keras.layers.Layer,
    input_shape: Sequence[int | None],
    *,
    inputs: np.ndarray | tf.Tensor | None = None,
    quick: bool = False,
) -> None:
    """Checks that a layer keeps every law of its kind; weights stay as they are.

    Args:
      layer: The layer, called or not. Its `call` takes one tensor.
      input_shape: The shape of its input, such as (None, None, None, 3). Where it is None, the batch is 2, and height
        and width are 16.
      inputs: The input that laws are tried with, of this shape, such as whole numbers for a layer that looks up rows;
        default: normal random numbers, in float32.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: It is no Keras layer, or it does not take the inputs.
    """
    trial_of_layer(layer, input_shape, inputs).check(quick=quick)


def trial_of_layer(
    layer: keras.layers.Layer, input_shape: Sequence[int | None], inputs: np.ndarray | tf.Tensor | None = None
) -> Trial:
    """Returns the laws of a layer; see `check_layer`."""
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(f"check_layer: expected a Keras layer. Received: {type(layer).__name__}.")
    if inputs is None:
        sizes = [size or (SIDE if axis else BATCH) for axis, size in enumerate(input_shape)]
        inputs = tf.constant(np.random.default_rng(0).normal(size=sizes), tf.float32)
    values = tf.convert_to_tensor(inputs)
    try:
        layer(values)
    except Exception as error:
        raise ValueError(
            f"check_layer: expected a layer that takes inputs of the type {values.dtype.name} and the shape "
            f"{tuple(values.shape)}. Received: {type(layer).__name__}, which raises {type(error).__name__}: {error}. "
            "Give numbers that the layer takes as inputs."
        ) from error
    return Trial(type(layer).__name__, LAWS, layer, tuple(input_shape), values)


def configuration_makes_it_anew(layer: keras.layers.Layer, input_shape: tuple, values: tf.Tensor) -> None:
    """`from_config(get_config())` is a layer of the same class and configuration, frozen where it is frozen."""
    again = _anew(layer)
    require(type(again) is type(layer), f"{type(again).__name__} comes out of {type(layer).__name__}")
    require(again.get_config() == layer.get_config(), f"{again.get_config()} comes out of {layer.get_config()}")
    again(values)
    before, after = (len(each.trainable_weights) for each in (layer, again))
    require(before == after, f"{after} trainable weights come out of {before}")


def weights_make_a_copy_equal(layer: keras.layers.Layer, input_shape: tuple, values: tf.Tensor) -> None:
    """A layer from the configuration that is given the weights computes the same."""
    again = _anew(layer)
    again(values)
    shapes, others = ([tuple(weight.shape) for weight in each.weights] for each in (layer, again))
    require(shapes == others, f"the copy has weights of the shapes {others}, expected {shapes}")
    again.set_weights(layer.get_weights())
    require_same("the copy's output", again(values), layer(values))


def build_makes_the_weights_that_a_call_makes(layer: keras.layers.Layer, input_shape: tuple, values: tf.Tensor) -> None:
    """`build(input_shape)` is enough before weights are counted, loaded and saved."""
    built = _anew(layer)
    built.build(input_shape)
    shapes, others = ([tuple(weight.shape) for weight in each.weights] for each in (layer, built))
    require(shapes == others, f"after build there are weights of the shapes {others}, expected {shapes}")
    require(built.count_params() == layer.count_params(), f"{built.count_params()} parameters, expected {shapes}")


def a_keras_file_holds_it(layer: keras.layers.Layer, input_shape: tuple, values: tf.Tensor) -> None:
    """A model of the layer that is saved as `.keras` and loaded has its weights and computes the same."""
    again = _anew(layer)
    inputs = keras.Input(input_shape[1:], dtype=values.dtype.name)
    model = keras.Model(inputs, again(inputs))
    again.set_weights(layer.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "layer.keras"
        model.save(path)
        loaded = saving.load_model(path)
    for number, (weight, other) in enumerate(zip(loaded.get_weights(), model.get_weights(), strict=True)):
        require_same(f"weight {number} of the loaded layer", weight, other)
    require_same("the loaded layer's output", loaded(values), model(values))


LAWS: tuple[Law, ...] = (
    configuration_makes_it_anew,
    weights_make_a_copy_equal,
    build_makes_the_weights_that_a_call_makes,
    a_keras_file_holds_it,
)


def _anew(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config(layer.get_config())
