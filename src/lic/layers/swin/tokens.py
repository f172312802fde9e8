"""The tokens of a grid in any order, and the base class of layers that compute on them."""

from __future__ import annotations

import abc
from typing import NamedTuple

from lic.environment import tf
from lic.layers.base import Layer


class Tokens(NamedTuple):
    """The tokens of a grid, in any order.

    A layer leaves its tokens in the order in which it computed them, and the next one gathers them in its own order. So
    tokens move once from layer to layer, not twice.

    Attributes:
      rows: The tokens [count, channels].
      places: The row of the token at each position [batch, height, width], int32.
    """

    rows: tf.Tensor
    places: tf.Tensor

    @classmethod
    def of(cls, values: tf.Tensor) -> Tokens:
        """Returns the tokens of values [batch, height, width, channels], in raster order."""
        shape = tf.shape(values)[:3]
        places = tf.reshape(tf.range(tf.reduce_prod(shape)), shape)
        return cls(tf.reshape(values, (-1, values.shape[-1])), places)

    def grid(self) -> tf.Tensor:
        """Returns the tokens at their positions [batch, height, width, channels]."""
        return tf.gather(self.rows, self.places)


class TokenLayer(abc.ABC, Layer):
    """Base of layers that map tokens to tokens: a subclass writes `process`.

    Tokens are float32 whatever the policy; only the inputs of products are cast to its type.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.built = True  # Weights and layers are made in the constructor.

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, channels]."""
        return self.process(Tokens.of(tf.cast(values, "float32")), bool(training)).grid()

    @abc.abstractmethod
    def process(self, tokens: Tokens, training: bool) -> Tokens:
        """Maps tokens to tokens, which may be in another order.

        Args:
          tokens: The tokens.
          training: Whether a gradient follows.
        """
