"""The factorized prior: one learnt density a channel, without context (Balle et al., ICLR 2018, appendix 6.1)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lic.argument_types import Count
from lic.entropy.distributions.base import ChannelGains, Distribution
from lic.entropy.distributions.location_scale import log_one_minus_exp
from lic.entropy.range_coding.cdf_tables import LIMIT, LONGEST_PMF, TAIL, Pmf
from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.tracing import HasDerivedWeights


class FactorizedPrior(HasDerivedWeights, Distribution, Layer):
    """A density for each channel whose distribution function is a small monotone network.

    It is a distribution without parameters: `coder.code(part, prior)` codes a part under it. With medians, numbers are
    rounded to whole steps from the median of their channel; without medians they are rounded to whole numbers.

    Args:
      channels: Number of channels.
      filters: Widths of the network's inner layers.
      init_scale: Width of the initial density, in which most values should lie.
      medians: Whether there are medians.

    Raises:
      ValueError: `init_scale` is not over 0 and finite.
    """

    def __init__(
        self,
        channels: Count,
        filters: Sequence[Count] = (3, 3),
        init_scale: float = 10.0,
        medians: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs | {"dtype": "float32"})
        check("FactorizedPrior", "init_scale", 0 < init_scale < math.inf, "over 0 and finite", init_scale)
        self.channels, self.filters, self.init_scale = channels, tuple(filters), init_scale
        widths = (1, *self.filters, 1)
        growth = init_scale ** (1 / (len(widths) - 1))
        self.matrices, self.biases, self.factors = [], [], []
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            # Softplus makes 1 / growth / outputs of this constant, so that all layers together divide by init_scale.
            matrix = keras.initializers.Constant(math.log(math.expm1(1 / growth / outputs)))
            bias = keras.initializers.RandomUniform(-0.5, 0.5)
            self.matrices.append(self._weight(f"matrix_{layer}", (outputs, inputs), matrix))
            self.biases.append(self._weight(f"bias_{layer}", (outputs, 1), bias))
            if layer < len(self.filters):
                self.factors.append(self._weight(f"factor_{layer}", (outputs, 1), keras.initializers.Zeros()))
        self.medians = self._weight("medians", (), keras.initializers.Zeros()) if medians else None

    def _weight(self, name: str, shape: tuple, initializer: keras.initializers.Initializer):
        return self.add_weight(name=name, shape=(self.channels, *shape), initializer=initializer)

    @property
    def offset(self) -> tf.Tensor | float:
        """The medians [channels], or 0; the gradients of rate and decoder do not reach them, see `training_loss`."""
        return 0.0 if self.medians is None else self.derived()

    def derive(self) -> tf.Tensor:
        return tf.stop_gradient(tf.convert_to_tensor(self.medians))

    @property
    def shape(self) -> tf.TensorShape:
        return tf.TensorShape((None, None, None, self.channels))

    def centre(self, values: tf.Tensor) -> tf.Tensor:
        return values if self.medians is None else super().centre(values)

    def restore(self, centred: tf.Tensor) -> tf.Tensor:
        return centred if self.medians is None else super().restore(centred)

    def under_gain(self, gains: ChannelGains) -> FactorizedPrior:
        """Returns itself: a density is learnt for the latent as it is coded, over all gains."""
        return self

    def call(self, centred: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the distribution function at centred values [..., channels]."""
        return self._logits(self.restore(centred), tf.convert_to_tensor)

    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        lower, upper = self(centred - 0.5), self(centred + 0.5)
        # The difference of two sigmoids near one is lost to cancellation, so the upper half is mirrored to the lower.
        mirrored = lower + upper > 0
        lower, upper = tf.where(mirrored, -upper, lower), tf.where(mirrored, -lower, upper)
        upper, lower = tf.math.log_sigmoid(upper), tf.math.log_sigmoid(lower)
        return (upper + log_one_minus_exp(lower - upper)) * (-1 / math.log(2))

    def pmf_index(self) -> tf.Tensor:
        return tf.range(self.channels)

    def training_loss(self) -> tf.Tensor | None:
        """Returns a zero whose gradient moves the medians, and nothing else, to where the function is one half."""
        if self.medians is None:
            return None
        # The other weights are constants here, so that this loss does not change the density.
        logits = self._logits(tf.convert_to_tensor(self.medians), tf.stop_gradient)
        distance = tf.reduce_sum(tf.abs(logits))
        return distance - tf.stop_gradient(distance)

    def _logits(self, values: tf.Tensor, read: Callable) -> tf.Tensor:
        """Returns the logits at values that are not centred.

        Args:
          values: The values [..., channels].
          read: Returns the tensor of a weight, with gradients or as a constant (`tf.stop_gradient`).
        """
        flat = tf.transpose(tf.reshape(values, (-1, 1, self.channels)), (2, 1, 0))
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases)):
            flat = tf.matmul(tf.nn.softplus(read(matrix)), flat) + read(bias)
            if layer < len(self.factors):
                flat += tf.tanh(read(self.factors[layer])) * tf.tanh(flat)
        return tf.reshape(tf.transpose(flat, (2, 1, 0)), tf.shape(values))

    @property
    def num_pmfs(self) -> int:
        """The number of the pmfs, one a channel."""
        return self.channels

    def pmfs(self) -> Iterator[Pmf]:
        """Returns the probabilities that the coder's tables are made of, one pmf a channel, in float64."""
        # A pmf ends where either tail has the probability TAIL, or at a length that bounds the tables.
        edge = math.log(TAIL) - math.log1p(-TAIL)
        middle = self._symbol_above(0.0)
        first = np.maximum(self._symbol_above(edge), middle - LONGEST_PMF // 2)
        last = np.minimum(self._symbol_above(-edge), middle + LONGEST_PMF // 2 - 1)
        # All channels share one range of symbols, with one edge more, and each takes its own part of the logits.
        symbols = np.arange(first.min(), last.max() + 2)
        logits = self._logits_in_float64(np.tile(symbols - 0.5, (self.channels, 1)))
        for row, start, stop in zip(logits, first - symbols[0], last - symbols[0]):
            yield int(symbols[start]), _probabilities(row, start, stop)

    def _symbol_above(self, logit: float) -> np.ndarray:
        """Returns, for each channel, the first symbol whose upper edge has a larger logit; by bisection."""
        low, high = np.full(self.channels, -LIMIT), np.full(self.channels, LIMIT)
        while (low < high).any():
            middle = (low + high) // 2
            above = self._logits_in_float64(middle[:, None] + 0.5)[:, 0] > logit
            low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
            low = np.minimum(low, high)
        return low

    def _logits_in_float64(self, centred: np.ndarray) -> np.ndarray:
        """Returns the logits at centred values [channels, count], in float64 since tables reach far into the tails."""
        if self.medians is not None:
            centred = centred + np.asarray(self.medians, np.float64)[:, None]
        flat = centred[:, None]
        # The same network as in `_logits`; logaddexp(0, x) is softplus.
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases)):
            matrix = np.logaddexp(0, np.asarray(matrix, np.float64))
            flat = matrix @ flat + np.asarray(bias, np.float64)
            if layer < len(self.factors):
                flat = flat + np.tanh(np.asarray(self.factors[layer], np.float64)) * np.tanh(flat)
        return flat[:, 0]


def _probabilities(logits: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Returns the probabilities of the symbols from `start` to `stop`, and last that of all others.

    Args:
      logits: The logits at the lower edges of symbols.
      start: Position of the first symbol.
      stop: Position of the last symbol.
    """
    lower, upper = logits[start : stop + 1], logits[start + 1 : stop + 2]
    sign = np.where(lower + upper > 0, -1, 1)
    inside = np.abs(_sigmoid(sign * upper) - _sigmoid(sign * lower))
    outside = _sigmoid(logits[start]) + _sigmoid(-logits[stop + 1])
    return np.append(inside, outside)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))
