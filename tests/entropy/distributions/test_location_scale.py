import copy
import math
import pickle

import numpy as np
import pytest
import scipy.stats

import lic
from lic.entropy import CdfTables, GeneralizedNormal, Laplace, LocationScale, Logistic, Normal, ScaleTable
from lic.entropy.distributions import ChannelGains
from lic.entropy.distributions.location_scale import log_one_minus_exp
from lic.environment import tf
from tests.testing.sound_entropy import Stretched

FAMILIES = {"generalized-normal": GeneralizedNormal, "laplace": Laplace, "logistic": Logistic, "normal": Normal}
SCIPY = {
    "generalized-normal": scipy.stats.gennorm(1.5, scale=1 / scipy.stats.gennorm(1.5).std()),
    "laplace": scipy.stats.laplace,
    "logistic": scipy.stats.logistic,
    "normal": scipy.stats.norm,
}
# The index of every scale is exact in this table, so that a test may ask for any scale.
FINE = ScaleTable(10_001, 0.1, 1000.0)


@pytest.fixture(params=FAMILIES)
def name(request):
    return request.param


def bits_at(name, values, scale):
    """Bits of values about zero under one scale."""
    values = tf.reshape(tf.constant(values, tf.float32), (1, 1, -1, 1))
    index = tf.fill(values.shape, FINE.index_of(scale))
    return FAMILIES[name](FINE).of(tf.zeros_like(values), index).bits(values).numpy().ravel()


def test_every_registered_likelihood_is_tested_here():
    others = {"generalized-normal-per-channel", "normal-mixture"}  # Files beside this one have their tests.
    assert lic.list_likelihoods() == sorted({*FAMILIES} | others)
    assert [lic.registry.likelihoods.get(name) for name in FAMILIES] == [*FAMILIES.values()]
    assert all(issubclass(family, LocationScale) for family in FAMILIES.values())


@pytest.mark.parametrize("scale", [0.11, 0.3, 1.0, 7.0, 256.0])
def test_bits_are_those_of_float64(name, scale):
    values = np.array([0.0, 0.25, 0.5, 1.0, -1.0, 2.5, 3.0, -20.0 * scale, 3.0 * scale], np.float32)
    values = values[np.abs(values) < 30 * scale]
    # On the upper side, where nothing cancels.
    survival = SCIPY[name].sf
    distance = np.abs(values).astype(np.float64)
    expected = -np.log2(survival((distance - 0.5) / scale) - survival((distance + 0.5) / scale))
    np.testing.assert_allclose(bits_at(name, values, scale), expected, rtol=1e-3, atol=1e-4)


def test_far_out_bits_grow_as_the_tail_does(name):
    # No floor hides the tail, and the gradient leads back.
    value = tf.Variable([[[[1000.0]]]])
    index = tf.fill((1, 1, 1, 1), FINE.index_of(0.5))
    with tf.GradientTape() as tape:
        bits = FAMILIES[name](FINE).of(tf.zeros((1, 1, 1, 1)), index).bits(value)
    distance = 999.5 / 0.5
    power = {"generalized-normal": (distance * SCIPY["generalized-normal"].kwds["scale"] ** -1) ** 1.5}
    nats = {"normal": distance**2 / 2, "laplace": distance, "logistic": distance} | power
    expected = nats[name] / math.log(2)
    exponent = {"generalized-normal": 1.5, "normal": 2}.get(name, 1)
    slope = expected * exponent / 999.5
    assert bits.numpy().item() == pytest.approx(expected, rel=2e-3)
    assert tape.gradient(bits, value).numpy().item() == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize("scale", [0.11, 1.0, 256.0])
def test_probabilities_sum_to_one(name, scale):
    probabilities = 2.0 ** -bits_at(name, np.arange(-8000, 8001), scale).astype(np.float64)
    assert probabilities.sum() == pytest.approx(1, abs=1e-4)


def test_gradients_are_finite_everywhere(name):
    values = tf.Variable(np.array([0, 0.5, -0.5, 1, 5, 50, 500, 32767, -32767], np.float32)[None, None, :, None])
    index = tf.Variable(np.linspace(-10, 80, 9, dtype=np.float32)[None, None, :, None])
    with tf.GradientTape() as tape:
        bits = FAMILIES[name]().of(tf.zeros(values.shape), tf.convert_to_tensor(index)).bits(values)
    for gradient in tape.gradient(bits, [values, index]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("values", "tolerance"), [(np.linspace(-14, 6, 81), 2e-5), (np.linspace(-300, -15, 40), 1e-5)])
