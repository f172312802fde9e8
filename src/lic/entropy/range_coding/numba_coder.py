"""A range coder in numba, which writes the same bytes as the C++ operations of tensorflow-compression.

An interval [base, base + size) of 32 bits is narrowed to the share of each symbol. When its size is at most 2^16, the
upper 16 bits of its base, one word, are settled but for a carry, and are written. A carry that comes later is added to
the words before.

Source: Martin, Range encoding, Video and Data Recording Conference 1979. Where that paper leaves a choice, this coder
takes the choice of tensorflow-compression.

A number is coded by a cdf of the tables, or by counts that are computed for it alone, from a mixture of normals in
whole numbers (see `lic.entropy.range_coding.fixed_point`), which those operations cannot do.
"""

from __future__ import annotations

import numba
import numpy as np

from lic.entropy.range_coding.cdf_tables import PRECISION, TOTAL, Cdfs, CdfTables
from lic.entropy.range_coding.fixed_point import (
    CDF_BITS,
    FIRST,
    LENGTH,
    MEAN_BITS,
    NORMALS,
    SLOPE_BITS,
    WEIGHT_BITS,
    normal_cdf,
)
from lic.environment import numpy_function, tf

_WORD, _BITS = 0xFFFF, 0xFFFFFFFF


def encode(tables: CdfTables, cdfs: Cdfs, values: tf.Tensor) -> tf.Tensor:
    """Codes values, each by its cdf, and returns them as one string."""
    starts = tables.starts()

    def run(indexes: np.ndarray, mixtures: np.ndarray, values: np.ndarray) -> bytes:
        return _encode(tables.cdf, starts, normal_cdf(), indexes, mixtures, values).tobytes()

    return tf.ensure_shape(numpy_function(run, [*cdfs, values], tf.string), [])


