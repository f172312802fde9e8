import numpy as np
import pytest

from lic.entropy import EVERYTHING, Estimate, LearntPrior, Scales
from lic.environment import tf

LATENT = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32) * 3


def _normal(coder):
    mean = tf.fill(LATENT.shape, 0.3)
    return coder.normal(EVERYTHING, mean, tf.fill(LATENT.shape, 20.0))


def test_a_part_comes_back_rounded_about_its_mean():
    np.testing.assert_allclose(_normal(Estimate(LATENT, Scales())), np.rint(LATENT - 0.3) + 0.3, atol=1e-6)


def test_learnt_parts_come_back_rounded():
    np.testing.assert_array_equal(Estimate(LATENT, Scales()).learnt(EVERYTHING, LearntPrior(5)), np.rint(LATENT))


def test_bits_are_one_number_an_image_and_parts_of_one_name_add_up():
    coder = Estimate(LATENT, Scales())
    _normal(coder)
    once = coder.bits["latent"]
    assert once.shape == (2,)
    _normal(coder)
    np.testing.assert_allclose(coder.bits["latent"], 2 * once, rtol=1e-6)


@pytest.mark.parametrize(("quantization", "spread"), [("noise/ste", 0.3), ("noise/noise", 0.3), ("ste/ste", 0.0)])
def test_the_rate_in_training(quantization, spread):
    rates = []
    for _ in range(20):
        coder = Estimate(LATENT, Scales(), training=True, quantization=quantization)
        _normal(coder)
        rates.append(coder.bits["latent"].numpy())
    # Threads may add up in another order: that is the noise of a last bit, not of a draw.
    assert (np.std(rates, 0) > spread).all() if spread else np.std(rates, 0).max() < 1e-3


def test_noise_is_uniform_within_half_a_step():
    latent = np.zeros((1, 64, 64, 4), np.float32)
    coder = Estimate(latent, Scales(), training=True, quantization="noise/noise")
    noise = coder.normal(EVERYTHING, tf.zeros(latent.shape), tf.zeros(latent.shape)).numpy()
    assert np.abs(noise).max() <= 0.5
    assert noise.std() == pytest.approx(1 / 12**0.5, rel=0.02)


def test_straight_through_has_a_gradient_of_one():
    latent = tf.Variable(LATENT)
    with tf.GradientTape() as tape:
        decoded = _normal(Estimate(tf.convert_to_tensor(latent), Scales(), training=True))
    np.testing.assert_array_equal(tape.gradient(decoded, latent), np.ones_like(LATENT))
