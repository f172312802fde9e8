"""The table of scales: distributions are coded with one of a few scales, so that their cdfs can be made once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lic.argument_types import check_argument
from lic.environment import tf
from lic.layers.bounds import lower_bound, upper_bound
from lic.layers.tracing import is_plain

ROUNDINGS = ("nearest", "up")
LARGEST_COUNT = 16384


class ScaleTable(NamedTuple):
    """A geometric table of scales. A network predicts a real index into it, and coding rounds the index.

    Attributes:
      count: Number of scales.
      lowest: The first scale, at index 0.
      highest: The last scale, at index `count - 1`.
      rounding: The rounding of real indexes for coding: "nearest", or "up" to the next larger scale.
    """

    count: int = 64
    lowest: float = 0.11
    highest: float = 256.0
    rounding: str = "nearest"

    def check(self) -> None:
        """Raises a ValueError unless the table is valid."""
        for name, value in zip(("count", "lowest", "highest"), self):
            check_argument("ScaleTable", name, value, float)
        in_range = 2 <= self.count <= LARGEST_COUNT and 0 < self.lowest < self.highest < math.inf
        if not (in_range and self.count == int(self.count) and self.rounding in ROUNDINGS):
            raise ValueError(
                f"ScaleTable: expected 2 to {LARGEST_COUNT} scales, the lowest over 0 and below the highest, and "
                f"one of {ROUNDINGS} as rounding. Received: {tuple(self)!r}. "
                f"The usual table is {tuple(ScaleTable())!r}."
            )

    @property
    def log_step(self) -> float:
        """Logarithm of the factor from one scale to the next."""
        return math.log(self.highest / self.lowest) / (self.count - 1)

    def scale_at(self, index: tf.Tensor) -> tf.Tensor:
        """Returns the scale at a real index; outside the table, the scale at its nearest end."""
        return tf.exp(math.log(self.lowest) + self.log_step * self.in_table(index))

    def in_table(self, index: tf.Tensor) -> tf.Tensor:
        """Returns a real index bounded to the table; gradients that lead an index back into the table are kept."""
        return upper_bound(lower_bound(index, 0.0), self.count - 1.0)

    def index_at(self, scale: tf.Tensor) -> tf.Tensor:
        """Returns the real index of a scale; exactly 0 for every scale below the table."""
        return tf.math.log(lower_bound(scale, self.lowest) / self.lowest) / self.log_step

    def index_of(self, scale: float) -> float:
        """Returns the real index of one scale, also outside the table."""
        return math.log(scale / self.lowest) / self.log_step

    def row(self, index: tf.Tensor) -> tf.Tensor:
        """Returns the row of the table that a real index is rounded to, int32; NaN becomes an end of the table."""
        round_ = tf.math.ceil if self.rounding == "up" else tf.round
        rounded = tf.cast(round_(tf.clip_by_value(index, 0.0, self.count - 1.0)), "int32")
        return tf.clip_by_value(rounded, 0, self.count - 1)  # A cast of NaN may give any integer.

    def row_of(self, scale: tf.Tensor) -> tf.Tensor:
        """Returns the row of the table that a scale is rounded to, int32, by comparisons with all scales."""
        shift = 0.0 if self.rounding == "up" else 0.5
        bounds = np.exp(math.log(self.lowest) + self.log_step * (np.arange(self.count - 1) + shift))
        if not is_plain():
            rows = tf.searchsorted(tf.constant(bounds, "float32"), tf.reshape(scale, [-1]))
            return tf.reshape(rows, tf.shape(scale))
        # Other formats have no such operation. Bisection finds the same row: the number of bounds below the scale.
        steps = (self.count - 1).bit_length()
        padded = np.pad(bounds, (0, (1 << steps) - self.count), constant_values=np.inf)
        rows = tf.zeros_like(scale, "int32")
        for step in reversed(range(steps)):
            further = rows + (1 << step)
            rows = tf.where(tf.gather(tf.constant(padded, "float32"), further - 1) < scale, further, rows)
        return rows

    def scales(self) -> list[float]:
        """Returns all scales of the table."""
        return [math.exp(math.log(self.lowest) + self.log_step * index) for index in range(self.count)]
