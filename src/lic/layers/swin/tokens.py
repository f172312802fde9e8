"""Tokens of a grid, and the base of layers that compute on them."""

from __future__ import annotations

import abc
from typing import NamedTuple

from lic.environment import keras, tf


class Tokens(NamedTuple):
    """The tokens of a grid, in any order: moving them about is left to whoever reads them next.

    Attributes:
      rows: The tokens [count, channels].
      places: The row of the token at each position [batch, height, width], int32.
    """

    rows: tf.Tensor
    places: tf.Tensor

    @classmethod
    def of(cls, values: tf.Tensor) -> Tokens:
        """Takes values [batch, height, width, channels] apart, in raster order."""
        shape = tf.shape(values)[:3]
        places = tf.reshape(tf.range(tf.reduce_prod(shape)), shape)
        return cls(tf.reshape(values, (-1, values.shape[-1])), places)

    def grid(self) -> tf.Tensor:
        """Returns the tokens in their places [batch, height, width, channels]."""
        return tf.gather(self.rows, self.places)


class TokenLayer(abc.ABC, keras.layers.Layer):
    """Base of layers that map tokens to tokens, in float32 but for products: a subclass writes `process`."""

    def __init__(self, **kwargs):
        # Tokens stay in float32 from layer to layer, and only what goes into products is cast.
        super().__init__(autocast=False, **kwargs)
        self.built = True  # Weights and layers are made in the constructor.

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, channels]."""
        return self.process(Tokens.of(tf.cast(values, "float32")), bool(training)).grid()

    @abc.abstractmethod
    def process(self, tokens: Tokens, training: bool) -> Tokens:
        """Does the same for tokens; those it returns may lie in another order."""
