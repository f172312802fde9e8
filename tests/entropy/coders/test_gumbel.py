import numpy as np
import pytest

from lic.entropy import EVERYTHING, Estimate, FactorizedPrior
from lic.entropy.coders.gumbel import GumbelCoder, softly_rounded
from lic.environment import tf
from tests.conftest import tiny_model


def test_values_lie_between_the_integers_next_to_them():
    values = tf.random.normal((1000,), stddev=3.0)
    for temperature in (0.05, 0.5, 5.0):
        soft = softly_rounded(values, tf.constant(temperature)).numpy()
        assert np.all((np.floor(values) <= soft) & (soft <= np.floor(values) + 1))


def test_cold_it_draws_integers_and_hot_it_draws_between():
    values = tf.random.normal((1000,))
    distance = [
        np.abs(soft - np.rint(soft)).mean()
        for soft in (softly_rounded(values, tf.constant(temperature)).numpy() for temperature in (0.01, 2.0))
    ]
    assert distance[0] < 0.01
    assert distance[1] > 0.1


@pytest.mark.parametrize("share", [0.3, 0.45, 0.5, 0.6])
def test_the_nearer_integer_is_drawn_more_often_as_published(share):
    temperature = 0.5
    soft = softly_rounded(tf.fill((20_000,), -2 + share), tf.constant(temperature)).numpy()
    up, down = (near ** (3 / temperature) for near in (share, 1 - share))
    assert np.mean(soft > -1.5) == pytest.approx(up / (up + down), abs=0.015)


def test_integers_stay_and_have_finite_gradients():
    values = tf.constant([-3.0, 0.0, 2.0, 1e6])
    with tf.GradientTape() as tape:
        tape.watch(values)
        soft = softly_rounded(values, tf.constant(0.1))
    np.testing.assert_allclose(soft, values, atol=1e-3)
    assert np.isfinite(tape.gradient(soft, values)).all()


def test_gradients_are_there_between_integers():
    values = tf.fill((2000,), 0.4)
    with tf.GradientTape() as tape:
        tape.watch(values)
        soft = softly_rounded(values, tf.constant(0.5))
    assert tape.gradient(soft, values).numpy().mean() > 0.1


def test_rate_and_decoder_see_the_same_numbers():
    latent = tf.random.normal((2, 3, 4, 5), stddev=3.0)
    prior = FactorizedPrior(5)
    coder = GumbelCoder(latent, {}, tf.constant(0.5))
    decoded = coder.code(EVERYTHING, prior)
    np.testing.assert_allclose(coder.bits["latent"], np.sum(prior.bits_between_integers(decoded), (1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("entropy", ["charm", "checkerboard", "factorized", "hyperprior", "space-channel"])
def test_cold_it_is_rounding_of_numbers_that_are_clearly_nearer_to_one_integer(entropy):
    predicts = entropy in ("charm", "checkerboard", "hyperprior")
    model = tiny_model("klt", entropy, **{"residual": False} if predicts else {}).entropy
    sides = {model.hyper: tf.round(tf.random.normal((1, 1, 2, 4), stddev=3.0)) + 0.1} if model.hyper else {}
    # A first walk finds the means, about which the latent then is an integer and a tenth.
    first = GumbelCoder(tf.random.normal((1, 3, 5, 12), stddev=3.0), sides, tf.constant(0.01))
    latent = model.walk(first) + 0.1
    rounding = Estimate(latent, training=True, quantization="ste/ste", sides=sides)
    expected, soft = model.walk(rounding), GumbelCoder(latent, sides, tf.constant(0.01))
    np.testing.assert_allclose(model.walk(soft), expected, atol=1e-3)
    assert soft.bits.keys() == rounding.bits.keys()
    for part, bits in rounding.bits.items():
        np.testing.assert_allclose(soft.bits[part], bits, rtol=1e-2)
