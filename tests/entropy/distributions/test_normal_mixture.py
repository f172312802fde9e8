"""Mixtures of normals: their bits, the counts of the coder, and codecs with them."""

import numpy as np
import pytest
import scipy.stats

import lic
from lic.entropy import EVERYTHING, CdfTables, Decode, Encode, Estimate, Normal, NormalMixture, ScaleTable
from lic.entropy.coders.decode import Preview
from lic.entropy.range_coding import range_coder
from lic.entropy.range_coding.fixed_point import FIRST, LENGTH, normal_cdf
from lic.entropy.range_coding.numba_coder import symbol_counts
from lic.environment import tf
from tests.conftest import random_images, tiny_model

SHAPE = (1, 12, 10, 7)


def parameters(count, seed=0, spread=1.0):
    """Logits, means and scale indexes of random mixtures, as a likelihood takes them."""
    random = np.random.default_rng(seed)
    shape = (*SHAPE[:3], count, SHAPE[3])
    logits, means = random.normal(0, 2, shape), random.normal(0, 3 * spread, shape)
    index = random.uniform(-2, 40, shape)
    return tf.constant(np.concatenate([logits, means, index], -2).reshape(*SHAPE[:3], -1), tf.float32)


def drawn(distribution, seed=1):
    """Numbers that are drawn from mixtures."""
    random = np.random.default_rng(seed)
    weights = np.moveaxis(tf.nn.softmax(distribution.logits, -2).numpy(), -2, 0)
    which = (random.uniform(size=SHAPE) > np.cumsum(weights, 0)[:-1]).sum(0)
    scales = distribution.likelihood.scales.scale_at(distribution.index)
    mean, scale = (
        np.take_along_axis(np.moveaxis(np.asarray(each), -2, 0), which[None], 0)[0]
        for each in (distribution.means, scales)
    )
    return tf.constant(random.normal(mean, scale), tf.float32)


