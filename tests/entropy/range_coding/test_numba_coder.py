"""The coder in numba gives the bytes of the packages' operations, and reads them."""

import concurrent.futures
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest

from lic.entropy import CdfTables, FactorizedPrior, Normal
from lic.entropy.range_coding import numba_coder, range_coder
from lic.entropy.range_coding.cdf_tables import LIMIT, Cdfs
from lic.environment import tf
from tests.conftest import slow_but

operations = range_coder._coder
both = pytest.mark.skipif(operations is numba_coder, reason="there is no other coder here")


@pytest.fixture(scope="module")
def tables():
    return CdfTables.make({"prior": FactorizedPrior(3), "likelihood": Normal()})


def _tables_of(*counts):
    """Returns tables whose cdfs have these counts, the last of which is the escape's."""
    length = np.array([len(each) - 1 for each in counts], np.int32)
    return CdfTables.from_counts(np.concatenate(counts).astype(np.int32), np.zeros_like(length), length, {}, {})


EXTREME = {
    "certain": _tables_of([65535, 1], [1, 65535]),
    "even": _tables_of([1] * 65535 + [1]),
    "small steps": _tables_of([1, 65534, 1], [32768, 32767, 1], [1, 1, 65534]),
}


def _cdfs(indexes):
    return Cdfs(tf.constant(indexes, tf.int32), tf.zeros([0, 0], tf.int32))


def _string(coder, tables, indexes, values):
    return coder.encode(tables, _cdfs(indexes), tf.constant(values, tf.int32)).numpy()


def _read(coder, tables, string, indexes, parts=1):
    state, values = coder.start(tables, tf.constant(string)), []
    for part in np.array_split(indexes, parts):
        state, read = coder.decode(tables, state, _cdfs(part))
        values.append(read.numpy())
    return np.concatenate(values)


def _drawn(tables, count, seed, typical=True):
    """Returns indexes of cdfs, and values drawn by their probabilities, or uniformly."""
    random = np.random.default_rng(seed)
    indexes = random.integers(0, len(tables.cdf_length), count)
    if not typical:
        return indexes, random.integers(0, tables.cdf_length[indexes] + 1)
    starts = tables.starts()
    values = np.empty(count, np.int64)
    for index in range(len(tables.cdf_length)):
        counts = tables.cdf[starts[index] : starts[index + 1] - 1]
        mine = indexes == index
        values[mine] = np.searchsorted(counts, random.integers(0, 65536, mine.sum()), "right") - 1
    return indexes, values


