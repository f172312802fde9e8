import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lic.entropy import FactorizedPrior, ScaleTable, Tables
from lic.entropy.range_coding.cdf_tables import TOTAL, make_tables, to_counts
from lic.environment import tf


@pytest.fixture(scope="module")
def tables():
    return make_tables([FactorizedPrior(3), FactorizedPrior(2)], ScaleTable())


def _rows(tables):
    return np.split(tables.counts, np.cumsum(tables.size[:-1] + 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=300).filter(lambda values: sum(values) > 1e-3))
def test_counts_are_positive_and_sum_up(probabilities):
    counts = to_counts(np.array(probabilities))
    assert counts.sum() == TOTAL
    assert counts.min() >= 1


def test_counts_are_near_the_probabilities():
    probabilities = np.array([0.5, 0.25, 0.125, 0.1249, 1e-4])
    np.testing.assert_allclose(to_counts(probabilities) / TOTAL, probabilities, atol=2e-5)


def test_every_row_sums_up_and_the_rows_are_in_order(tables):
    assert len(tables.first) == 5 + 64
    assert all(row.sum() == TOTAL and row.min() >= 1 for row in _rows(tables))
    assert tables.priors == (3, 2)


def test_lookup_is_what_the_range_coder_takes(tables):
    ends = np.flatnonzero(tables.lookup == TOTAL) + 1
    rows = np.split(tables.lookup, ends[:-1])
    assert len(rows) == len(tables.first) + 2
    for row, size in zip(rows, [*tables.size, 0, TOTAL - 1], strict=True):
        assert row[:2].tolist() == [16, 0]
        assert len(row) == size + 3
        assert (np.diff(row[1:]) > 0).all()


def test_normal_rows_cost_what_the_estimate_says(tables):
    # The expected cost under the counts, less the entropy: bits a symbol that the tables lose.
    for row, deviation, first in list(zip(_rows(tables)[5:], ScaleTable().deviations(), tables.first[5:], strict=True)):
        symbols = np.arange(first, first + len(row) - 1)
        from lic.entropy.distributions.normal import normal_bits

        exact = 2.0 ** -normal_bits(tf.constant(symbols, "float32"), deviation).numpy().astype(np.float64)
        lost = np.sum(exact * np.log2(exact / (row[:-1] / TOTAL)))
        assert -1e-3 < lost < (1e-3 if deviation < 8 else 0.02), deviation


def test_prior_rows_cost_what_the_estimate_says():
    prior = FactorizedPrior(3)
    for variable in prior.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.3))
    tables = make_tables([prior], ScaleTable())
    for channel, row in enumerate(_rows(tables)[:3]):
        symbols = tables.first[channel] + np.arange(len(row) - 1)
        bits = prior.bits(tf.constant(np.tile(symbols[:, None], (1, 3)), "float32")).numpy()[:, channel]
        exact = 2.0 ** -bits.astype(np.float64)
        assert exact.sum() > 1 - 1e-3
        assert abs(np.sum(exact * np.log2(exact / (row[:-1] / TOTAL)))) < 0.02


def test_counts_alone_make_the_same_tables(tables):
    again = Tables.from_counts(tables.counts, tables.first, tables.size, tables.priors, tables.scales)
    np.testing.assert_array_equal(again.lookup, tables.lookup)


def test_a_very_wide_prior_and_scale_are_cut_to_rows_that_can_be_coded():
    tables = make_tables([FactorizedPrior(2, init_scale=1e6)], ScaleTable(4, 0.01, 5e4))
    assert all(row.sum() == TOTAL for row in _rows(tables))
    assert tables.size.max() <= 4096


def test_medians_of_a_prior_halve_its_rows(tables):
    medians = [*tables.prior_medians(0), *tables.prior_medians(1)]
    assert len(medians) == 5
    for median, row, first in zip(medians, _rows(tables), tables.first, strict=False):
        held = row[:-1]
        assert held[: median - first].sum() < held.sum() / 2 <= held[: median - first + 1].sum()
