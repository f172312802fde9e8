import decimal
import fractions

import numpy as np
import pytest

from lic.codec.integer.gains import IntegerGains, integer_gains
from lic.environment import tf
from lic.models.rate import Gains


@pytest.fixture(scope="module")
def gains():
    gains = Gains(5, (0.002, 0.01, 0.08))
    random = np.random.default_rng(0)
    for table in gains.trainable_variables:
        table.assign(table + random.normal(0, 0.3, table.shape))
    return gains


@pytest.mark.parametrize("quality", [1.0, 1.25, 2.0, 2.99609375, 3.0])
def test_they_are_near_the_gains_in_floats(gains, quality):
    found, floats = IntegerGains(*integer_gains(gains, quality)), gains.gains_at(tf.constant([quality]))
    np.testing.assert_allclose(found.gain, floats.gain[0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(found.inverse, 1 / floats.gain[0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(found.scale, floats.scale[0, 0, 0], rtol=1e-4)
    np.testing.assert_allclose(found.log_scale, floats.log_scale[0, 0, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.output_gain, floats.output_gain[0, 0, 0], rtol=1e-5)
    assert all(each.dtype == np.float32 for each in found)


def test_they_do_not_depend_on_how_a_program_sets_up_decimals(gains, monkeypatch):
    expected = integer_gains(gains, 1.25)
    monkeypatch.setitem(decimal.DefaultContext.traps, decimal.Inexact, True)
    np.testing.assert_array_equal(integer_gains(gains, 1.25), expected)


def test_gains_are_applied_and_removed_by_one_rounding_each():
    gain, inverse = np.float32(1.7), np.float32(0.59)
    gains = IntegerGains(tf.constant(gain), tf.constant(inverse), tf.constant(1.0), tf.constant(0.0), tf.constant(1.0))
    values = np.random.default_rng(0).normal(0, 50, 1000).astype(np.float32)
    for found, factor, fraction in ((gains.apply(values), gain, 8), (gains.remove(values), inverse, 12)):
        for value, result in zip(values, np.asarray(found)):
            product = np.float32(fractions.Fraction(float(value)) * fractions.Fraction(float(factor)))
            assert result == np.rint(product * np.float32(2.0**fraction)) * np.float32(2.0**-fraction)
