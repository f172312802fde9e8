"""Generalized normal distributions: of one shape, and with a learnt shape for each channel."""

import copy
import pickle

import numpy as np
import pytest
import scipy.special
import scipy.stats

import lic
from lic.entropy import (
    EVERYTHING,
    CdfTables,
    Estimate,
    GeneralizedNormal,
    GeneralizedNormalPerChannel,
    Laplace,
    Normal,
    ScaleTable,
    anchors,
    channels,
    union,
    within,
)
from lic.entropy.distributions import ChannelGains
from lic.entropy.distributions.generalized_normal import log_cdf, upper_gamma
from lic.environment import tf
from lic.testing import check_likelihood
from tests.conftest import random_images, tiny_model

SHAPES = (0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0)
FEW = (5, 0.6, 2.5)


def of(shape):
    """The distribution of SciPy with a deviation of one."""
    return scipy.stats.gennorm(shape, scale=1 / scipy.stats.gennorm(shape).std())


@pytest.mark.parametrize("order", [0.25, 1 / 3, 0.5, 1.0, 2.0])
def test_upper_gamma_is_that_of_scipy(order):
    values = np.geomspace(1e-12, 700, 500)
    np.testing.assert_allclose(upper_gamma(order, values), scipy.special.gammaincc(order, values), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_cdf_is_that_of_float64(shape):
    values = np.concatenate([np.linspace(-30, 6, 400), [-1e-9, 0, 1e-9]])
    expected = of(shape).logcdf(values)
    near = np.isfinite(expected)
    found = log_cdf(tf.constant(values, tf.float32), tf.constant(shape)).numpy()
    np.testing.assert_allclose(found[near], expected[near], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_cdf_far_out_is_its_asymptotic_series(shape):
    # SciPy's tail is zero here. In float64: log(x^(a-1) exp(-x) (1 + (a-1)/x + (a-1)(a-2)/x^2) / gamma(a) / 2).
    values, order = np.array([60.0, 1e3, 3e5]) * max(1, 30 ** (2 - shape)), 1 / shape
    powers = (values * scipy.stats.gennorm(shape).std()) ** shape
    series = np.log1p((order - 1) / powers * (1 + (order - 2) / powers))
    expected = (order - 1) * np.log(powers) - powers - scipy.special.gammaln(order) + series - np.log(2)
    found = log_cdf(tf.constant(-values, tf.float32), tf.constant(shape)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_differences_in_float64(shape):
    values, step = np.array([-4.0, -3.0, -0.4, 0.3, 1.5]), 1e-5
    inputs = [tf.constant(values, tf.float32), tf.constant(shape)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        logarithms = tf.unstack(log_cdf(*inputs))
    by_shape = np.array([tape.gradient(each, inputs[1]) for each in logarithms])
    by_value = np.sum([tape.gradient(each, inputs[0]) for each in logarithms], 0)
    differences = (of(shape + step).logcdf(values) - of(shape - step).logcdf(values)) / (2 * step)
    np.testing.assert_allclose(by_shape, differences, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(by_value, of(shape).pdf(values) / of(shape).cdf(values), rtol=1e-3)


@pytest.mark.parametrize(("shape", "family", "factor"), [(1.0, Laplace, 2**0.5), (2.0, Normal, 1.0)])
def test_shapes_one_and_two_are_laplace_and_normal(shape, family, factor):
    # The scale of a Laplace distribution is its deviation divided by the square root of two.
    scales = (16, 0.2, 40.0)
    of_family = family((16, 0.2 / factor, 40 / factor)).pmfs()
    for (first, one), (again, other) in zip(GeneralizedNormal(scales, shape).pmfs(), of_family, strict=True):
        assert first == again
        np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("shape", [0.5, 4.0])
def test_it_keeps_the_laws_of_likelihoods(shape):
    lic.testing.check_likelihood(GeneralizedNormal((12, 0.11, 256.0), shape))


def test_learnt_shapes_keep_the_laws_of_likelihoods():
    likelihood = GeneralizedNormalPerChannel(6, (12, 0.11, 256.0), FEW)
    likelihood.log_shapes.assign(np.log([0.3, 0.6, 0.9, 1.3, 2.0, 9.0]))  # The first and the last are not in the table.
    lic.testing.check_likelihood(likelihood)


@pytest.mark.parametrize("shape", [0.4, 4.1, float("nan")])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="expected shape to be from 0.5 to 4. Received: "):
        GeneralizedNormal(shape=shape)
    with pytest.raises(ValueError, match="expected shapes to be from 0.5 to 4"):
        GeneralizedNormalPerChannel(3, shapes=(5, 0.2, 2.0))


def per_channel():
    """A likelihood of 4 channels whose shapes are 0.6, 0.86, 1.22 and 1.75 of a table."""
    likelihood = GeneralizedNormalPerChannel(4, (12, 0.11, 256.0), FEW)
    likelihood.log_shapes.assign(np.log([0.58, 0.9, 1.2, 1.7]))
    return likelihood


@pytest.mark.parametrize(
    "part",
    [
        EVERYTHING,
        channels(1, 3),
        anchors(),
        within(channels(2, 4), anchors()),
        union("u", within(channels(2, 4), anchors()), within(channels(0, 2), anchors())),
    ],
    ids=lambda part: part.name,
)
def test_each_number_of_a_part_has_the_shape_of_its_channel(part):
    likelihood, values = per_channel(), tf.random.stateless_normal((1, 3, 5, 4), (1, 2), 0.0, 3.0)
    whole = likelihood(tf.ones((1, 3, 5, 8)) * 5.0).in_part(EVERYTHING, tf.zeros_like(values))
    taken = part.take(values)
    of_part = likelihood.of(tf.ones_like(taken) * 5.0, tf.ones_like(taken) * 5.0).in_part(part, tf.zeros_like(values))
    np.testing.assert_array_equal(of_part.pmf_index(), part.take(tf.cast(whole.pmf_index(), "float32")))
    np.testing.assert_allclose(of_part.bits(taken), part.take(whole.bits(values)), rtol=1e-5, atol=1e-6)
    for channel, row in enumerate((0, 1, 2, 3)):
        np.testing.assert_array_equal(whole.pmf_index()[..., channel], row * 12 + 5)
    assert len(np.unique(whole.bits(tf.ones_like(values) * 2)[0, 0, 0])) == 4


def test_the_bits_of_a_channel_are_those_of_its_shape():
    likelihood, zeros = per_channel(), tf.zeros((1, 2, 2, 4))
    values = tf.random.stateless_normal((1, 2, 2, 4), (3, 4), 0.0, 3.0)
    coded = likelihood.of(zeros, zeros + 6.2).in_part(EVERYTHING, zeros).as_coded()
    for channel, shape in enumerate(ScaleTable(*FEW).scales()[:4]):
        one = GeneralizedNormal((12, 0.11, 256.0), shape).of(zeros[..., :1], zeros[..., :1] + 6)
        expected = one.bits(values[..., channel : channel + 1])
        np.testing.assert_allclose(coded.bits(values)[..., channel : channel + 1], expected, rtol=1e-4, atol=1e-5)


def test_a_gain_keeps_the_shapes():
    zeros = tf.zeros((1, 2, 2, 4))
    made = per_channel().of(zeros, zeros + 5).in_part(EVERYTHING, zeros)
    gained = made.under_gain(ChannelGains(zeros + 2, zeros + 2, zeros + np.log(2), zeros + 0.5))
    np.testing.assert_array_equal(gained.shape_index, made.shape_index)
    np.testing.assert_allclose(gained.index, made.index + np.log(2) / made.likelihood.scales.log_step, rtol=1e-6)


def test_a_latent_of_other_channels_is_refused():
    with pytest.raises(ValueError, match="expected a latent of 4 channels, .* Received: a latent of 3 channels"):
        Estimate(tf.zeros((1, 2, 2, 3))).code(EVERYTHING, per_channel()(tf.zeros((1, 2, 2, 6))))


def test_training_fits_the_shapes():
    """The shapes of numbers that are drawn with shapes 1 and 2.5 are found."""
    likelihood = GeneralizedNormalPerChannel(2, shapes=(20, 0.5, 4.0))
    drawn = [of(shape).rvs(4000, random_state=1) * 6 for shape in (1.0, 2.5)]
    values = tf.constant(np.stack(drawn, -1)[None, None], tf.float32)
    index = tf.fill(values.shape, likelihood.scales.index_of(6.0))
    for _ in range(60):
        with tf.GradientTape() as tape:
            bits = tf.reduce_mean(likelihood.of(tf.zeros_like(values), index).bits(values))
        likelihood.log_shapes.assign_sub(4 * tape.gradient(bits, likelihood.log_shapes))
    np.testing.assert_allclose(np.exp(likelihood.log_shapes.numpy()), [1.0, 2.5], rtol=0.15)


@pytest.mark.parametrize("shapes", [(5, 0.75, 4.0), (2, 0.5, 4.0), (7, 0.5, 3.0)])
def test_every_table_of_shapes_that_is_taken_has_tables(shapes):
    families = lic.entropy.GeneralizedNormalPerChannel(4, shapes=shapes).families
    assert len(families) == shapes[0]
    np.testing.assert_allclose([families[0].shape, families[-1].shape], shapes[1:], rtol=1e-12)


def test_copies_have_the_same_shapes():
    likelihood = per_channel()
    for again in (copy.deepcopy(likelihood), pickle.loads(pickle.dumps(likelihood))):
        np.testing.assert_array_equal(again.log_shapes, likelihood.log_shapes)
        assert again != likelihood


def test_tables_of_equal_tables_are_shared():
    # A likelihood that learns equals itself only, but its tables depend on its arguments alone.
    one, other = (CdfTables.make({"likelihood": per_channel()}) for _ in range(2))
    np.testing.assert_array_equal(one.counts, other.counts)
    expected = [CdfTables.make({"likelihood": each}).counts for each in per_channel().families]
    np.testing.assert_array_equal(one.counts, np.concatenate(expected))


def test_a_codec_holds_the_learnt_shapes(tmp_path):
    model = tiny_model("klt", "hyperprior", likelihood="generalized-normal-per-channel", shapes=FEW, lmbda=(0.01, 0.1))
    depth = model.entropy.latent_depth
    model.entropy.likelihood.log_shapes.assign(np.log(np.geomspace(0.6, 2.5, depth)))
    image = random_images(40, 56, 3)
    codec = lic.Codec(model, deterministic=True, calibration=[image])
    model.entropy.likelihood.log_shapes.assign(np.zeros(depth))
    stream = codec.compress(image, quality=1.5)
    codec.save(tmp_path / "mine.codec")
    again = lic.load(tmp_path / "mine.codec", deterministic=True)
    assert again.compress(image, quality=1.5) == stream
    np.testing.assert_array_equal(again.decompress(stream), codec.decompress(stream))
    assert lic.Codec(model).fingerprint != codec.fingerprint


@pytest.mark.parametrize("shape", SHAPES)
def test_the_scale_may_be_the_width(shape):
    likelihood = GeneralizedNormal(shape=shape, predicted_scale=True, scale_is="width")
    assert likelihood.deviation == pytest.approx(scipy.stats.gennorm(shape).std(), rel=1e-12)
    check_likelihood(likelihood, quick=True)
    width, symbols = 1.7, np.arange(-6, 7, dtype=np.float32)
    parameters = tf.constant(np.tile([0.0, width], (1, 1, len(symbols), 1)), tf.float32)
    bits = likelihood(parameters).bits(symbols[None, None, :, None])
    below = scipy.stats.gennorm(shape, scale=width).cdf
    distance = np.abs(symbols.astype(np.float64))
    expected = -np.log2(below(0.5 - distance) - below(-0.5 - distance))
    np.testing.assert_allclose(np.ravel(bits), expected, rtol=1e-4)


def test_a_width_is_not_a_deviation():
    with pytest.raises(ValueError, match="scale_is to be one of 'deviation', 'width'. Received: scale_is='height'"):
        GeneralizedNormal(scale_is="height")
    assert GeneralizedNormal(scale_is="width") != GeneralizedNormal()
