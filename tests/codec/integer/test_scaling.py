import fractions

import numpy as np
import pytest

from lic.codec.integer.scaling import IntegerScaling, integer_scaling
from lic.environment import tf
from lic.models.rate import Gains


@pytest.fixture(scope="module")
def gains():
    gains = Gains(5, (0.002, 0.01, 0.08))
    random = np.random.default_rng(0)
    for table in (gains.log_gain, gains.log_scale_factor):
        table.assign(table + random.normal(0, 0.3, table.shape))
    return gains


@pytest.mark.parametrize("quality", [1.0, 1.25, 2.0, 2.99609375, 3.0])
def test_it_is_near_the_scaling_in_floats(gains, quality):
    scaling, floats = integer_scaling(gains, quality), gains.scaling(tf.constant([quality]))
    np.testing.assert_allclose(scaling.gain, floats.gain[0], rtol=1e-5)
    np.testing.assert_allclose(scaling.unit, 1 / floats.gain[0], rtol=1e-5)
    np.testing.assert_allclose(scaling.log_scale, floats.log_scale[0], rtol=1e-4, atol=1e-4)
    assert all(each.dtype == np.float32 for each in scaling)


def test_numbers_are_scaled_by_one_rounding_each():
    gain, unit = np.float32(1.7), np.float32(0.59)
    scaling = IntegerScaling(tf.constant(gain), tf.constant(0.0), tf.constant(unit))
    values = np.random.default_rng(0).normal(0, 50, 1000).astype(np.float32)
    for found, factor, fraction in ((scaling.scale(values), gain, 8), (scaling.unscale(values), unit, 12)):
        for value, result in zip(values, np.asarray(found)):
            product = np.float32(fractions.Fraction(float(value)) * fractions.Fraction(float(factor)))
            assert result == np.rint(product * np.float32(2.0**fraction)) * np.float32(2.0**-fraction)
