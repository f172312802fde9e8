import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lic.entropy import CdfTables, Distribution, FactorizedPrior, Laplace, Logistic, Normal, ScaleTable
from lic.entropy.range_coding.cdf_tables import TOTAL, to_counts
from lic.environment import tf


@pytest.fixture(scope="module")
def sources():
    return {"first": FactorizedPrior(3), "inner/second": FactorizedPrior(2), "likelihood": Normal()}


@pytest.fixture(scope="module")
def tables(sources):
    return CdfTables.make(sources)


def _counts(tables):
    return np.split(tables.counts, np.cumsum(tables.cdf_length[:-1] + 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=300).filter(lambda values: sum(values) > 1e-3))
def test_counts_are_positive_and_sum_up(probabilities):
    counts = to_counts(np.array(probabilities))
    assert counts.sum() == TOTAL
    assert counts.min() >= 1


def test_counts_are_near_the_probabilities():
    probabilities = np.array([0.5, 0.25, 0.125, 0.1249, 1e-4])
    np.testing.assert_allclose(to_counts(probabilities) / TOTAL, probabilities, atol=2e-5)


def test_every_cdf_sums_up_and_the_sources_are_in_order(tables, sources):
    assert len(tables.cdf_offset) == 5 + 64
    assert all(counts.sum() == TOTAL and counts.min() >= 1 for counts in _counts(tables))
    assert tables.sources == (("first", 3), ("inner/second", 2), ("likelihood", 64))
    assert [tables.first_index[source] for source in sources.values()] == [0, 3, 5]
    distribution = Normal().of(tf.zeros(2), tf.constant([0.0, 63.0]))
    np.testing.assert_array_equal(tables.cdfs("part", distribution).index, [5, 68])
    np.testing.assert_array_equal(tables.cdfs("part", sources["inner/second"]).index, [3, 4])


def test_cdfs_are_in_the_form_of_the_range_coder(tables):
    ends = np.flatnonzero(tables.cdf == TOTAL) + 1
    cdfs = np.split(tables.cdf, ends[:-1])
    assert len(cdfs) == len(tables.cdf_offset) + 2
    for cdf, length in zip(cdfs, [*tables.cdf_length, 0, TOTAL - 1], strict=True):
        assert cdf[:2].tolist() == [16, 0]
        assert len(cdf) == length + 3
        assert (np.diff(cdf[1:]) > 0).all()


@pytest.mark.parametrize("family", [Normal, Laplace, Logistic])
def test_cdfs_of_likelihoods_cost_the_estimated_bits(family):
    tables, likelihood = CdfTables.make({"likelihood": family()}), family()
    # The expected cost under the counts, less the entropy: bits a symbol that the tables lose.
    for index, (counts, scale, first) in enumerate(
        zip(_counts(tables), likelihood.scales.scales(), tables.cdf_offset, strict=True)
    ):
        symbols = tf.constant(np.arange(first, first + len(counts) - 1)[None, None, :, None], "float32")
        bits = likelihood.of(tf.zeros_like(symbols), tf.fill(symbols.shape, float(index))).bits(symbols)
        exact = 2.0 ** -bits.numpy().ravel().astype(np.float64)
        lost = np.sum(exact * np.log2(exact / (counts[:-1] / TOTAL)))
        # Counts of at least one make far tails dearer than they are.
        assert -1e-3 < lost < (1e-3 if scale < 2 else 0.05), scale


def test_cdfs_of_a_prior_cost_the_estimated_bits():
    prior = FactorizedPrior(3)
    for variable in prior.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.3))
    tables = CdfTables.make({"prior": prior})
    for channel, counts in enumerate(_counts(tables)):
        symbols = tables.cdf_offset[channel] + np.arange(len(counts) - 1)
        bits = prior.bits(tf.constant(np.tile(symbols[:, None], (1, 3)), "float32")).numpy()[:, channel]
        exact = 2.0 ** -bits.astype(np.float64)
        assert exact.sum() > 1 - 1e-3
        assert abs(np.sum(exact * np.log2(exact / (counts[:-1] / TOTAL)))) < 0.02


def test_stored_arrays_make_the_same_tables(tables, sources):
    again = CdfTables.from_arrays(tables.arrays(), tables.described(), sources)
    np.testing.assert_array_equal(again.cdf, tables.cdf)
    assert again.first_index == tables.first_index
    # The order is that of the file, whatever order the model's attributes are walked in.
    turned = CdfTables.from_arrays(tables.arrays(), tables.described(), dict(reversed(sources.items())))
    assert turned.first_index == tables.first_index


def test_tables_of_another_model_are_refused(tables, sources):
    for other in (
        {**sources, "first": FactorizedPrior(4)},
        {"first": sources["first"]},
        {**sources, "more": Laplace()},
    ):
        with pytest.raises(ValueError, match="they have cdfs for .* and the model needs"):
            CdfTables.from_arrays(tables.arrays(), tables.described(), other)


def test_a_very_wide_prior_and_scale_are_cut_to_cdfs_that_can_be_coded():
    tables = CdfTables.make({"prior": FactorizedPrior(2, init_scale=1e6), "l": Normal(ScaleTable(4, 0.01, 5e4))})
    assert all(counts.sum() == TOTAL for counts in _counts(tables))
    assert tables.cdf_length.max() <= 4096


def test_medians_halve_the_cdfs(tables):
    medians = tables.medians()
    assert len(medians) == 5 + 64
    np.testing.assert_array_equal(medians[5:], 0)
    for median, counts, first in zip(medians, _counts(tables), tables.cdf_offset, strict=True):
        held = counts[:-1]
        assert held[: median - first].sum() < held.sum() / 2 <= held[: median - first + 1].sum()


def test_tables_of_a_prior_follow_its_weights():
    prior = FactorizedPrior(3)
    before = CdfTables.make({"prior": prior}).counts
    prior.biases[0].assign(prior.biases[0] + 30.0)
    after = CdfTables.make({"prior": prior}).counts
    assert len(before) != len(after) or np.any(before != after)


class OwnPrior(Distribution):
    """A prior of one learnt scale, which is no layer."""

    num_pmfs = 1

    def __init__(self):
        self.scale_of_all = 1.0

    @property
    def shape(self):
        return tf.TensorShape((None, None, None, 1))

    def bits(self, centred):
        return tf.abs(centred) / self.scale_of_all

    def pmf_index(self):
        return tf.zeros(1, "int32")

    def pmfs(self):
        probabilities = np.exp(-np.abs(np.arange(-8, 9)) / self.scale_of_all)
        return [(-8, np.append(probabilities / probabilities.sum(), 0.0))]


def test_tables_of_a_prior_that_is_no_layer_follow_it_too():
    prior = OwnPrior()
    before = CdfTables.make({"own": prior}).counts
    prior.scale_of_all = 4.0
    assert CdfTables.make({"own": prior}).counts.max() < before.max() / 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_pmfs": 2}, "OwnPrior at 'own': expected 2 pmfs, its num_pmfs. Received: 1"),
        ({"pmfs": lambda self: [(0, np.full(5000, 2e-4))]}, "OwnPrior at 'own' has pmfs that make no tables: .* 4096"),
        ({"pmfs": lambda self: [(1 << 20, np.full(9, 0.1))]}, "has pmfs that make no tables: cdfs hold symbols beyond"),
    ],
)
def test_pmfs_that_make_no_tables_are_named_when_they_are_made(wrong, message):
    with pytest.raises(ValueError, match=message):
        CdfTables.make({"own": type("OwnPrior", (OwnPrior,), wrong)()})