def test_log_cdf_is_that_of_float64(name, values, tolerance):
    expected = SCIPY[name].logcdf(values)
    values, expected = values[np.isfinite(expected)], expected[np.isfinite(expected)]  # Some of SciPy's underflow.
    assert len(values) > 20 or name == "generalized-normal"
    found = FAMILIES[name]().log_cdf(tf.constant(values, "float32"))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-6)


def test_upper_tail_is_that_of_float64(name):
    values = np.array([0.0, 1e-9, 0.3, 1, 5, 30, 800])
    expected = SCIPY[name].sf(values)
    np.testing.assert_allclose([FAMILIES[name]().upper_tail(float(value)) for value in values], expected, rtol=1e-12)


def test_deviation_is_the_standard_deviation_at_scale_one(name):
    assert FAMILIES[name].deviation == pytest.approx(SCIPY[name].std(), rel=1e-12)


def test_log_one_minus_exp():
    values = np.array([-1e-6, -0.1, -0.69, -0.7, -5, -50])
    expected = np.log(-np.expm1(values))
    np.testing.assert_allclose(log_one_minus_exp(tf.constant(values, "float32")), expected, rtol=1e-5, atol=1e-7)


def test_coded_bits_are_those_of_the_rounded_index(name):
    shape = (1, 1, 1, 1)
    values, zeros = tf.fill(shape, 2.0), tf.zeros(shape)
    likelihood = FAMILIES[name]()
    real, rounded = (likelihood.of(zeros, tf.fill(shape, index)) for index in (20.4, 20.0))
    np.testing.assert_array_equal(real.as_coded().bits(values), rounded.bits(values))
    assert real.bits(values) != rounded.bits(values)


def test_parameters_are_all_means_then_all_indexes(name):
    parameters = tf.random.normal((2, 3, 4, 10))
    distribution = FAMILIES[name]()(parameters)
    np.testing.assert_array_equal(distribution.offset, parameters[..., :5])
    np.testing.assert_array_equal(distribution.index, parameters[..., 5:])
    assert distribution.shape == (2, 3, 4, 5)


def test_parameters_start_at_the_scale_of_the_deviation(name):
    likelihood = FAMILIES[name]()
    start = likelihood.start(np.array([1.0, 20.0, 1e-6]))
    np.testing.assert_array_equal(start[:3], 0)
    scales = likelihood.scales.scale_at(tf.constant(start[3:])) * likelihood.deviation
    np.testing.assert_allclose(scales[:2], [1, 20], rtol=1e-4)
    assert start[5] == pytest.approx(0, abs=1e-5)


def test_equal_arguments_make_equal_likelihoods(name):
    family = FAMILIES[name]
    assert family() == family(ScaleTable()) == family((64, 0.11, 256.0))
    assert hash(family()) == hash(family(ScaleTable()))
    assert family() != family((8, 0.5, 32.0))
    assert len({each() for each in FAMILIES.values()}) == len(FAMILIES)


def test_tables_are_made_of_probabilities_that_sum_to_one(name):
    for first, probabilities in FAMILIES[name]().pmfs():
        assert probabilities.sum() == pytest.approx(1, abs=1e-12)
        assert len(probabilities) == 2 * -first + 2
        np.testing.assert_allclose(probabilities[:-1], probabilities[-2::-1], rtol=1e-12)


@pytest.mark.parametrize("scales", [(1, 0.1, 2.0), (64, 2.0, 1.0), (64, 0.1, 2.0, "down"), (64, 0.0, 1.0)])
def test_tables_of_scales_that_are_not_valid_are_refused(name, scales):
    with pytest.raises(ValueError, match="ScaleTable: expected 2 to 16384 scales"):
        FAMILIES[name](scales)


def test_a_likelihood_that_learns_has_gradients_and_tables_of_its_own():
    entropy = [lic.registry.entropy_models.get("hyperprior")(4, _hyper(), likelihood=Stretched()) for _ in range(2)]
    latent = tf.random.normal((1, 6, 6, 4), stddev=4.0)
    for model in entropy:
        assert list(model.sources) == ["likelihood", "prior"]
        with tf.GradientTape() as tape:
            bits = tf.add_n(list(model(latent, training=True).bits.values()))
        assert float(tf.abs(tape.gradient(bits, model.likelihood.stretch))) > 0
    first, second = (model.likelihood for model in entropy)
    assert first != second
    before = CdfTables.make({"likelihood": first}).counts
    first.stretch.assign(0.5)
    after, other = (CdfTables.make({"likelihood": each}).counts for each in (first, second))
    assert len(after) > len(before)
    np.testing.assert_array_equal(before, other)


