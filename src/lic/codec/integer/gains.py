"""The gains of a variable rate in exact steps, each of which is one rounding that IEEE 754 defines."""

from __future__ import annotations

import decimal
from typing import NamedTuple

import numpy as np

from lic.codec.integer.layers import on_grid
from lic.environment import tf
from lic.models.rate import Gains

# Each argument is given: those that are left out come from decimal.DefaultContext, which a program may change.
_DECIMALS = decimal.Context(
    prec=30,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999999,
    Emax=999999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_MEAN_FRACTION = 8  # The number of bits after the point of means that a gain has multiplied.


class IntegerGains(NamedTuple):
    """Takes the place of `ChannelGains`, with operations that every library rounds in the same way.

    Attributes:
      gain: The number that each channel is multiplied by before it is coded, in the shapes of `ChannelGains`.
      inverse: One over the gain.
      scale: The number that each channel's scales are multiplied by: gain times scale factor.
      log_scale: Its logarithm.
      output_gain: The number that each channel is multiplied by before the synthesis.
    """

    gain: tf.Tensor
    inverse: tf.Tensor
    scale: tf.Tensor
    log_scale: tf.Tensor
    output_gain: tf.Tensor

    def apply(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers multiplied by the gain, rounded to multiples of 2^-8."""
        return on_grid(values * self.gain, _MEAN_FRACTION)

    def remove(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers divided by the gain, rounded to multiples of 2^-12."""
        return on_grid(values * self.inverse)


def integer_gains(gains: Gains, quality: float) -> list[np.ndarray]:
    """Returns the fields of `IntegerGains` at a quality as arrays [depth], float32.

    Args:
      gains: The gains of the model.
      quality: The quality, 1 to `gains.count`.
    """
    # Decimal arithmetic is rounded correctly to its last digit, unlike the exponential functions of libraries.
    lower = min(int(quality) - 1, gains.count - 2)
    with decimal.localcontext(_DECIMALS):
        weight = decimal.Decimal(quality - 1) - lower
        log_gain, log_factor, log_output_gain = (
            [
                decimal.Decimal(float(below)) * (1 - weight) + decimal.Decimal(float(above)) * weight
                for below, above in zip(*np.asarray(tf.convert_to_tensor(table))[lower : lower + 2])
            ]
            for table in (gains.log_gain, gains.log_scale_factor, gains.log_output_gain)
        )
        columns = IntegerGains(
            gain=[each.exp() for each in log_gain],
            inverse=[(-each).exp() for each in log_gain],
            scale=[(one + other).exp() for one, other in zip(log_gain, log_factor)],
            log_scale=[one + other for one, other in zip(log_gain, log_factor)],
            output_gain=[each.exp() for each in log_output_gain],
        )
    return [np.array([float(each) for each in column], np.float32) for column in columns]
