"""Layers one after the other, or side by side."""

from __future__ import annotations

from collections.abc import Iterable

from lic.environment import keras, tf


class Layers(keras.layers.Layer):
    """Base of layers that call others, which need no shapes in advance.

    Args:
      layers: The layers in order.
    """

    def __init__(self, layers: Iterable[keras.layers.Layer], **kwargs):
        super().__init__(**kwargs)
        self.layers = list(layers)
        self.built = True  # Each layer builds itself when it is called.


class Sequential(Layers):
    """Calls layers one after the other."""

    # Keras hands `training` on through layers that have it among their arguments, and only through these.
    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Applies all layers to values."""
        for layer in self.layers:
            values = layer(values)
        return values


class Concatenate(Layers):
    """Calls layers on the same input, and concatenates what they give."""

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Applies each layer to values."""
        return tf.concat([layer(values) for layer in self.layers], -1)


class Scale(keras.layers.Layer):
    """Multiplies by a fixed number, after adding another.

    Args:
      factor: What the sum is multiplied by.
      offset: What is added first.
    """

    def __init__(self, factor: float, offset: float = 0.0, **kwargs):
        super().__init__(autocast=False, **kwargs)  # Pixels lose too much in bfloat16.
        self.factor, self.offset = factor, offset
        self.built = True

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns (values + offset) * factor."""
        return (tf.cast(values, "float32") + self.offset) * self.factor


class Abs(keras.layers.Layer):
    """Takes absolute values."""

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns |values|."""
        return tf.abs(values)