def start(tables: CdfTables, string: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the state of a decoder before the first symbol: four numbers that change, and the string."""

    def run(string: bytes | np.ndarray) -> np.ndarray:
        coded = _bytes_of(string)
        # The encoder leaves zeros at the end out, so that a string may have fewer than four bytes.
        first = np.concatenate([coded[:4], np.zeros(4, np.uint8)])[:4].astype(np.int64)
        value = first @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
        # The position to read on, the interval's base, its size less one, and the number read.
        return np.array([4, 0, _BITS, value], np.int64)

    return tf.ensure_shape(numpy_function(run, [string], tf.int64), [4]), tf.ensure_shape(string, [])


def decode(
    tables: CdfTables, state: tuple[tf.Tensor, tf.Tensor], cdfs: Cdfs
) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Reads a value for each cdf, and returns the state after them and the values."""
    starts = tables.starts()

    def run(
        place: np.ndarray, string: bytes | np.ndarray, indexes: np.ndarray, mixtures: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return _decode(tables.cdf, starts, normal_cdf(), _bytes_of(string), place, indexes, mixtures)

    place, string = state
    place, values = numpy_function(run, [place, string, *cdfs], [tf.int64, tf.int32])
    return (tf.ensure_shape(place, [4]), string), tf.ensure_shape(values, [None])


def _bytes_of(string: bytes | np.ndarray) -> np.ndarray:
    return np.frombuffer(string if isinstance(string, bytes) else string.item(), np.uint8)


def cumulative_counts(mixtures: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns the 65536ths below values, int32 [numbers, values].

    Args:
      mixtures: A mixture in whole numbers for each number [numbers, size].
      values: The values [numbers, values], 0 to one more than the number of symbols; at this value all 65536 are below.
    """

    def run(mixtures: np.ndarray, values: np.ndarray) -> np.ndarray:
        return _cumulative_counts(normal_cdf(), mixtures, values)

    return tf.ensure_shape(numpy_function(run, [mixtures, values], tf.int32), values.shape)


def symbol_counts(mixtures: tf.Tensor, first: int, length: int) -> tf.Tensor:
    """Returns the coder's counts of symbols, int32 [..., length + 1]; those of a number sum to 65536.

    Args:
      mixtures: A mixture in whole numbers for each number [..., size].
      first: The first symbol.
      length: The number of symbols. The last count is that of all others.
    """
    rows = tf.reshape(mixtures, [-1, mixtures.shape[-1]])
    values = first + tf.range(length + 1) - rows[:, FIRST, None]
    ends = cumulative_counts(rows, tf.clip_by_value(values, 0, rows[:, LENGTH, None]))
    inside = ends[:, 1:] - ends[:, :-1]
    counts = tf.concat([inside, TOTAL - tf.reduce_sum(inside, -1, keepdims=True)], -1)
    return tf.reshape(counts, tf.concat([tf.shape(mixtures)[:-1], [length + 1]], 0))


def quantiles(mixtures: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Returns the first symbol at whose end so many 65536ths have been counted, int32 [numbers].

    Args:
      mixtures: A mixture in whole numbers for each number [numbers, size].
      shares: The 65536ths [numbers], 1 to 65536; the largest give one more than the last symbol, as escapes have.
    """

    def run(mixtures: np.ndarray, shares: np.ndarray) -> np.ndarray:
        return _quantiles(normal_cdf(), mixtures, shares)

    return tf.ensure_shape(numpy_function(run, [mixtures, shares], tf.int32), mixtures.shape[:1])


@numba.njit(nogil=True, cache=True)
def _share_below(normal: np.ndarray, mixture: np.ndarray, symbol: int) -> int:
    """Returns the probability below the lower edge of a symbol, in 2^-40ths."""
    edge, share = (2 * symbol - 1) << (MEAN_BITS - 1), np.int64(0)
    for place in range(NORMALS, len(mixture), 3):
        # The place in the table, in 256ths of its steps; the distribution function is linear between two entries.
        weight, mean, slope = np.int64(mixture[place]), np.int64(mixture[place + 1]), np.int64(mixture[place + 2])
        step = (((edge - mean) * slope) >> SLOPE_BITS) + ((len(normal) // 2) << MEAN_BITS)
        step = min(max(step, 0), ((len(normal) - 1) << MEAN_BITS) - 1)
        low = normal[step >> MEAN_BITS]
        high = normal[(step >> MEAN_BITS) + 1]
        share += weight * (low + (((high - low) * (step & ((1 << MEAN_BITS) - 1))) >> MEAN_BITS))
    return share


@numba.njit(nogil=True, cache=True)
def _below(normal: np.ndarray, mixture: np.ndarray, first_share: int, value: int) -> int:
    """Returns the 65536ths below a value; each value has at least one of them.

    Args:
      normal: The distribution function of the normal distribution.
      mixture: The mixture.
      first_share: The probability below its first symbol.
      value: The value, 0 to one more than the number of symbols.
    """
    length = mixture[LENGTH]
    if value > length:
        return 1 << PRECISION
    share = _share_below(normal, mixture, mixture[FIRST] + value) - first_share
    return ((share * ((1 << PRECISION) - length - 1)) >> (WEIGHT_BITS + CDF_BITS)) + value


@numba.njit(nogil=True, cache=True)
def _value_at(normal: np.ndarray, mixture: np.ndarray, size: np.uint64, wanted: np.uint64) -> tuple[int, int, int]:
    """Returns the first value whose upper end, times a size, is not below a number, and both its ends."""
    first_share = _share_below(normal, mixture, mixture[FIRST])
    low, high, below, upto = 0, np.int64(mixture[LENGTH]), np.int64(0), np.int64(1 << PRECISION)
    while low < high:
        middle = (low + high) >> 1
        end = _below(normal, mixture, first_share, middle + 1)
        if wanted <= size * np.uint64(end):
            high, upto = middle, end
        else:
            low, below = middle + 1, end
    return low, below, upto


@numba.njit(nogil=True, cache=True)
def _cumulative_counts(normal: np.ndarray, mixtures: np.ndarray, values: np.ndarray) -> np.ndarray:
    counts = np.empty(values.shape, np.int32)
    for number in range(len(values)):
        first_share = _share_below(normal, mixtures[number], mixtures[number, FIRST])
        for place in range(values.shape[1]):
            counts[number, place] = _below(normal, mixtures[number], first_share, values[number, place])
    return counts


@numba.njit(nogil=True, cache=True)
def _quantiles(normal: np.ndarray, mixtures: np.ndarray, shares: np.ndarray) -> np.ndarray:
    symbols = np.empty(len(mixtures), np.int32)
    for number in range(len(mixtures)):
        value, _, _ = _value_at(normal, mixtures[number], np.uint64(1), np.uint64(shares[number]))
        symbols[number] = mixtures[number, FIRST] + value
    return symbols


@numba.njit(nogil=True, cache=True)
def _encode(
    cdf: np.ndarray,
    starts: np.ndarray,
    normal: np.ndarray,
    indexes: np.ndarray,
    mixtures: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    words = np.empty(len(indexes) + 3, np.int64)  # A symbol writes one word at most.
    written, settled = 0, 0  # Words from `settled` on may still take a carry.
    base, size = np.uint64(0), np.uint64(1) << np.uint64(32)
    next_mixture = 0
    for number in range(len(indexes)):
        if indexes[number] >= 0:
            place = starts[indexes[number]] + values[number]
            below, upto = np.int64(cdf[place]), np.int64(cdf[place + 1])
        else:
            mixture = mixtures[next_mixture]
            next_mixture += 1
            first_share = _share_below(normal, mixture, mixture[FIRST])
            below = _below(normal, mixture, first_share, values[number])
            upto = _below(normal, mixture, first_share, values[number] + 1)
        lower = (size * np.uint64(below)) >> np.uint64(PRECISION)
        upper = (size * np.uint64(upto)) >> np.uint64(PRECISION)
        base, size = base + lower, upper - lower
        if base > np.uint64(_BITS):  # The base has passed 2^32: a carry goes into the words before, and settles them.
            base &= np.uint64(_BITS)
            _carry(words, written)
            settled = written
        elif base + size <= np.uint64(1) << np.uint64(32):  # No number of the interval has a carry.
            settled = written
        if size <= np.uint64(1 << 16):
            words[written] = np.int64(base >> np.uint64(16))
            written += 1
            base = (base << np.uint64(16)) & np.uint64(_BITS)
            size <<= np.uint64(16)
            if base + size <= np.uint64(1) << np.uint64(32):
                settled = written
    return _finish(words, written, settled, base, size)


@numba.njit(nogil=True, cache=True)
def _carry(words: np.ndarray, written: int) -> None:
    """Adds one to the number whose digits, to the base 2^16, are the words."""
    place = written - 1
    words[place] += 1
    while words[place] > _WORD:
        words[place] = 0
        place -= 1
        words[place] += 1


@numba.njit(nogil=True, cache=True)
def _finish(words: np.ndarray, written: int, settled: int, base: np.uint64, size: np.uint64) -> np.ndarray:
    """Returns the bytes of the shortest number that lies in the interval, without zeros at their end."""
    last = 0
    if settled < written:
        # The shortest number in the interval is the one with the carry, after which all words are zero.
        _carry(words, written)
        written, last = settled, words[settled]
    elif base:
        # The next multiple of 2^24 takes one byte; if it is not in the interval, the next multiple of 2^16 takes two.
        byte = ((base - np.uint64(1)) >> np.uint64(24)) + np.uint64(1)
        if byte <= (base + size - np.uint64(1)) >> np.uint64(24):
            last = np.int64(byte) << 8
        else:
            last = np.int64(((base - np.uint64(1)) >> np.uint64(16)) + np.uint64(1))
    coded = np.empty(2 * written + 2, np.uint8)
    for number in range(written):
        coded[2 * number], coded[2 * number + 1] = words[number] >> 8, words[number] & 255
    coded[2 * written], coded[2 * written + 1] = last >> 8, last & 255
    return coded[: 2 * written + (2 if last & 255 else 1 if last else 0)]


@numba.njit(nogil=True, cache=True)
def _decode(
    cdf: np.ndarray,
    starts: np.ndarray,
    normal: np.ndarray,
    coded: np.ndarray,
    place: np.ndarray,
    indexes: np.ndarray,
    mixtures: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    values = np.empty(len(indexes), np.int32)
    position, base, value = place[0], np.uint64(place[1]), np.uint64(place[3])
    size = np.uint64(place[2]) + np.uint64(1)
    next_mixture = 0
    for number in range(len(indexes)):
        # The number's place in the interval is scaled by 2^16, and not divided by the size, which would round.
        wanted = (((value - base) & np.uint64(_BITS)) + np.uint64(1)) << np.uint64(PRECISION)
        if indexes[number] >= 0:
            first = starts[indexes[number]]
            # A binary search finds the first symbol whose upper end is not below the wanted number.
            low, high = first + 1, starts[indexes[number] + 1] - 2
            while low < high:
                middle = (low + high) >> 1
                if wanted <= size * np.uint64(cdf[middle]):
                    high = middle
                else:
                    low = middle + 1
            values[number] = low - first - 1
            below, upto = np.int64(cdf[low - 1]), np.int64(cdf[low])
        else:
            values[number], below, upto = _value_at(normal, mixtures[next_mixture], size, wanted)
            next_mixture += 1
        lower = (size * np.uint64(below)) >> np.uint64(PRECISION)
        upper = (size * np.uint64(upto)) >> np.uint64(PRECISION)
        base, size = (base + lower) & np.uint64(_BITS), upper - lower
        if size <= np.uint64(1 << 16):
            base = (base << np.uint64(16)) & np.uint64(_BITS)
            size <<= np.uint64(16)
            value = (value << np.uint64(16)) & np.uint64(_BITS)
            for shift in (8, 0):  # Beyond the end of the string there are the zeros that the encoder left out.
                if position < len(coded):
                    value |= np.uint64(coded[position]) << np.uint64(shift)
                position += 1
    after = np.empty(4, np.int64)
    after[0], after[1], after[2], after[3] = position, base, size - np.uint64(1), value
    return after, values
