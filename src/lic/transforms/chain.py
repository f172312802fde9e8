"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from lic.environment import keras, tf


class Chain(keras.layers.Layer):
    """Calls layers one after the other; unlike `keras.Sequential` it needs no shapes in advance.

    Args:
      layers: The layers in order.
    """

    def __init__(self, layers: Iterable[keras.layers.Layer], **kwargs):
        super().__init__(**kwargs)
        self.layers = list(layers)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Applies all layers to values."""
        for layer in self.layers:
            values = layer(values)
        return values


class Scale(keras.layers.Layer):
    """Multiplies by a fixed number, after adding another.

    Args:
      factor: What the sum is multiplied by.
      offset: What is added first.
    """

    def __init__(self, factor: float, offset: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.offset = factor, offset

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns (values + offset) * factor."""
        return (values + self.offset) * self.factor
