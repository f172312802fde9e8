"""Layers one after the other or side by side, and the small layers that stand between others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer


class Layers(Layer):
    """Base of layers that hold a list of others.

    Args:
      layers: The layers in order.

    Raises:
      ValueError: An item cannot be called.
    """

    def __init__(self, layers: Iterable[keras.layers.Layer], **kwargs):
        super().__init__(**kwargs)
        layers = list(layers)
        check(type(self).__name__, "layers", all(map(callable, layers)), "a list of layers", layers)
        self.layers = layers


class Sequential(Layers):
    """Calls layers one after the other, each on the result of the one before.

    Unlike `keras.Sequential` it is a layer, not a model, and needs no input shape.

    Args:
      layers: The layers in order.
    """

    # Keras passes `training` on through a layer only if `call` has it among its arguments.
    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Applies all layers to values [batch, ...]."""
        for layer in self.layers:
            values = layer(values)
        return values


class Concatenate(Layers):
    """Calls layers on the same input, and concatenates their results along the channels.

    Args:
      layers: The layers in order.
    """

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Applies each layer to values [batch, ...]."""
        return tf.concat([layer(values) for layer in self.layers], -1)

    @staticmethod
    def of(layers: Sequence[keras.layers.Layer]) -> keras.layers.Layer:
        """Returns layers side by side, or the layer itself if there is one alone."""
        return layers[0] if len(layers) == 1 else Concatenate(layers)


class Scale(Layer):
    """Adds a fixed number, and then multiplies by another, in float32 whatever the policy.

    Args:
      factor: The factor of the sum.
      offset: The number that is added first.
    """

    def __init__(self, factor: float, offset: float = 0.0, **kwargs):
        super().__init__(autocast=False, **kwargs)  # bfloat16 has 8 bits, too few for pixels.
        self.factor, self.offset = factor, offset

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns (values + offset) * factor, for values of any shape."""
        return (tf.cast(values, "float32") + self.offset) * self.factor


class ChannelScale(Layer):
    """Multiplies each channel by a learnt number, which starts at one."""

    def build(self, input_shape: tuple):
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
        super().build(input_shape)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Multiplies values [..., channels]."""
        return values * tf.cast(self.scale, values.dtype)


class Abs(Layer):
    """Takes absolute values."""

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns |values|, for values of any shape."""
        return tf.abs(values)
