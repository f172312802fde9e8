import numpy as np
import pytest

from lic.entropy import EVERYTHING, Decode, Encode, Estimate, FactorizedPrior, Normal
from lic.entropy.coders import GumbelCoder, Preview
from lic.environment import tf
from tests.conftest import tiny_model

LATENT = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32) * 3


def _normal(coder):
    mean = tf.fill(LATENT.shape, 0.3)
    return coder.code(EVERYTHING, Normal().of(mean, tf.fill(LATENT.shape, 20.0)))


def test_a_part_comes_back_rounded_about_its_mean():
    np.testing.assert_allclose(_normal(Estimate(LATENT)), np.rint(LATENT - 0.3) + 0.3, atol=1e-6)


def test_parts_under_a_prior_come_back_rounded():
    np.testing.assert_array_equal(Estimate(LATENT).code(EVERYTHING, FactorizedPrior(5)), np.rint(LATENT))


def test_bits_are_one_number_an_image_and_parts_of_one_name_add_up():
    coder = Estimate(LATENT)
    _normal(coder)
    once = coder.bits["latent"]
    assert once.shape == (2,)
    _normal(coder)
    np.testing.assert_allclose(coder.bits["latent"], 2 * once, rtol=1e-6)


@pytest.mark.parametrize(("quantization", "spread"), [("noise/ste", 0.3), ("noise/noise", 0.3), ("ste/ste", 0.0)])
def test_the_rate_in_training(quantization, spread):
    rates = []
    for _ in range(20):
        coder = Estimate(LATENT, training=True, quantization=quantization)
        _normal(coder)
        rates.append(coder.bits["latent"].numpy())
    # Threads may add up in another order: that is the noise of a last bit, not of a draw.
    assert (np.std(rates, 0) > spread).all() if spread else np.std(rates, 0).max() < 1e-3


def test_noise_is_uniform_within_half_a_step():
    latent = np.zeros((1, 64, 64, 4), np.float32)
    coder = Estimate(latent, training=True, quantization="noise/noise")
    noise = coder.code(EVERYTHING, Normal().of(tf.zeros(latent.shape), tf.zeros(latent.shape))).numpy()
    assert np.abs(noise).max() <= 0.5
    assert noise.std() == pytest.approx(1 / 12**0.5, rel=0.02)


def test_straight_through_has_a_gradient_of_one():
    latent = tf.Variable(LATENT)
    with tf.GradientTape() as tape:
        decoded = _normal(Estimate(tf.convert_to_tensor(latent), training=True))
    np.testing.assert_array_equal(tape.gradient(decoded, latent), np.ones_like(LATENT))


def test_numbers_are_rounded_from_the_medians_in_every_coder():
    entropy = tiny_model("conv", "factorized", prior_medians=True).entropy
    medians = np.linspace(-1.2, 30.3, entropy.latent_depth).astype(np.float32)
    entropy.prior.medians.assign(medians)
    latent = np.random.default_rng(0).normal(medians, 3, (1, 5, 4, entropy.latent_depth)).astype(np.float32)
    expected = np.rint(latent - medians) + medians
    np.testing.assert_allclose(entropy(latent).y_hat, expected, atol=1e-5)
    tables = entropy.make_tables()
    encoder = Encode(tf.constant(latent), tables)
    np.testing.assert_allclose(entropy.walk(encoder), expected, atol=1e-5)
    string = encoder.finish().string
    zeros = tf.zeros(latent.shape)
    np.testing.assert_allclose(entropy.walk(Decode(string, zeros, tables)), expected, atol=1e-5)
    # Numbers that a preview does not read are at the middle of their cdf, which is centred on the median.
    preview = entropy.walk(Preview(string, zeros, tables, 0))
    np.testing.assert_allclose(preview[0, 0, 0] - medians, tables.medians(), atol=1e-5)
    relaxed = entropy.walk(GumbelCoder(tf.constant(latent), {}, tf.constant(1e-3)))
    np.testing.assert_allclose(np.rint(relaxed - medians), relaxed - medians, atol=1e-3)
