"""The rate of numbers under normal distributions whose scales come from a table."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lic.environment import tf
from lic.layers.bounds import lower_bound, upper_bound
from lic.layers.chunks import compiled

ROUNDINGS = ("nearest", "up")
_SERIES_BELOW = -10.0  # Here erfc is still a normal float32, and the series is exact to float32.


class ScaleTable(NamedTuple):
    """A geometric table of standard deviations.

    Attributes:
      count: Number of scales.
      lowest: The first, at index 0.
      highest: The last, at index `count - 1`.
      rounding: Which scale of the table a real index is coded with, "nearest" or "up" for the next larger one.
    """

    count: int = 64
    lowest: float = 0.11
    highest: float = 256.0
    rounding: str = "nearest"

    @property
    def growth(self) -> float:
        """Logarithm of the factor from one scale to the next."""
        return math.log(self.highest / self.lowest) / (self.count - 1)

    def deviation(self, index: tf.Tensor) -> tf.Tensor:
        """Returns the standard deviation at a real index; outside the table, that of its nearest end."""
        index = upper_bound(lower_bound(index, 0.0), self.count - 1.0)
        return tf.exp(math.log(self.lowest) + self.growth * index)

    def row(self, index: tf.Tensor) -> tf.Tensor:
        """Returns the index as an integer in the table; what is not a number becomes an end of the table."""
        round_ = tf.math.ceil if self.rounding == "up" else tf.round
        rounded = tf.cast(round_(tf.clip_by_value(index, 0.0, self.count - 1.0)), "int32")
        return tf.clip_by_value(rounded, 0, self.count - 1)

    def index(self, deviation: float) -> float:
        """Returns the real index of a standard deviation."""
        return math.log(deviation / self.lowest) / self.growth

    def real_index(self, deviation: tf.Tensor) -> tf.Tensor:
        """Returns the real indexes of standard deviations; of all below the table, exactly 0."""
        return tf.math.log(lower_bound(deviation, self.lowest) / self.lowest) / self.growth

    def exact_index(self, deviation: tf.Tensor) -> tf.Tensor:
        """Returns what `row` makes of real indexes, as float32 and by comparisons alone, which no library rounds."""
        shift = 0.0 if self.rounding == "up" else 0.5
        bounds = np.exp(math.log(self.lowest) + self.growth * (np.arange(self.count - 1) + shift))
        below = tf.searchsorted(tf.constant(bounds, "float32"), tf.reshape(deviation, [-1]))
        return tf.cast(tf.reshape(below, tf.shape(deviation)), "float32")

    def described(self) -> list[int | float | str]:
        """Returns the fields as plain data; the usual rounding is not said."""
        return list(self[:3] if self.rounding == "nearest" else self)

    def deviations(self) -> list[float]:
        """Returns all standard deviations of the table."""
        return [math.exp(math.log(self.lowest) + self.growth * index) for index in range(self.count)]


class Normal:
    """Numbers about zero, each with the scale of its own index.

    Args:
      index: Real scale indexes.
      scales: The table.
      rounded: Whether the rate is that of the rounded index, as when coding, or of the real one, as in training.
    """

    def __init__(self, index: tf.Tensor, scales: ScaleTable, rounded: bool = True):
        self.index, self.scales, self.rounded = index, scales, rounded

    def bits(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the bits of each of values (differences from the mean), for steps of one."""
        inputs = tf.convert_to_tensor(values), tf.convert_to_tensor(self.index)
        specs = tuple(tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in inputs)
        return compiled(_bits, specs, self.scales, self.rounded)(*inputs)


def _bits(scales: ScaleTable, rounded: bool, values: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    index = tf.cast(scales.row(index), values.dtype) if rounded else index
    return normal_bits(values, scales.deviation(index))


def normal_bits(values: tf.Tensor, deviation: tf.Tensor) -> tf.Tensor:
    """Returns minus log2 of the normal probability of [values - 1/2, values + 1/2], in log space throughout."""
    values = tf.abs(values)
    upper = log_normal_cdf((0.5 - values) / deviation)
    lower = log_normal_cdf((-0.5 - values) / deviation)
    return (upper + log_one_minus_exp(lower - upper)) * (-1 / math.log(2))


def log_one_minus_exp(values: tf.Tensor) -> tf.Tensor:
    """Returns log(1 - exp(values)) for values below zero."""
    values = tf.minimum(values, -1e-30)  # Two equal tails would give the logarithm of zero.
    close = values > -0.693
    expm1 = tf.math.log(-tf.math.expm1(tf.where(close, values, -1.0)))
    return tf.where(close, expm1, tf.math.log1p(-tf.exp(tf.where(close, -1.0, values))))


def log_normal_cdf(values: tf.Tensor) -> tf.Tensor:
    """Returns the logarithm of the standard normal distribution function, accurate far into its lower tail."""
    near = tf.math.erfc(tf.maximum(values, _SERIES_BELOW) * -(0.5**0.5)) * 0.5
    far = tf.minimum(values, _SERIES_BELOW)
    square = 1 / (far * far)
    series = tf.math.log1p(-square * (1 - square * (3 - square * (15 - 105 * square))))
    tail = -0.5 * far * far - tf.math.log(-far) - 0.5 * math.log(2 * math.pi) + series
    return tf.where(values > _SERIES_BELOW, tf.math.log(near), tail)
