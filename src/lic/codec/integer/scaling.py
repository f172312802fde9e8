"""The scaling of a variable rate in exact steps, each of which is one rounding that IEEE 754 defines."""

from __future__ import annotations

import decimal
from typing import NamedTuple

import numpy as np

from lic.codec.integer.layers import on_grid
from lic.environment import tf
from lic.models.rate import Gains

_DIGITS = 30
_FRACTION = 8  # Bits after the point of scaled means.


class IntegerScaling(NamedTuple):
    """Scales as `Scaling` does, in operations that every library rounds in the same way.

    Attributes:
      gain: The factor of each channel [batch, depth].
      log_scale: The logarithm of the factor of each channel's scales, likewise.
      unit: One over the gain, likewise.
    """

    gain: tf.Tensor
    log_scale: tf.Tensor
    unit: tf.Tensor

    def scale(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers scaled for coding, rounded to multiples of 2^-8."""
        return on_grid(values * self.gain, _FRACTION)

    def unscale(self, values: tf.Tensor) -> tf.Tensor:
        """Returns coded numbers without the scaling, rounded to multiples of 2^-12."""
        return on_grid(values * self.unit)


def integer_scaling(gains: Gains, quality: float) -> IntegerScaling:
    """Returns the scaling of a quality as arrays [depth], in decimal arithmetic, which is the same everywhere.

    Args:
      gains: The gains of the model.
      quality: The quality, 1 to `gains.count`.
    """
    # Decimal arithmetic is rounded correctly to its last digit, unlike the exponential functions of libraries.
    lower = min(int(quality) - 1, gains.count - 2)
    with decimal.localcontext(decimal.Context(prec=_DIGITS)):
        share = decimal.Decimal(quality - 1) - lower
        log_gain, log_factor = (
            [
                decimal.Decimal(float(below)) * (1 - share) + decimal.Decimal(float(above)) * share
                for below, above in zip(*np.asarray(tf.convert_to_tensor(table))[lower : lower + 2])
            ]
            for table in (gains.log_gain, gains.log_scale_factor)
        )
        columns = IntegerScaling(
            [each.exp() for each in log_gain],
            [one + other for one, other in zip(log_gain, log_factor)],
            [(-each).exp() for each in log_gain],
        )
    return IntegerScaling(*(np.array([float(each) for each in column], np.float32) for column in columns))
