"""Convolutions in whole numbers: their sums are exact, and near those in floats."""

import math

import numpy as np
import pytest

from lic.codec.integer.layers import (
    FRACTION,
    LARGEST_SUM,
    LARGEST_WEIGHT,
    IntegerConvolution,
    _half_tanh_table,
    _whole,
    choose_units,
    integer_half_tanh,
    on_grid,
)
from lic.entropy.checkerboard import CheckerboardContext
from lic.entropy.residual import HalfTanh
from lic.environment import tf
from lic.errors import CheckpointError
from lic.layers import Convolution

LAYERS = {
    "3x3": lambda: Convolution(6, 3, activation="relu"),
    "5x5 up": lambda: Convolution(5, 5, up=2, activation="relu"),
    "3x3 up, wide": lambda: Convolution(20, 3, up=2),
    "1x1": lambda: Convolution(7, 1, bias_initializer="ones"),
    "down": lambda: Convolution(6, 5, down=2, bias=False),
    "masked": lambda: CheckerboardContext(8, 5),
    "leaky": lambda: Convolution(4, 3, activation="leaky_relu"),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    made = LAYERS[request.param]()
    made(_values())
    return made


def _values(spread=4.0, seed=0, size=(9, 11)):
    random = np.random.default_rng(seed)
    # Channels of very different size, as latents have them.
    return tf.constant(random.normal(0, spread, (1, *size, 6)) * np.exp2([0, -3, 4, 1, -6, 2]), tf.float32)


def _units(layer, levels=255):
    return choose_units(layer, np.abs(_values()).max((0, 1, 2)), levels)


@pytest.mark.parametrize("levels", [127, 255, 1023])
def test_no_sum_can_leave_the_range_and_units_are_the_finest(layer, levels):
    units = _units(layer, levels)
    kernels, bias = _whole(layer, units)
    for kernel in kernels:
        assert np.array_equal(kernel, np.rint(kernel))
        assert np.abs(kernel).max() <= LARGEST_WEIGHT
        sums = levels * np.abs(kernel).sum((0, 1, 2)).reshape(-1, layer.filters) + np.abs(bias)
        assert sums.max() <= LARGEST_SUM
    finer = units._replace(output_bits=units.output_bits + 1)
    with pytest.raises(CheckpointError, match=r"allow sums over 2\^24"):
        IntegerConvolution(layer, finer)


def test_it_is_near_the_convolution_in_floats(layer):
    values = _values()
    exact, real = IntegerConvolution(layer, _units(layer, 1023))(values), layer(values)
    assert exact.shape == real.shape
    assert np.abs(exact - real).max() <= 0.02 * np.abs(real).max()


def test_it_equals_whole_numbers_in_any_order(layer):
    values, units = _values(), _units(layer)
    whole = np.clip(np.rint(values * np.exp2(units.input_bits)), -255, 255)
    kernels, bias = _whole(layer, units)
    # In float64 and from back to front: the same sums in another order and by another routine.
    sums = layer.correlate(
        tf.constant(whole, tf.float64), [tf.constant(kernel, tf.float64) for kernel in kernels], None, tf.identity
    )
    sums = np.asarray(sums) + bias
    expected = np.asarray(layer.activation(tf.constant(sums * np.exp2(-units.output_bits.astype(float)), tf.float32)))
    expected = np.rint(expected * 2.0**FRACTION) / 2.0**FRACTION
    np.testing.assert_array_equal(IntegerConvolution(layer, units)(values), expected)


def test_results_lie_on_the_grid(layer):
    result = np.asarray(IntegerConvolution(layer, _units(layer))(_values()), np.float64) * 2.0**FRACTION
    np.testing.assert_array_equal(result, np.rint(result))


def test_larger_inputs_are_clipped():
    layer = LAYERS["1x1"]()
    layer(_values())
    exact = IntegerConvolution(layer, _units(layer))
    np.testing.assert_array_equal(exact(_values() * 1e6), exact(_values() * 1e5))


def test_inputs_that_were_never_met_have_units_too():
    layer = LAYERS["3x3"]()
    layer(_values())
    units = choose_units(layer, np.zeros(6), 255)
    assert (units.input_bits == FRACTION).all()
    assert np.isfinite(IntegerConvolution(layer, units)(_values())).all()


def test_units_of_a_network_of_zeros_are_found():
    layer = Convolution(3, 3, kernel_initializer="zeros")
    layer(_values())
    assert not np.any(IntegerConvolution(layer, _units(layer))(_values()))


def test_half_tanh_is_near_and_on_the_grid():
    values = tf.constant(np.linspace(-9, 9, 5001), tf.float32)
    exact = np.asarray(integer_half_tanh(values))
    assert np.abs(exact - HalfTanh()(values)).max() < 1 / 128
    np.testing.assert_array_equal(exact * 2.0**FRACTION, np.rint(exact * 2.0**FRACTION))


def test_no_entry_of_its_table_is_near_the_middle_between_two():
    count = len(_half_tanh_table())
    exact = [0.5 * math.tanh(place / 64) * 2**FRACTION for place in range(-(count // 2), count // 2 + 1)]
    assert min(abs(abs(value - math.floor(value)) - 0.5) for value in exact) > 1e-9


def test_the_grid():
    np.testing.assert_array_equal(on_grid(tf.constant([0.3, -0.3, 1.0]), 1), [0.5, -0.5, 1.0])
