import numpy as np
import pytest

from lic.entropy import EVERYTHING, Estimate, Normal
from lic.environment import tf
from lic.models.rate import Gains, SingleRate

LMBDAS = (0.002, 0.01, 0.09)


@pytest.fixture
def gains():
    """Gains of three qualities and four channels, moved off their start."""
    layer = Gains(4, LMBDAS)
    for variable in layer.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.2))
    return layer


def _rows(table):
    return np.exp(np.asarray(table))


def test_start_is_the_root_of_lmbda():
    layer, latent = Gains(2, LMBDAS), tf.random.normal((3, 2, 5, 2))
    quality = tf.constant([1.0, 2.5, 3.0])
    multiplied = layer.apply_gain(latent, quality)
    gain = np.asarray(multiplied / latent)[:, 0, 0, 0]
    assert gain[2] / gain[0] == pytest.approx((LMBDAS[2] / LMBDAS[0]) ** 0.5, rel=1e-4)
    np.testing.assert_array_equal(layer.apply_output_gain(latent, layer.gains_at(quality)), latent)


def test_each_image_has_the_vectors_of_its_quality(gains):
    latent = tf.random.normal((3, 2, 5, 4))
    multiplied = gains.apply_gain(latent, tf.constant([3.0, 1.0, 2.0]))
    finished = gains.apply_output_gain(latent, gains.gains_at(tf.constant([3.0, 1.0, 2.0])))
    for image, row in enumerate([2, 0, 1]):
        np.testing.assert_allclose(multiplied[image], latent[image] * _rows(gains.log_gain)[row], rtol=1e-5)
        np.testing.assert_allclose(finished[image], latent[image] * _rows(gains.log_output_gain)[row], rtol=1e-5)


def test_a_walk_sees_the_latent_and_codes_it_in_steps_of_its_quality(gains):
    latent, quality = tf.random.normal((3, 2, 5, 4), stddev=5), tf.constant([3.0, 1.0, 2.0])
    coder = Estimate(gains.apply_gain(latent, quality))
    coded = gains.coder(coder, gains.gains_at(quality)).code(
        EVERYTHING, Normal().of(tf.fill(latent.shape, 0.3), tf.fill(latent.shape, 40.0))
    )
    step = 1 / _rows(gains.log_gain)[[2, 0, 1]][:, None, None]
    np.testing.assert_allclose(coded, np.round((latent - 0.3) / step) * step + 0.3, atol=1e-4)
    assert np.all(np.abs(coded - latent) <= step / 2 + 1e-4)


def test_between_two_qualities_logarithms_are_interpolated(gains):
    ones = tf.ones((1, 1, 1, 4))
    expected = _rows(gains.log_gain)[1] ** 0.75 * _rows(gains.log_gain)[2] ** 0.25
    np.testing.assert_allclose(gains.apply_gain(ones, tf.constant([2.25]))[0, 0, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(gains.lmbda(tf.constant([1.5]))[0], (0.002 * 0.01) ** 0.5, rtol=1e-5)


def test_a_map_has_the_vectors_of_each_position(gains):
    quality = tf.constant([[[1.0, 2.25], [3.0, 1.5]], [[2.0, 2.0], [2.0, 1.0]]])
    latent = tf.random.normal((2, 2, 2, 4))
    multiplied = gains.apply_gain(latent, quality)
    found = gains.gains_at(quality)
    assert gains.lmbda(quality).shape == gains.emphasis(quality).shape == quality.shape
    for image, row, column in np.ndindex(*quality.shape):
        one = tf.reshape(quality[image, row, column], [1])
        alone = gains.gains_at(one)
        where = image, row, column
        np.testing.assert_allclose(multiplied[where], gains.apply_gain(latent, one)[where], rtol=1e-5)
        for field, expected in zip(found, alone):
            np.testing.assert_allclose(field[where], expected[0, 0, 0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(gains.lmbda(quality)[where], gains.lmbda(one)[0], rtol=1e-5)


def test_lmbdas_are_those_of_the_qualities(gains):
    np.testing.assert_allclose(gains.lmbda(tf.constant([1.0, 2.0, 3.0])), LMBDAS, rtol=1e-5)


@pytest.mark.parametrize(("lmbdas", "middle"), [((1, 2), 1), ((1, 2, 3), 2), (range(1, 9), 4)])
def test_the_middle_is_a_quality(lmbdas, middle):
    layer = Gains(2, lmbdas)
    assert (layer.count, layer.default) == (len(lmbdas), middle)


def test_a_single_rate_leaves_everything_as_it_is():
    rate, latent, quality = SingleRate(0.02), tf.random.normal((2, 3, 4, 5)), tf.constant([1.0, 1.0])
    coder = Estimate(latent)
    assert rate.apply_gain(latent, quality) is latent
    assert rate.apply_output_gain(latent, rate.gains_at(quality)) is latent
    assert rate.coder(coder, rate.gains_at(quality)) is coder
    assert (rate.count, rate.default) == (1, 1.0)
    np.testing.assert_array_equal(rate.qualities(2, training=True), [1, 1])
    np.testing.assert_allclose(rate.lmbda(quality), [0.02, 0.02])
    np.testing.assert_array_equal(rate.emphasis(quality), [1, 1])


@pytest.mark.parametrize("lmbda", [0, -1, float("nan"), float("inf")])
def test_one_lmbda_is_over_zero(lmbda):
    with pytest.raises(ValueError, match="CompressionModel: expected lmbda over 0, and finite. Received: lmbda="):
        SingleRate(lmbda)


def test_training_draws_qualities_from_the_first_to_the_last(gains):
    drawn = gains.qualities(2000, training=True).numpy()
    assert (drawn.min(), drawn.max()) == (1, 3)
    nearest, counts = np.unique(np.rint(drawn), return_counts=True)
    assert nearest.tolist() == [1, 2, 3]
    assert counts.min() > 600  # A third of them is 667.
    np.testing.assert_array_equal(gains.qualities(3), [2, 2, 2])


def test_gradients_reach_the_vectors_of_the_qualities_near_by_only(gains):
    quality = tf.constant([1.5])
    with tf.GradientTape() as tape:
        coder = Estimate(gains.apply_gain(tf.ones((1, 2, 2, 4)), quality), training=True)
        coded = gains.coder(coder, gains.gains_at(quality)).code(
            EVERYTHING, Normal().of(tf.fill((1, 2, 2, 4), 0.3), tf.fill((1, 2, 2, 4), 20.0))
        )
        y_hat = gains.apply_output_gain(coded, gains.gains_at(quality))
        loss = tf.reduce_sum(y_hat) + tf.reduce_sum(coder.bits["latent"])
    for gradient in tape.gradient(loss, gains.trainable_variables):
        assert list(np.any(np.asarray(tf.convert_to_tensor(gradient)) != 0, -1)) == [True, True, False]


def test_its_configuration_makes_it_again(gains):
    again = Gains.from_config(gains.get_config())
    assert (again.depth, again.lmbdas, again.compute_dtype) == (4, LMBDAS, "float32")


@pytest.mark.parametrize(
    "lmbdas", [(), (0.1,), (0.1, 0.1), (0.2, 0.1), (0.0, 0.1), (-1, 1), (0.1, float("nan")), (0.1, float("inf"))]
)
def test_lmbdas_that_do_not_rise_are_refused(lmbdas):
    with pytest.raises(ValueError, match="Gains: expected two or more finite numbers for lmbda, over 0 and rising"):
        Gains(4, lmbdas)
