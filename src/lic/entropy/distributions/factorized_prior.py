"""The learnt prior: one density a channel, without context (Balle et al., ICLR 2018, appendix 6.1)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from lic.entropy.distributions.normal import log_one_minus_exp
from lic.environment import keras, tf
from lic.layers.derived import Derives


class FactorizedPrior(Derives, keras.layers.Layer):
    """A density for each channel whose cumulative is a small monotone network.

    With medians, numbers are rounded to whole steps from the median of their channel, not to whole numbers. All methods
    take values as differences from the medians; without medians that is from zero.

    Args:
      channels: Number of channels.
      filters: Widths of the network's inner layers.
      init_scale: Width of the density at the start; most values should lie inside.
      medians: Whether there are medians.
    """

    def __init__(
        self,
        channels: int,
        filters: Sequence[int] = (3, 3),
        init_scale: float = 10.0,
        medians: bool = False,
        **kwargs,
    ):
        super().__init__(dtype="float32", **kwargs)
        self.channels, self.filters, self.init_scale = channels, tuple(filters), init_scale
        widths = (1, *self.filters, 1)
        growth = init_scale ** (1 / (len(widths) - 1))
        self.matrices, self.biases, self.factors = [], [], []
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            matrix = keras.initializers.Constant(math.log(math.expm1(1 / growth / outputs)))
            bias = keras.initializers.RandomUniform(-0.5, 0.5)
            self.matrices.append(self._weight(f"matrix_{layer}", (outputs, inputs), matrix))
            self.biases.append(self._weight(f"bias_{layer}", (outputs, 1), bias))
            if layer < len(self.filters):
                self.factors.append(self._weight(f"factor_{layer}", (outputs, 1), keras.initializers.Zeros()))
        self.medians = self._weight("medians", (), keras.initializers.Zeros()) if medians else None
        self.built = True

    def _weight(self, name: str, shape: tuple, initializer: keras.initializers.Initializer):
        return self.add_weight(name=name, shape=(self.channels, *shape), initializer=initializer)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the cumulative at values [..., channels]."""
        return self._logits(self.from_medians(values), tf.convert_to_tensor)

    def to_medians(self, values: tf.Tensor) -> tf.Tensor:
        """Returns values [..., channels] as differences from the medians."""
        return values if self.medians is None else values - self.derived()

    def from_medians(self, values: tf.Tensor) -> tf.Tensor:
        """Returns what differences from the medians [..., channels] are differences of."""
        return values if self.medians is None else values + self.derived()

    def derive(self) -> tf.Tensor:
        """Returns the medians [channels]; gradients of rate and decoder do not reach them, see `pull`."""
        return tf.stop_gradient(tf.convert_to_tensor(self.medians))

    def pull(self) -> tf.Tensor:
        """Returns a zero whose gradient leads the medians, and nothing else, to where the cumulative is one half."""
        if self.medians is None:
            return tf.zeros([])
        logits = self._logits(tf.convert_to_tensor(self.medians), tf.stop_gradient)
        distance = tf.reduce_sum(tf.abs(logits))
        return distance - tf.stop_gradient(distance)

    def _logits(self, values: tf.Tensor, weight: Callable) -> tf.Tensor:
        """The logits at values that are no differences; `weight` is applied to each weight."""
        flat = tf.transpose(tf.reshape(values, (-1, 1, self.channels)), (2, 1, 0))
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases)):
            flat = tf.matmul(tf.nn.softplus(weight(matrix)), flat) + weight(bias)
            if layer < len(self.factors):
                flat += tf.tanh(weight(self.factors[layer])) * tf.tanh(flat)
        return tf.reshape(tf.transpose(flat, (2, 1, 0)), tf.shape(values))

    def bits(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the bits of each of values [..., channels], for steps of one."""
        lower, upper = self(values - 0.5), self(values + 0.5)
        # On the side of the density where both logits are below zero nothing is lost by cancellation.
        mirrored = lower + upper > 0
        lower, upper = tf.where(mirrored, -upper, lower), tf.where(mirrored, -lower, upper)
        upper, lower = tf.math.log_sigmoid(upper), tf.math.log_sigmoid(lower)
        return (upper + log_one_minus_exp(lower - upper)) * (-1 / math.log(2))

    def cumulative_logits(self, values: np.ndarray) -> np.ndarray:
        """Returns the logits at values [channels, count] in float64, for making tables."""
        if self.medians is not None:
            values = values + np.asarray(self.medians, np.float64)[:, None]
        flat = values[:, None]
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases)):
            matrix = np.logaddexp(0, np.asarray(matrix, np.float64))
            flat = matrix @ flat + np.asarray(bias, np.float64)
            if layer < len(self.factors):
                flat = flat + np.tanh(np.asarray(self.factors[layer], np.float64)) * np.tanh(flat)
        return flat[:, 0]

    def get_config(self) -> dict:
        own = {"channels": self.channels, "filters": self.filters, "init_scale": self.init_scale}
        return super().get_config() | own | {"medians": self.medians is not None}