def _hyper():
    return lic.registry.hyper_transforms.get("conv")(4, hyper_width=4, side_depth=2, features=4)


def test_copies_and_pickles_are_equal(name):
    class Half(FAMILIES[name]):
        def __init__(self, count):
            super().__init__((count, 0.2, 100.0))

    for likelihood in (FAMILIES[name](), FAMILIES[name]((8, 0.5, 32.0))):
        assert pickle.loads(pickle.dumps(likelihood)) == copy.deepcopy(likelihood) == likelihood
    own = Half(12)
    assert copy.deepcopy(own) == own
    assert own.configuration() == {"count": 12}
    assert Half.from_config(own.configuration()).scales == own.scales


def test_a_scaled_distribution_is_that_of_scaled_numbers(name):
    mean, index = tf.fill((1, 1, 2, 3), 0.7), tf.fill((1, 1, 2, 3), 20.0)
    gain = tf.fill((1, 1, 2, 3), 4.0)
    scaled = FAMILIES[name]().of(mean, index).under_gain(ChannelGains(gain, gain, tf.math.log(gain), gain))
    scales = ScaleTable()
    np.testing.assert_allclose(scaled.offset, 2.8, rtol=1e-6)
    np.testing.assert_allclose(scales.scale_at(scaled.index), 4 * scales.scale_at(index), rtol=1e-5)


def test_predicted_scales_are_the_second_parameters_themselves(name):
    likelihood = FAMILIES[name](predicted_scale=True)
    mean, scale = tf.fill((1, 1, 2, 1), 0.7), tf.constant([0.01, 3.0], shape=(1, 1, 2, 1))
    made = likelihood(tf.concat([mean, scale], -1))
    np.testing.assert_allclose(made.scale, np.maximum(scale, 0.11), rtol=1e-5)
    table = likelihood.scales
    np.testing.assert_array_equal(made.pmf_index(), table.row(table.index_at(scale)))
    np.testing.assert_array_equal(made.as_coded().index, made.pmf_index())
    np.testing.assert_allclose(likelihood.start(np.full(3, 2.0))[3:], 2.0 / likelihood.deviation, rtol=1e-6)
    gain = tf.fill((1, 1, 2, 1), 4.0)
    gained = made.under_gain(ChannelGains(gain, 2 * gain, tf.math.log(2 * gain), gain))
    np.testing.assert_allclose(gained.offset, 2.8, rtol=1e-6)
    np.testing.assert_array_equal(gained.pmf_index(), table.row(table.index_at(8 * scale)))


def test_bits_between_integers_come_from_a_table_and_go_on_beyond_it(name):
    likelihood = FAMILIES[name](ScaleTable(64, 0.11, 256.0))
    values = np.array([0.0, 0.25, -0.5, 3.75, -40.2, 127.5, 130.0, 1000.0], np.float32)
    index = np.array([0.0, 20.0, 35.5, 63.0], np.float32)[:, None]
    between = likelihood.of(np.zeros((4, 8), np.float32), index + np.zeros_like(values)).bits_between_integers(values)

    def line(row):
        low = likelihood.of(np.zeros(8, np.float32), np.full(8, row, np.float32))
        first = np.clip(np.floor(np.abs(values)), 0, 127)
        share = np.abs(values) - first
        return (1 - share) * low.bits(first) + share * low.bits(first + 1)

    expected = [line(0), line(20), (line(35) + line(36)) / 2, line(63)]
    np.testing.assert_allclose(between, expected, rtol=1e-3, atol=1e-4)


def test_gradients_between_integers_are_the_differences_of_bits(name):
    likelihood = FAMILIES[name]()
    values, index = tf.constant([0.3, -1.6, 5.5]), tf.constant([30.2, 30.2, -4.0])
    with tf.GradientTape() as tape:
        tape.watch([values, index])
        bits = likelihood.of(tf.zeros(3), index).bits_between_integers(values)
    of_values, of_index = tape.gradient(bits, [values, index])
    distribution = likelihood.of(tf.zeros(3), index)
    low, high = map(distribution.bits_between_integers, ([0.0, -2.0, 5.0], [1.0, -1.0, 6.0]))
    np.testing.assert_allclose(of_values, high - low, rtol=1e-4)
    # An index below the table is led back into it, and is not led further out.
    assert of_index[2] < 0
