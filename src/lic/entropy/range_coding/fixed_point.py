"""Mixtures of normal distributions in whole numbers, from which the coder in numba counts each number's symbols.

No table can hold the cdfs of mixtures: each number has one of its own. So encoder and decoder compute its counts from
whole numbers, which are the same on every machine. The distribution of a number is a row of int32: its first symbol,
the number of its symbols, and for each normal its weight, its mean, and the steps of `normal_cdf` in a step of the
number. The counts are computed in `lic.entropy.range_coding.numba_coder`.

The constants here are made in decimal arithmetic, which rounds its last digit correctly, unlike the exponential
functions of libraries.
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Iterable, Iterator

import numpy as np

# Places in a row; after these two there are three numbers for each normal.
FIRST, LENGTH, NORMALS = 0, 1, 2
# Weights sum to 2^16, means are in 256ths, and steps of the table for a step of a number have 12 bits after the point.
WEIGHT_BITS, MEAN_BITS, SLOPE_BITS = 16, 8, 12
CDF_BITS = 24
STEPS = 128  # Steps of the table in a deviation.
FARTHEST = 8  # Deviations to the table's ends.
REACH = decimal.Decimal("4.5")
# Means are below 2^24. So their products with slopes are far from 2^63, and their sums with reaches from 2^31.
_STEEPEST, _FARTHEST_REACH = 1 << 30, 1 << 24
_DIGITS = 40
_PI = decimal.Decimal("3.14159265358979323846264338327950288419716939937510582097494")


@functools.cache
def normal_cdf() -> np.ndarray:
    """Returns the distribution function of the normal distribution from -8 to 8 in steps of 1/128, in 2^-24ths, int64.

    Source: the series of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.11.
    """
    with decimal.localcontext(decimal.Context(prec=_DIGITS)):
        least, density = decimal.Decimal(10) ** -_DIGITS, 1 / (2 * _PI).sqrt()
        upper = []
        for step in range(FARTHEST * STEPS + 1):
            value = decimal.Decimal(step) / STEPS
            square, term, total, odd = value * value, value, value, 1
            while term > least:
                odd += 2
                term = term * square / odd
                total += term
            half = total * density * (-square / 2).exp()
            upper.append(int((half * (1 << CDF_BITS)).to_integral_value()))
    upper = np.array(upper, np.int64)
    middle = 1 << (CDF_BITS - 1)
    return np.concatenate([middle - upper[:0:-1], middle + upper])


@functools.cache
def exponentials(count: int, steps: int, bits: int) -> np.ndarray:
    """Returns exp(-i / steps) for i below a count, in 2^-bits-ths, int64."""
    with decimal.localcontext(decimal.Context(prec=_DIGITS)):
        values = [(-decimal.Decimal(number) / steps).exp() * (1 << bits) for number in range(count)]
        return np.array([int(value.to_integral_value()) for value in values], np.int64)


@functools.cache
def slopes(count: int, lowest: float, highest: float) -> np.ndarray:
    """Returns the steps of `normal_cdf` in a step of a number, for each scale of a geometric table, int32.

    Args:
      count: Number of scales.
      lowest: The first scale.
      highest: The last scale.
    """
    return _whole((STEPS * (1 << SLOPE_BITS) / scale for scale in _scales(count, lowest, highest)), _STEEPEST)


@functools.cache
def reaches(count: int, lowest: float, highest: float) -> np.ndarray:
    """Returns how far from a mean symbols have a count of their own, for each scale of a geometric table, int32.

    It is 4.5 deviations, in the unit of means; 0.0007 % of a normal are farther away. See `slopes` for the arguments.
    """
    return _whole((REACH * (1 << MEAN_BITS) * scale for scale in _scales(count, lowest, highest)), _FARTHEST_REACH)


def _scales(count: int, lowest: float, highest: float) -> Iterator[decimal.Decimal]:
    with decimal.localcontext(decimal.Context(prec=_DIGITS)):
        first, last = decimal.Decimal(lowest).ln(), decimal.Decimal(highest).ln()
        for row in range(count):
            yield (first + (last - first) * row / (count - 1)).exp()


def _whole(values: Iterable[decimal.Decimal], most: int) -> np.ndarray:
    return np.array([min(int(value.to_integral_value()), most) for value in values], np.int32)
