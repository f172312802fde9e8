import numpy as np
import pytest
from lic.codec.integer.variable_rate import steps_of

from lic.entropy import ScaleTable
from lic.environment import tf
from lic.models.rate import Gains


@pytest.fixture(scope="module")
def gains():
    gains = Gains(5, (0.002, 0.01, 0.08))
    random = np.random.default_rng(0)
    for table in (gains.log_gain, gains.log_spread):
        table.assign(table + random.normal(0, 0.3, table.shape))
    return gains


@pytest.mark.parametrize("quality", [1.0, 1.25, 2.0, 2.99609375, 3.0])
def test_steps_are_those_of_the_gains(gains, quality):
    scales, at = ScaleTable(), tf.constant([quality])
    steps = steps_of(gains, quality, scales)
    gain, spread = (np.asarray(gains._factor(table, at))[0] for table in (gains.log_gain, gains.log_spread))
    np.testing.assert_allclose(steps.gain, gain, rtol=1e-5)
    np.testing.assert_allclose(steps.unit, 1 / gain, rtol=1e-5)
    np.testing.assert_allclose(steps.shift, np.log(gain * spread) / scales.growth, rtol=1e-4, atol=1e-4)
    assert all(each.dtype == np.float32 for each in steps)
