import numpy as np
import pytest

from lic.entropy import FactorizedPrior
from lic.environment import tf
from tests.conftest import assert_near


def _spread(prior):
    """Moves the prior's weights away from where they start."""
    for variable in prior.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.5))
    return prior


def test_equals_tensorflow_compression():
    tfc = pytest.importorskip("tensorflow_compression", reason="the whole package is there for TensorFlow 2.14 only")
    ours, theirs = _spread(FactorizedPrior(6)), tfc.NoisyDeepFactorized(batch_shape=(6,))
    base = theirs.base
    for own, their in zip(
        ours.matrices + ours.biases + ours.factors, base._matrices + base._biases + base._factors, strict=True
    ):
        their.assign(own)
    values = tf.random.normal((3, 4, 5, 6)) * 8
    expected = -theirs.log_prob(values) / np.log(2)
    inside = expected < 20  # Further out their probability is cut off.
    assert_near(tf.boolean_mask(ours.bits(values), inside), tf.boolean_mask(expected, inside), 2e-6)


def test_starts_as_theirs_does():
    tfc = pytest.importorskip("tensorflow_compression", reason="the whole package is there for TensorFlow 2.14 only")
    theirs = tfc.NoisyDeepFactorized(batch_shape=(6,)).base
    ours = FactorizedPrior(6)
    for own, their in zip(ours.matrices + ours.factors, theirs._matrices + theirs._factors, strict=True):
        assert_near(own, their, 1e-6) if np.any(their) else np.testing.assert_array_equal(own, their)


def test_cumulative_rises_and_probabilities_sum_to_one():
    prior = _spread(FactorizedPrior(4))
    values = np.tile(np.arange(-3000, 3001, dtype=np.float32)[:, None], (1, 4))
    logits = prior(values).numpy()
    assert (np.diff(logits, axis=0) >= 0).all()
    probabilities = 2.0 ** -prior.bits(values).numpy().astype(np.float64)
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-3)


def test_numpy_and_tensorflow_agree():
    prior = _spread(FactorizedPrior(4))
    values = np.linspace(-30, 30, 61, dtype=np.float32)
    expected = prior(np.tile(values[:, None], (1, 4))).numpy().T
    assert_near(prior._logits_in_float64(np.tile(values.astype(np.float64), (4, 1))), expected, 1e-5)


def test_far_out_the_rate_is_finite_and_has_a_gradient():
    prior, values = FactorizedPrior(2), tf.Variable([[32767.0, -32767.0]])
    with tf.GradientTape() as tape:
        bits = prior.bits(values)
    assert np.isfinite(bits).all()
    gradient = tape.gradient(bits, values).numpy()[0]
    assert gradient[0] > 0 > gradient[1]


def test_values_are_differences_from_the_medians():
    plain, moved = _spread(FactorizedPrior(3, filters=(3, 3, 3))), FactorizedPrior(3, filters=(3, 3, 3), medians=True)
    medians = np.array([0.3, -2.7, 40.0], np.float32)
    for group in ("matrices", "biases", "factors"):
        for own, other in zip(getattr(moved, group), getattr(plain, group), strict=True):
            own.assign(other)
    moved.medians.assign(medians)
    values = np.random.default_rng(0).normal(0, 5, (2, 4, 3)).astype(np.float32)
    assert_near(moved.bits(values), plain.bits(values + medians), 1e-5)
    assert_near(
        moved._logits_in_float64(values[0].T.astype(float)), plain._logits_in_float64((values[0] + medians).T), 1e-6
    )
    np.testing.assert_allclose(moved.restore(moved.centre(values)), values, rtol=1e-5, atol=1e-5)


def test_training_moves_medians_to_one_half_of_the_cdf():
    prior = FactorizedPrior(4, medians=True)
    for matrix in prior.matrices[:1]:
        matrix.assign(matrix + np.array([0.0, 0.5, 1.0, 1.5], np.float32)[:, None, None])
    prior.biases[-1].assign(np.array([-1.0, 0.5, 2.0, 0.0], np.float32)[:, None, None])
    for step in range(120):
        with tf.GradientTape() as tape:
            loss = prior.training_loss()
        assert float(loss) == 0
        gradients = tape.gradient(loss, prior.trainable_variables)
        for variable, gradient in zip(prior.trainable_variables, gradients, strict=True):
            if "medians" in variable.name:
                variable.assign_sub(2 * 0.93**step * tf.sign(gradient))
            else:
                assert gradient is None or not np.any(gradient)
    np.testing.assert_allclose(prior(np.zeros((1, 4), np.float32)), 0, atol=0.02)
    assert np.abs(prior.medians).max() > 0.5


def test_without_medians_there_is_no_loss_of_its_own():
    prior = FactorizedPrior(2)
    assert prior.training_loss() is None
    assert not any("medians" in variable.name for variable in prior.trainable_variables)
