import math

import numpy as np
import pytest

from lic.entropy import Normal, ScaleTable
from lic.entropy.distributions.normal import log_normal_cdf, log_one_minus_exp, normal_bits
from lic.environment import tf


def _exact_bits(value: float, deviation: float) -> float:
    """By the asymptotic or exact tail in float64, on the side where nothing cancels."""
    low, high = (abs(value) - 0.5) / deviation, (abs(value) + 0.5) / deviation
    probability = 0.5 * (math.erfc(low * 0.5**0.5) - math.erfc(high * 0.5**0.5))
    return -math.log2(probability)


@pytest.mark.parametrize("deviation", [0.11, 0.3, 1.0, 7.0, 256.0])
def test_bits_are_those_of_float64(deviation):
    values = np.array([0.0, 0.25, 0.5, 1.0, -1.0, 2.5, 3.0, -20.0 * deviation, 3.0 * deviation], np.float32)
    values = values[np.abs(values) < 30 * deviation]
    expected = [_exact_bits(float(value), deviation) for value in values]
    np.testing.assert_allclose(normal_bits(tf.constant(values), deviation), expected, rtol=1e-3, atol=1e-4)


def test_outliers_cost_what_they_cost():
    # Far out, a normal tail falls off like exp(-x^2 / 2): no floor hides it, and the gradient leads back.
    value = tf.Variable(1000.0)
    with tf.GradientTape() as tape:
        bits = normal_bits(value, 0.5)
    assert float(bits) == pytest.approx((999.5 / 0.5) ** 2 / 2 / math.log(2), rel=1e-3)
    assert float(tape.gradient(bits, value)) == pytest.approx(999.5 / 0.25 / math.log(2), rel=1e-2)


@pytest.mark.parametrize("deviation", [0.11, 1.0, 256.0])
def test_probabilities_sum_to_one(deviation):
    values = np.arange(-2000, 2001, dtype=np.float32)
    assert np.sum(2.0 ** -normal_bits(tf.constant(values), deviation).numpy().astype(np.float64)) == pytest.approx(
        1, abs=1e-4
    )


def test_gradients_are_finite_everywhere():
    values = tf.Variable(np.array([0, 0.5, -0.5, 1, 5, 50, 500, 32767, -32767], np.float32))
    index = tf.Variable(np.linspace(-10, 80, 9, dtype=np.float32))
    with tf.GradientTape() as tape:
        bits = Normal(index, ScaleTable(), rounded=False).bits(values)
    for gradient in tape.gradient(bits, [values, index]):
        assert np.isfinite(gradient).all()


def test_log_normal_cdf_meets_its_series():
    values = np.linspace(-14, 6, 81)
    expected = [math.log(0.5 * math.erfc(-value * 0.5**0.5)) for value in values]
    np.testing.assert_allclose(log_normal_cdf(tf.constant(values, "float32")), expected, rtol=2e-5, atol=1e-6)


def test_log_one_minus_exp():
    values = np.array([-1e-6, -0.1, -0.69, -0.7, -5, -50])
    expected = np.log(-np.expm1(values))
    np.testing.assert_allclose(log_one_minus_exp(tf.constant(values, "float32")), expected, rtol=1e-5, atol=1e-7)


def test_scale_table_is_geometric_from_end_to_end():
    deviations = ScaleTable().deviations()
    assert (deviations[0], deviations[-1]) == (pytest.approx(0.11), pytest.approx(256))
    np.testing.assert_allclose(np.diff(np.log(deviations)), math.log(256 / 0.11) / 63, rtol=1e-6)
    np.testing.assert_allclose(ScaleTable().deviation(tf.range(64.0)), deviations, rtol=1e-5)
    assert ScaleTable().index(deviations[17]) == pytest.approx(17)


def test_indexes_are_rounded_and_clipped():
    index = tf.constant([-3.0, 0.4, 0.6, 62.6, 99.0, float("inf"), float("-inf")])
    np.testing.assert_array_equal(ScaleTable().row(index), [0, 0, 1, 63, 63, 63, 0])
    assert 0 <= int(ScaleTable().row(tf.constant(float("nan")))) <= 63


def test_rate_in_training_sees_the_real_index():
    values, index = tf.constant([2.0]), tf.constant([20.4])
    assert Normal(index, ScaleTable(), rounded=True).bits(values) == Normal(tf.constant([20.0]), ScaleTable()).bits(
        values
    )
    assert Normal(index, ScaleTable(), rounded=False).bits(values) != Normal(index, ScaleTable()).bits(values)


def test_indexes_are_rounded_up_where_the_table_says_so():
    scales = ScaleTable(rounding="up")
    index = tf.constant([-3.0, 0.0, 0.01, 0.6, 7.0, 62.1, 99.0])
    np.testing.assert_array_equal(scales.row(index), [0, 0, 1, 1, 7, 63, 63])
    assert ScaleTable(64, 0.11, 256.0, "nearest") == ScaleTable()


def test_real_indexes_are_those_of_deviations():
    scales = ScaleTable()
    deviations = np.array([1e-9, -3.0, 0.0, 0.11, 0.5, 17.0, 256.0], np.float32)
    expected = [0, 0, 0, 0, *(scales.index(deviation) for deviation in (0.5, 17.0, 256.0))]
    np.testing.assert_allclose(scales.real_index(deviations), expected, atol=1e-4)
    # Where rounding goes up, the least difference from zero would be the next scale.
    np.testing.assert_array_equal(scales.real_index(deviations)[:4], 0)


def test_deviations_below_the_table_have_a_gradient_back_to_it():
    deviation = tf.Variable([0.01, 0.01])
    with tf.GradientTape() as tape:
        index = ScaleTable().real_index(tf.convert_to_tensor(deviation)) * [1.0, -1.0]
    np.testing.assert_array_equal(tape.gradient(index, deviation) != 0, [False, True])


@pytest.mark.parametrize("rounding", ["nearest", "up"])
def test_exact_indexes_have_the_rows_of_real_ones(rounding):
    scales = ScaleTable(rounding=rounding)
    deviations = np.exp(np.random.default_rng(0).uniform(np.log(0.01), np.log(1000), (3, 4, 50))).astype(np.float32)
    exact = scales.exact_index(tf.constant(deviations))
    assert exact.shape == deviations.shape
    np.testing.assert_array_equal(scales.row(exact), scales.row(scales.real_index(deviations)))


def test_the_usual_rounding_is_not_described():
    assert ScaleTable().described() == [64, 0.11, 256.0]
    assert ScaleTable(8, 0.5, 32.0, "up").described() == [8, 0.5, 32.0, "up"]
