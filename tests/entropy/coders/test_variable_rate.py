import numpy as np
import pytest

import lic
from lic.entropy import Estimate, FactorizedPrior, Normal, ScaleTable
from lic.entropy.coders import VariableRateCoder
from lic.entropy.distributions import ChannelGains
from lic.entropy.parts import anchors, channels
from lic.environment import tf

SCALES = ScaleTable()
# [batch, 1, 1, depth]
GAIN = tf.constant([[0.5, 2.0, 4.0], [1.0, 3.0, 0.25]])[:, None, None]
FACTOR = tf.constant([[1.0, 1.5, 0.7], [1.2, 1.0, 1.0]])[:, None, None]


@pytest.fixture
def latent():
    return tf.random.normal((2, 3, 4, 3), stddev=6.0)


def _both(latent):
    coder = Estimate(latent * GAIN)
    gains = ChannelGains(GAIN, GAIN * FACTOR, tf.math.log(GAIN * FACTOR), output_gain=tf.ones_like(GAIN))
    return coder, VariableRateCoder(coder, gains)


@pytest.mark.parametrize("part", [channels(0, 3), channels(1, 2), anchors()], ids=lambda part: part.name)
def test_numbers_are_coded_in_steps_under_a_scale_as_much_finer(latent, part):
    coder, gained = _both(latent)
    mean, index = part.take(tf.random.normal(latent.shape)), part.take(tf.fill(latent.shape, 30.0))
    gain, factor = (part.take(tf.zeros_like(latent) + each) for each in (GAIN, FACTOR))
    symbols = tf.round((part.take(latent) - mean) * gain)
    np.testing.assert_allclose(gained.code(part, Normal().of(mean, index)), mean + symbols / gain, atol=1e-4)
    scale = SCALES.scale_at(index) * gain * factor
    moved = tf.constant(np.rint(np.log(scale / SCALES.lowest) / SCALES.log_step))
    bits = tf.reduce_sum(Normal().of(mean, moved).bits(symbols), (1, 2, 3))
    np.testing.assert_allclose(coder.bits[part.name], bits, rtol=1e-4)


def test_the_hyper_analysis_sees_the_latent_unscaled(latent):
    hyper = lic.registry.hyper_transforms.get("conv")(latent_depth=3, hyper_width=4, side_depth=2, features=4)
    prior = FactorizedPrior(2)
    coder, gained = _both(latent)
    features = gained.side(hyper, prior)
    plain = Estimate(latent)
    np.testing.assert_allclose(features, plain.side(hyper, prior), atol=1e-5)
    np.testing.assert_array_equal(gained.z_hat, plain.z_hat)
    np.testing.assert_allclose(coder.bits["side"], plain.bits["side"], rtol=1e-5)


def test_gains_of_one_change_nothing(latent):
    model = lic.create_model(transform="klt", entropy="charm", width=4, latent_depth=6, num_slices=2)
    latent = tf.random.normal((1, 4, 4, 6), stddev=3.0)
    plain = model.entropy(latent)
    one, zero = tf.ones((1, 1, 1, 6)), tf.zeros((1, 1, 1, 6))
    gains = ChannelGains(one, scale=one, log_scale=zero, output_gain=one)
    through = model.entropy(latent, walk=lambda coder: model.entropy.walk(VariableRateCoder(coder, gains)))
    np.testing.assert_array_equal(through.y_hat, plain.y_hat)
    for name, bits in plain.bits.items():
        np.testing.assert_array_equal(through.bits[name], bits)
