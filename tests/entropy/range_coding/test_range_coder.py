import numpy as np
import pytest

from lic.entropy import CdfTables, FactorizedPrior, Normal
from lic.entropy.range_coding.cdf_tables import LIMIT, Cdfs
from lic.entropy.range_coding.range_coder import TOO_SHORT, RangeDecoder, RangeEncoder
from lic.environment import tf


@pytest.fixture(scope="module")
def tables():
    return CdfTables.make({"prior": FactorizedPrior(3), "likelihood": Normal()})


def _round_trip(tables, parts):
    encoder = RangeEncoder(tables)
    for indexes, symbols in parts:
        encoder.write(Cdfs(tf.constant(indexes, "int32")), tf.constant(symbols, "int32"))
    string, _ = encoder.finish()
    decoder = RangeDecoder(string, tables)
    for indexes, symbols in parts:
        np.testing.assert_array_equal(decoder.read(Cdfs(tf.constant(indexes, "int32"))), symbols)
    return string.numpy()


def _random_parts(tables, spread, seed):
    random = np.random.default_rng(seed)
    shapes = [(1, 2, 3, 4), (1, 1, 0, 4), (1, 7, 5, 3), (1, 1, 1, 1)]
    indexes = [random.integers(0, len(tables.cdf_offset), shape) for shape in shapes]
    symbols = [np.clip(np.rint(random.normal(0, spread, row.shape)), -LIMIT, LIMIT).astype(int) for row in indexes]
    return list(zip(indexes, symbols, strict=True))


@pytest.mark.parametrize("spread", [0.3, 3, 100, 1e4, 1e6])
@pytest.mark.parametrize("seed", range(5))
def test_symbols_come_back_in_and_far_outside_their_rows(tables, spread, seed):
    _round_trip(tables, _random_parts(tables, spread, seed))


def test_every_symbol_of_every_cdf_comes_back(tables):
    indexes = np.repeat(np.arange(len(tables.cdf_offset)), tables.cdf_length + 4)
    # Two symbols beyond each end of a cdf are escapes.
    symbols = np.concatenate(
        [
            np.arange(first - 2, first + size + 2)
            for first, size in zip(tables.cdf_offset, tables.cdf_length, strict=True)
        ]
    )
    _round_trip(tables, [(indexes, symbols)])


def test_nothing_to_code():
    tables = CdfTables.make({"prior": FactorizedPrior(1), "likelihood": Normal()})
    assert len(_round_trip(tables, [(np.zeros((1, 1, 0, 4), int), np.zeros((1, 1, 0, 4), int))])) <= 1


def test_parts_that_need_no_escape_cost_nothing_for_it(tables):
    indexes, symbols = np.full((1000,), 3), np.zeros((1000,), int)  # The smallest scale: almost certain.
    assert len(_round_trip(tables, [(indexes, symbols)])) <= 6


def test_an_escape_costs_its_sixteen_bits(tables):
    index = np.full((400,), 3)
    length = len(_round_trip(tables, [(index, np.full((400,), 20000))]))
    assert 400 * 4 - 4 <= length <= 400 * 4 + 8


def test_damaged_strings_give_other_symbols_or_are_too_short(tables):
    random, outcomes = np.random.default_rng(0), set()
    indexes = tf.constant(random.integers(0, len(tables.cdf_offset), (500,)), "int32")
    for _ in range(200):
        string = random.bytes(random.integers(0, 1000))
        try:
            assert RangeDecoder(tf.constant(string), tables).read(Cdfs(indexes)).shape == (500,)
            outcomes.add("symbols")
        except tf.errors.InvalidArgumentError as error:
            outcomes.add(TOO_SHORT if TOO_SHORT in str(error) else error)
    assert outcomes == {"symbols", TOO_SHORT}


def test_a_string_that_does_not_last_is_noticed_part_by_part(tables):
    decoder, indexes = RangeDecoder(tf.constant(b"\7" * 50), tables), tf.fill([1000], 0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=TOO_SHORT):
        for _ in range(3):
            decoder.read(Cdfs(indexes))


def _tables_of(*counts):
    """Returns tables of one source with a cdf of these counts, whose last is the escape's."""

    class Known:
        num_pmfs = 1
        mixture_size = 0

    array = np.array(counts, np.int32)
    length = np.array([len(counts) - 1], np.int32)
    return CdfTables.from_counts(array, np.array([-1], np.int32), length, {"known": 1}, {"known": Known()})


@pytest.mark.parametrize("counts", [(16384, 32768, 8192, 8192), (1, 65533, 1, 1), (2, 65532, 1, 1)])
@pytest.mark.parametrize("symbol", [-1, 0, 1])
def test_the_coder_reads_all_it_writes_where_the_end_is_left_out(counts, symbol):
    # With the first counts, the interval of the middle symbol holds 2^31 for ever: its words wait for a carry, and the
    # encoder leaves them out as zeros.
    tables = _tables_of(*counts)
    assert len(_round_trip(tables, [(np.zeros(20_000, int), np.full(20_000, symbol))])) > 0