def python_counts(mixture):
    """The counts of all values of a mixture by whole numbers of Python, from its description alone."""
    first, length, *normals = (int(number) for number in mixture)
    table = [int(number) for number in normal_cdf()]

    def share(symbol):
        total = 0
        for weight, mean, slope in zip(normals[::3], normals[1::3], normals[2::3]):
            place = (((2 * symbol - 1) * 128 - mean) * slope // 2**12) + 1024 * 256
            place = min(max(place, 0), 2048 * 256 - 1)
            low, high = table[place // 256], table[place // 256 + 1]
            total += weight * (low + (high - low) * (place % 256) // 256)
        return total

    ends = [
        (share(first + value) - share(first)) * (65536 - length - 1) // 2**40 + value for value in range(length + 1)
    ]
    return np.diff([*ends, 65536])


@pytest.mark.parametrize("count", [1, 3])
def test_bits_are_those_of_scipy(count):
    distribution = NormalMixture(count)(parameters(count))
    values = tf.round(drawn(distribution))
    weights = scipy.special.softmax(np.float64(distribution.logits), -2)
    normal = scipy.stats.norm(np.float64(distribution.means), np.float64(ScaleTable().scale_at(distribution.index)))
    numbers = np.float64(values)[..., None, :]
    # Tails are subtracted on the side where they are small.
    above = numbers > distribution.means
    inside = np.where(
        above,
        normal.sf(numbers - 0.5) - normal.sf(numbers + 0.5),
        normal.cdf(numbers + 0.5) - normal.cdf(numbers - 0.5),
    )
    np.testing.assert_allclose(distribution.bits(values), -np.log2((weights * inside).sum(-2)), rtol=2e-4, atol=2e-4)


def test_a_mixture_of_one_is_a_normal_distribution_of_that_mean():
    mean, index = tf.split(parameters(1), 3, -1)[1:]
    values = tf.random.stateless_normal(SHAPE, (1, 2), stddev=5.0)
    expected = Normal().of(mean, index).bits(values - mean)
    found = NormalMixture(1)(tf.concat([mean, mean, index], -1)).bits(values)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_counts_are_those_of_whole_numbers_of_python(count):
    distribution = NormalMixture(count)(parameters(count))
    mixtures = distribution.mixtures().numpy().reshape(-1, 2 + 3 * count)
    first, length = mixtures[:, FIRST].min(), mixtures[:, LENGTH].max()
    last = (mixtures[:, FIRST] + mixtures[:, LENGTH]).max()
    counts = symbol_counts(tf.constant(mixtures), int(first), int(last - first)).numpy()
    assert length < 4096
    np.testing.assert_array_equal(counts.sum(1), 65536)
    for mixture, found in zip(mixtures[::37], counts[::37]):
        expected, start = python_counts(mixture), mixture[FIRST] - first
        assert expected.min() >= 1
        np.testing.assert_array_equal(found[start : start + mixture[LENGTH]], expected[:-1])
        assert found[-1] == expected[-1]


def test_symbols_of_far_means_and_wide_scales_stay_within_bounds():
    logits = tf.zeros((1, 1, 4, 2, 1))
    means = tf.constant([[1e9, -1e9], [-30000.0, 30000.0], [32767.0, 32767.0], [0.0, 0.0]])[None, None, ..., None]
    index = tf.constant([[0.0, 0.0], [63.0, 63.0], [63.0, 63.0], [63.0, 63.0]])[None, None, ..., None]
    likelihood = NormalMixture(2, (64, 0.11, 1e6))
    mixtures = likelihood(tf.reshape(tf.concat([logits, means, index], -2), (1, 1, 4, 6))).mixtures()
    first, length = mixtures[..., FIRST], mixtures[..., LENGTH]
    assert tf.reduce_min(length) >= 1
    assert tf.reduce_max(length) <= 4096
    assert tf.reduce_min(first) >= -32767
    assert tf.reduce_max(first + length) <= 32768


class TwoMixtures(lic.EntropyModel):
    """Codes the first channels under a mixture of three, and the others under one of two or by tables."""

    def __init__(self, **sizes):
        super().__init__(7, **sizes)
        self.one, self.other, self.last = NormalMixture(3), NormalMixture(2), Normal()

    def walk(self, coder):
        batch = tf.shape(coder.zeros)[:3]
        one, other = (
            tf.tile(each[:, :1, :1], [1, batch[1], batch[2], 1]) for each in (parameters(3), parameters(2, 3))
        )
        y_hat = coder.zeros
        for part, likelihood, all_parameters in [
            (lic.entropy.channels(0, 3), self.one, one),
            (lic.entropy.channels(3, 5), self.other, other),
            (lic.entropy.channels(5, 7), self.last, other[..., :14]),
        ]:
            y_hat = part.put(y_hat, coder.code(part, likelihood.at(part, all_parameters)))
        return y_hat


def test_parts_of_several_mixtures_and_of_tables_share_a_string():
    model = TwoMixtures()
    tables = model.make_tables()
    latent = tf.random.stateless_normal(SHAPE, (3, 4), stddev=30.0)  # Many of these are escapes.
    encode = Encode(latent, tables)
    model.walk(encode)
    coded = encode.finish()
    decode = Decode(coded.string, tf.zeros_like(latent), tables)
    estimate = Estimate(latent)
    np.testing.assert_array_equal(model.walk(decode), model.walk(estimate))
    symbols, cdfs = decode.finish()
    np.testing.assert_array_equal(symbols, coded.symbols)
    np.testing.assert_array_equal(cdfs.index, coded.cdfs.index)
    np.testing.assert_array_equal(cdfs.mixtures, coded.cdfs.mixtures)
    assert range_coder.coder_name(tables) == "numba"
    assert all(seconds > 0 for seconds in range_coder.coder_seconds(tables, coded.string, cdfs))


def coded_alone(likelihood, given, latent, kept=None):
    """Returns the string of a latent under mixtures, and what is decoded of it."""
    tables = CdfTables.make({"likelihood": likelihood})
    encode = Encode(latent, tables)
    distribution = likelihood(given)
    distribution.kept = kept
    encode.code(EVERYTHING, distribution)
    coded = encode.finish()
    return coded.string, Decode(coded.string, tf.zeros_like(latent), tables).code(EVERYTHING, distribution)


def test_strings_are_as_long_as_estimated():
    likelihood, given = NormalMixture(3), parameters(3)
    bits = length = 0
    for seed in range(20):
        latent = drawn(likelihood(given), seed)
        string, decoded = coded_alone(likelihood, given, latent)
        np.testing.assert_array_equal(decoded, tf.round(latent))
        bits += float(tf.reduce_sum(likelihood(given).as_coded().bits(tf.round(latent))))
        length += 8 * len(string.numpy())
    assert abs(length / bits - 1) < 0.005


def test_numbers_that_are_not_kept_stand_at_zero():
    likelihood, given = NormalMixture(2), parameters(2)
    latent, kept = drawn(likelihood(given)), np.random.default_rng(2).uniform(size=SHAPE) < 0.5
    string, decoded = coded_alone(likelihood, given, latent * tf.cast(kept, "float32"), tf.constant(kept))
    np.testing.assert_array_equal(decoded, tf.round(latent) * kept)
    assert len(string.numpy()) < len(coded_alone(likelihood, given, latent)[0].numpy())


def test_a_preview_shows_medians():
    likelihood, given = NormalMixture(3), parameters(3)
    tables = CdfTables.make({"likelihood": likelihood})
    preview = Preview(tf.constant(b""), tf.zeros(SHAPE), tables, 0).code(EVERYTHING, likelihood(given))
    mixtures = likelihood(given).mixtures().numpy().reshape(-1, likelihood.mixture_size)
    expected = [mixture[FIRST] + np.searchsorted(np.cumsum(python_counts(mixture)), 32768) for mixture in mixtures]
    np.testing.assert_array_equal(np.ravel(preview), expected)


def test_a_string_that_is_too_short_is_found():
    likelihood, given = NormalMixture(3), parameters(3)
    tables = CdfTables.make({"likelihood": likelihood})
    zeros = tf.zeros((1, 12 * 40, 10, 7))
    with pytest.raises(tf.errors.InvalidArgumentError, match=range_coder.TOO_SHORT):
        Decode(tf.constant(b"ab"), zeros, tables).code(EVERYTHING, likelihood(tf.tile(given, [1, 40, 1, 1])))


def test_mixtures_of_another_size_than_stated_are_refused(monkeypatch):
    likelihood = NormalMixture(2)
    monkeypatch.setattr(NormalMixture, "mixture_size", 11)
    tables = CdfTables.make({"likelihood": likelihood})
    with pytest.raises(lic.LicError, match="expected 11 whole numbers for each number of the part 'latent'.*: 8"):
        tables.cdfs("latent", likelihood(tf.zeros((1, 2, 2, 6))))


def test_more_normals_are_refused():
    with pytest.raises(ValueError, match="NormalMixture: expected count to be 1 to 16 normals. Received: 17"):
        NormalMixture(17)


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_codec_of_several_rates_brings_pictures_back(deterministic, tmp_path):
    model = tiny_model("conv", "checkerboard", likelihood="normal-mixture", lmbda=(0.002, 0.02))
    image = random_images(40, 56, 3)
    codec = lic.Codec(model, deterministic=deterministic, calibration=[image] if deterministic else None)
    stream = codec.compress(image, quality=1.5)
    codec.save(tmp_path / "mixture.codec")
    again = lic.load(tmp_path / "mixture.codec", deterministic=deterministic)
    np.testing.assert_array_equal(codec.decompress(stream), again.decompress(stream))
    assert (again.compress(image, quality=1.5), again.fingerprint) == (stream, codec.fingerprint)
    assert codec.decompress(stream, parts=1).shape == image.shape


def test_parameters_that_are_not_finite_are_found():
    model = tiny_model("conv", "hyperprior", likelihood="normal-mixture")
    codec_of_nan = model.entropy.parameters
    bias = codec_of_nan.layers[-1].bias
    bias.assign(bias + tf.one_hot(0, bias.shape[0]) * np.nan)
    with pytest.raises(lic.LicError, match="not finite"):
        lic.Codec(model).compress(random_images(32, 32, 3))


def test_skipping_is_refused():
    with pytest.raises(lic.LicError, match="has no scales"):
        lic.Codec(tiny_model("conv", "hyperprior", likelihood="normal-mixture"), skip_below=0.2)
