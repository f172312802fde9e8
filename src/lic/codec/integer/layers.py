"""Layers in whole numbers, whose sums are the same on every machine and in every order.

A single scale index that differs makes a stream undecodable. Floating-point sums depend on their order, and so on
processor, library and number of threads. Sums of whole numbers do not depend on it while every partial sum stays below
2^24, because float32 holds each of these numbers exactly.

So the inputs of a convolution are rounded to multiples of a power of two, one for each channel, and its kernels to
whole numbers, in one unit for each filter. Both are so small that no sum can reach 2^24. The operations between
convolutions (ReLU, joining, adding two tensors, rounding) are exact, or are one rounding that IEEE 754 defines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lic.environment import tf
from lic.errors import CheckpointError
from lic.layers.convolution import Convolution

SCOPE = "lic.integer"  # The audit trusts sums in this name scope, because `IntegerConvolution` proves them exact.
LARGEST_SUM = 2**24 - 1  # All whole numbers up to here are exact in float32.
LARGEST_WEIGHT = 2**10  # TF32, which GPUs may compute in, holds such weights exactly.
FRACTION = 12  # The results of layers have this many bits after the point.
_REACH = 2.0 ** (23 - FRACTION)
_TANH_STEP, _TANH_END = 64, 4 * 64


class Units(NamedTuple):
    """The powers of two that a convolution is computed in.

    Attributes:
      input_bits: Each input channel is rounded to multiples of 2^-input_bits; int8 [input channels].
      output_bits: The sums of each filter are multiples of 2^-output_bits; int8 [filters].
      levels: Largest magnitude of a rounded input, in its unit; larger ones are clipped.
    """

    input_bits: np.ndarray
    output_bits: np.ndarray
    levels: int


def on_grid(values: tf.Tensor, fraction: int = FRACTION) -> tf.Tensor:
    """Rounds values to multiples of 2 to the power of minus `fraction`."""
    return tf.round(values * 2.0**fraction) * 2.0**-fraction


def choose_units(layer: Convolution, largest: np.ndarray, levels: int) -> Units:
    """Returns the finest units in which no sum can exceed `LARGEST_SUM`.

    Args:
      layer: The convolution.
      largest: The largest magnitude of each input channel that is not clipped [inputs].
      levels: Largest magnitude of a rounded input.
    """
    largest = np.maximum(largest, levels * 2.0**-FRACTION)
    input_bits = np.clip(np.floor(np.log2(levels / largest)), -FRACTION, FRACTION).astype(np.int8)
    # Coarser outputs make kernels smaller, until no filter's largest possible sum exceeds `LARGEST_SUM`.
    output_bits = np.full(layer.filters, 30)
    while True:
        over = _too_large(*_whole(layer, Units(input_bits, output_bits, levels)), levels)
        if not over.any():
            return Units(input_bits, output_bits.astype(np.int8), levels)
        output_bits = output_bits - over


class IntegerConvolution:
    """Computes a convolution in whole numbers, and then the activation of its layer.

    Args:
      layer: The convolution.
      units: Its units.

    Raises:
      CheckpointError: Sums could exceed `LARGEST_SUM` in these units.
    """

    def __init__(self, layer: Convolution, units: Units):
        self._layer, self._units = layer, units
        if units.input_bits.shape != layer.derive()[0].shape[-2:-1]:
            raise CheckpointError(
                f"The units of the convolution {layer.name!r} are of another one. Get the codec anew."
            )
        self._kernels, self._bias = _whole(layer, units)
        if _too_large(self._kernels, self._bias, units.levels).any():
            raise CheckpointError(
                f"The units of the convolution {layer.name!r} allow sums over 2^24, which are not exact. "
                "Get the codec anew, or make it again with deterministic=True."
            )

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Convolves values [batch, height, width, channels] to multiples of 2 to the power of minus `FRACTION`."""
        levels = float(self._units.levels)
        # The activation stays outside the scope, so that it is audited like any other operation.
        with tf.name_scope(SCOPE):
            whole = tf.clip_by_value(tf.round(values * _powers(self._units.input_bits)), -levels, levels)
            kernels = [tf.constant(kernel, tf.float32) for kernel in self._kernels]
            sums = self._layer.correlate(whole, kernels, tf.constant(self._bias, tf.float32), tf.identity)
        # Within +-2^11, float32 holds every multiple of 2^-12.
        small = tf.clip_by_value(sums * _powers(-self._units.output_bits), -_REACH, _REACH)
        return on_grid(self._layer.activation(small))


def integer_half_tanh(values: tf.Tensor) -> tf.Tensor:
    """Returns tanh(values) / 2 from a table, to 1/128 and as multiples of 2 to the power of minus `FRACTION`."""
    place = tf.clip_by_value(tf.round(values * _TANH_STEP), -_TANH_END, _TANH_END)
    return tf.gather(_half_tanh_table(), tf.cast(place, tf.int32) + _TANH_END)


def _half_tanh_table() -> np.ndarray:
    # No entry lies near the middle between two multiples, so every library rounds it to the same one.
    values = [0.5 * math.tanh(place / _TANH_STEP) for place in range(-_TANH_END, _TANH_END + 1)]
    return (np.rint(np.array(values) * 2.0**FRACTION) * 2.0**-FRACTION).astype(np.float32)


def _powers(exponents: np.ndarray) -> np.ndarray:
    return np.ldexp(np.float32(1), exponents.astype(np.int32))


def _whole(layer: Convolution, units: Units) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns kernels and bias as whole numbers, in float64."""
    output_bits = units.output_bits.astype(np.float64)
    kernels = []
    for kernel in layer.derive():
        # A kernel of an upsampling convolution may hold the filters of several phases one after the other.
        columns = np.tile(output_bits, kernel.shape[-1] // layer.filters)
        unit = np.exp2(columns - units.input_bits[:, None].astype(np.float64))
        kernels.append(np.rint(np.asarray(kernel, np.float64) * unit))
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(layer.filters)
    return kernels, np.rint(bias * np.exp2(output_bits))


def _too_large(kernels: list[np.ndarray], bias: np.ndarray, levels: int) -> np.ndarray:
    """Returns, for each filter, whether a sum or a weight could exceed what float32 or TF32 holds exactly."""

    def largest(measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        columns = [measure(np.abs(kernel)).reshape(-1, len(bias)) for kernel in kernels]
        return np.concatenate(columns).max(0)

    sums = levels * largest(lambda kernel: kernel.sum((0, 1, 2))) + np.abs(bias)
    # A comparison with NaN is false, so that sums that are no numbers are too large as well.
    return ~((sums <= LARGEST_SUM) & (largest(lambda kernel: kernel.max((0, 1, 2))) <= LARGEST_WEIGHT))