@both
@pytest.mark.parametrize("typical", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_random_symbols_give_the_same_bytes(tables, seed, typical):
    count = int(np.random.default_rng(seed).integers(0, 400))
    indexes, values = _drawn(tables, count, seed, typical)
    string = _string(operations, tables, indexes, values)
    assert _string(numba_coder, tables, indexes, values) == string
    np.testing.assert_array_equal(_read(numba_coder, tables, string, indexes, parts=3), values)


@both
@pytest.mark.parametrize("name", EXTREME)
@pytest.mark.parametrize("seed", range(50))
def test_extreme_tables_give_the_same_bytes(name, seed):
    tables = EXTREME[name]
    for typical in (True, False):
        indexes, values = _drawn(tables, 1 + seed * 7, seed, typical)
        string = _string(operations, tables, indexes, values)
        assert _string(numba_coder, tables, indexes, values) == string
        np.testing.assert_array_equal(_read(numba_coder, tables, string, indexes), values)


@both
def test_carries_run_through_many_words():
    # Symbols at the upper end of an interval keep it across a word's edge, until one settles which side it is on.
    tables = EXTREME["small steps"]
    random = np.random.default_rng(0)
    for _ in range(300):
        count = int(random.integers(2, 60))
        indexes = np.zeros(count, int)
        values = np.where(random.random(count) < 0.9, 1, random.integers(0, 3, count))
        string = _string(operations, tables, indexes, values)
        assert _string(numba_coder, tables, indexes, values) == string
        np.testing.assert_array_equal(_read(numba_coder, tables, string, indexes), values)


@both
@pytest.mark.parametrize("count", slow_but([1_000_000, 10_000_000], 1_000_000))
def test_many_symbols_give_the_same_bytes(tables, count):
    indexes, values = _drawn(tables, count, 1)
    string = _string(operations, tables, indexes, values)
    assert _string(numba_coder, tables, indexes, values) == string
    np.testing.assert_array_equal(_read(numba_coder, tables, string, indexes), values)


@both
def test_damaged_strings_are_read_alike(tables):
    random = np.random.default_rng(0)
    indexes = random.integers(0, len(tables.cdf_length) + 2, 500)  # Those of escapes, too.
    for _ in range(200):
        string = random.bytes(int(random.integers(0, 60)))
        np.testing.assert_array_equal(
            _read(numba_coder, tables, string, indexes), _read(operations, tables, string, indexes), string.hex()
        )


def test_nothing_to_code(tables):
    assert _string(numba_coder, tables, np.zeros(0), np.zeros(0)) == b""
    assert _read(numba_coder, tables, b"", np.zeros(0, int)).shape == (0,)


def test_a_string_is_read_in_any_parts(tables):
    indexes, values = _drawn(tables, 1000, 5)
    string = _string(numba_coder, tables, indexes, values)
    for parts in (1, 2, 7, 1000):
        np.testing.assert_array_equal(_read(numba_coder, tables, string, indexes, parts), values)


def test_threads_do_not_disturb_each_other(tables):
    tasks = [_drawn(tables, 20_000, seed) for seed in range(16)]
    alone = [_string(numba_coder, tables, *task) for task in tasks]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda task: _string(numba_coder, tables, *task), tasks)) == alone
        read = pool.map(lambda pair: _read(numba_coder, tables, pair[0], pair[1][0], 5), zip(alone, tasks, strict=True))
        for values, (_, expected) in zip(read, tasks, strict=True):
            np.testing.assert_array_equal(values, expected)


CODEC = """
import sys, numpy as np, lic
from lic.entropy.range_coding import range_coder
codec = lic.load("default")
image = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
stream = codec.compress(image)
assert codec.decompress(stream).shape == image.shape
print(range_coder.coder_name(), stream.hex())
"""


def _codec_with(choice):
    environment = os.environ | {"LIC_CODER": choice}
    ended = subprocess.run([sys.executable, "-c", CODEC], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.split()


@both
@pytest.mark.slow
def test_a_codec_gives_the_same_stream_with_either():
    (_, by_numba), (package, by_operations) = (_codec_with(choice) for choice in ("numba", "tensorflow"))
    assert by_numba == by_operations
    assert package.startswith("tensorflow_compression")
    assert _codec_with("numba")[0] == "numba"


def test_another_choice_is_refused(monkeypatch):
    monkeypatch.setenv("LIC_CODER", "fast")
    with pytest.raises(Exception, match="LIC_CODER=fast: expected numba, tensorflow or nothing."):
        runpy.run_path(range_coder.__file__)


def test_symbols_outside_their_rows_come_back(tables, monkeypatch):
    monkeypatch.setattr(range_coder, "_coder", numba_coder)
    random = np.random.default_rng(3)
    indexes = tf.constant(random.integers(0, len(tables.cdf_offset), 500), tf.int32)
    symbols = np.clip(np.rint(random.normal(0, 1e4, 500)), -LIMIT, LIMIT).astype(np.int32)
    encoder = range_coder.RangeEncoder(tables)
    encoder.write(Cdfs(indexes), tf.constant(symbols))
    np.testing.assert_array_equal(range_coder.RangeDecoder(encoder.finish()[0], tables).read(Cdfs(indexes)), symbols)
