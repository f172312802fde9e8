"""The coder's tables: integer cumulative counts, made once from the model and stored with the codec."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from lic.entropy.range_coding.fixed_point import FIRST, LENGTH
from lic.environment import keras, tf
from lic.errors import LicError

if TYPE_CHECKING:
    from lic.entropy.distributions.base import Distribution

PRECISION = 16
TOTAL = 1 << PRECISION
LIMIT = TOTAL // 2 - 1  # Symbols are clipped to +-LIMIT, so that LIMIT + symbol fits the cdf of escapes.
LONGEST_PMF = 4096
TAIL = 2.0**-24  # A pmf ends where either tail has this probability; its escape takes both tails.

# A pmf is its first symbol, and the probabilities of this symbol and of those after it. The last number is the
# probability of all other symbols, which are coded as escapes.
Pmf = tuple[int, np.ndarray]


class Source(Hashable, Protocol):
    """A likelihood or a prior, whose distributions name their pmfs by an index."""

    num_pmfs: int
    mixture_size: int

    def pmfs(self) -> Iterable[Pmf]:
        """Returns the pmfs in the order of that index."""


class Cdfs(NamedTuple):
    """The cdfs of numbers.

    Attributes:
      index: The index of each number's cdf in the tables, int32; -1 for a mixture, which tables cannot hold.
      mixtures: The mixtures of those numbers in whole numbers [..., size], int32, by which the coder in numba counts
        (see `lic.entropy.range_coding.fixed_point`); None where there are none.
    """

    index: tf.Tensor
    mixtures: tf.Tensor | None = None

    def flat(self) -> Cdfs:
        """Returns the cdfs of the same numbers in one row; all of them are in tables, or none is."""
        mixtures = None if self.mixtures is None else tf.reshape(self.mixtures, [-1, self.mixtures.shape[-1]])
        return Cdfs(tf.reshape(self.index, [-1]), mixtures)

    def gather(self, places: tf.Tensor) -> Cdfs:
        """Returns the cdfs of those numbers in one row that are at some places [count]."""
        return Cdfs(*(None if each is None else tf.gather(each, places) for each in self))

    def first_and_length(
        self, offset: np.ndarray | tf.Tensor, length: np.ndarray | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first symbol of each cdf, and the number of its symbols, the escape left out.

        Args:
          offset: The attribute `cdf_offset` of the tables, as an array or a tensor.
          length: The attribute `cdf_length` of the tables, likewise.
        """
        if self.mixtures is None:
            return tf.gather(offset, self.index), tf.gather(length, self.index)
        return self.mixtures[..., FIRST], self.mixtures[..., LENGTH]


class CdfTables(NamedTuple):
    """The cdfs of all sources one after the other, then two for escapes.

    A cdf codes the symbols `cdf_offset .. cdf_offset + cdf_length - 1` as 0 .. cdf_length - 1; the number `cdf_length`
    itself stands for an escape. The symbol of an escape is coded by a cdf that is uniform over all symbols.

    Attributes:
      counts: The integer counts of all cdfs but the last two, one after the other; those of a cdf sum to 65536; int32.
      cdf_offset: The first symbol of each of these cdfs; int32.
      cdf_length: The number of symbols of each of them, the escape left out; int32.
      sources: The attribute path of each source in the entropy model, and its number of cdfs.
      first_index: The index of the first cdf of each source.
      cdf: All cdfs one after the other as range coders take them: the precision, then cumulative counts; int32.
    """

    counts: np.ndarray
    cdf_offset: np.ndarray
    cdf_length: np.ndarray
    sources: tuple[tuple[str, int], ...]
    first_index: Mapping[Source, int]
    cdf: np.ndarray

    @classmethod
    def make(cls, sources: Mapping[str, Source]) -> CdfTables:
        """Makes the tables of sources, given by their attribute paths.

        Raises:
          ValueError: The pmfs of a source make no valid tables.
        """
        made = {path: tuple(_counts_of(source)) for path, source in sources.items()}
        for path, cdfs in made.items():
            kind, count = type(sources[path]).__name__, sources[path].num_pmfs
            if len(cdfs) != count:
                raise ValueError(f"{kind} at {path!r}: expected {count} pmfs, its num_pmfs. Received: {len(cdfs)}.")
            try:
                _check(*_arrays_of(cdfs), count)
            except ValueError as error:
                raise ValueError(f"{kind} at {path!r} has pmfs that make no tables: {error}.") from None
        arrays = _arrays_of([cdf for each in made.values() for cdf in each])
        return cls.from_counts(*arrays, {path: len(each) for path, each in made.items()}, sources)

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], described: Mapping[str, Any], sources: Mapping[str, Source]
    ) -> CdfTables:
        """Makes the tables from the results of `arrays` and `described`, for the sources of the same model.

        Args:
          arrays: The arrays of a codec file, by names.
          described: The plain data of a codec file.
          sources: The sources of the model, by their attribute paths.

        Raises:
          ValueError: The arrays are no valid tables, or the tables belong to another model.
        """
        counts, offset, length = (_integers(arrays[f"tables/{name}"]) for name in ("pmf", "cdf_offset", "cdf_length"))
        num_cdfs = {path: int(count) for path, count in described["sources"]}
        expected = {path: source.num_pmfs for path, source in sources.items()}
        if num_cdfs != expected:
            raise ValueError(f"they have cdfs for {num_cdfs}, and the model needs {expected}")
        _check(counts, offset, length, sum(num_cdfs.values()))
        return cls.from_counts(counts, offset, length, num_cdfs, sources)

    @classmethod
    def from_counts(
        cls,
        counts: np.ndarray,
        offset: np.ndarray,
        length: np.ndarray,
        num_cdfs: Mapping[str, int],
        sources: Mapping[str, Source],
    ) -> CdfTables:
        """Makes the tables from integer counts.

        Args:
          counts: As the attribute `counts`.
          offset: As the attribute `cdf_offset`.
          length: As the attribute `cdf_length`.
          num_cdfs: The number of cdfs of each source, by its attribute path, in the order of the arrays.
          sources: The sources by their attribute paths.
        """
        # A cdf is its precision, then its cumulative counts from 0. The last two cdfs are those of escapes: one of a
        # single certain symbol, and one of 65536 equally probable symbols.
        cumulative = [np.concatenate([[PRECISION, 0], np.cumsum(each)]) for each in _split(counts, length)]
        escapes = [[PRECISION, 0, TOTAL], [PRECISION, *range(TOTAL + 1)]]
        first = np.cumsum([0, *num_cdfs.values()])
        return cls(
            counts,
            offset,
            length,
            tuple(num_cdfs.items()),
            {sources[path]: int(index) for path, index in zip(num_cdfs, first)},
            np.concatenate(cumulative + escapes).astype(np.int32),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the arrays that a codec file stores, by names."""
        return {"tables/pmf": self.counts, "tables/cdf_offset": self.cdf_offset, "tables/cdf_length": self.cdf_length}

    def described(self) -> dict[str, Any]:
        """Returns the rest that a codec file stores, as plain data."""
        return {"sources": [list(each) for each in self.sources]}

    @property
    def no_escape(self) -> int:
        """The index of the cdf of one certain symbol, which costs nothing."""
        return len(self.cdf_offset)

    @property
    def escape(self) -> int:
        """The index of the cdf of 65536 equally probable symbols."""
        return len(self.cdf_offset) + 1

    @property
    def mixture_size(self) -> int:
        """The size of the largest mixture in whole numbers; 0 if no likelihood makes mixtures."""
        return max((source.mixture_size for source in self.first_index), default=0)

    def cdfs(self, name: str, distribution: Distribution) -> Cdfs:
        """Returns the cdf of each number of a part.

        Args:
          name: The part that is coded, for the message.
          distribution: The distribution that it is coded under.

        Raises:
          LicError: The tables have no cdfs of this distribution, or its mixtures are not of the size that its
            likelihood states.
        """
        check_source(name, distribution, self.first_index)
        source = source_of(distribution)
        size = source.mixture_size
        if not size:
            return Cdfs(self.first_index[source] + distribution.pmf_index())
        mixtures = distribution.mixtures()
        if mixtures.shape[-1] not in (None, size):
            raise LicError(
                f"{type(distribution).__name__}.mixtures: expected {size} whole numbers for each number of the part "
                f"{name!r}, which is the mixture_size of {type(source).__name__}. Received: {mixtures.shape[-1]}."
            )
        # A normal of weight zero changes nothing, so that mixtures of one string have one size.
        mixtures = tf.pad(mixtures, [[0, 0]] * 4 + [[0, self.mixture_size - size]])
        return Cdfs(tf.fill(tf.shape(mixtures)[:-1], -1), mixtures)

    def starts(self) -> np.ndarray:
        """Returns the position of each cdf's cumulative counts in `cdf`, and then the end of the last."""
        # A cdf is stored as its precision and one number more than its symbols, of which its escape is one.
        lengths = np.concatenate([self.cdf_length.astype(np.int64) + 3, [3, (1 << PRECISION) + 2]])
        return np.concatenate([[0], np.cumsum(lengths)]) + 1

    def bits(self) -> np.ndarray:
        """Returns the 256ths of bits that each value takes, int64; those of a cdf begin at its position in `starts`."""
        return bits_of_counts(np.diff(self.cdf, append=0))  # The differences between two cdfs belong to no value.

    def least_bits_of(self, distribution: Distribution) -> np.ndarray:
        """Returns the bits of the cheapest value of each cdf of a distribution, float64 [number of cdfs]."""
        source = source_of(distribution)
        if source.mixture_size:  # Nearly all 65536 counts may be those of one symbol.
            return np.zeros(1)
        first = self.first_index[source]
        counts = _split(self.counts, self.cdf_length)[first : first + source.num_pmfs]
        return np.array([PRECISION - np.log2(each.max()) for each in counts])

    def medians(self) -> np.ndarray:
        """Returns the median of the symbols of each cdf, int32."""
        # The last count of a cdf is its escape's, which has no place among the symbols.
        below = [np.cumsum(each[:-1]) for each in _split(self.counts, self.cdf_length)]
        return self.cdf_offset + np.array([np.searchsorted(each, each[-1] / 2) for each in below], np.int32)


def source_of(distribution: Distribution) -> Source:
    """Returns the likelihood of a distribution, or the distribution itself if no likelihood made it."""
    return distribution if distribution.likelihood is None else distribution.likelihood


def check_source(name: str, distribution: Distribution, known: Container[Source]) -> None:
    """Checks that the coder's tables hold the probabilities of a distribution.

    Args:
      name: The part that is coded under it.
      distribution: The distribution.
      known: The sources of the tables.

    Raises:
      LicError: They do not.
    """
    source = source_of(distribution)
    if source not in known:
        raise LicError(
            f"The part {name!r} is coded under {type(source).__name__}, which the coder's tables do not have: they are "
            "made of the likelihoods and priors that are attributes of the entropy model. Keep this one as an "
            "attribute, or code under self.likelihood or self.prior."
        )


def bits_of_counts(counts: np.ndarray) -> np.ndarray:
    """Returns the 256ths of bits that a value of each count takes, int64."""
    return np.rint(256 * (PRECISION - np.log2(np.maximum(counts, 1)))).astype(np.int64)


def to_counts(probabilities: np.ndarray) -> np.ndarray:
    """Returns positive integers that sum to 65536, as near to the probabilities as that allows."""
    low, high = 0.0, 2.0 * TOTAL / probabilities.sum()
    for _ in range(100):  # Bisection for the factor at which counts of at least one sum to the total.
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(probabilities * middle, 1).sum() < TOTAL else (low, middle)
    # The counts that rounding down leaves over go to the largest remainders, in an order that is the same everywhere.
    exact = np.maximum(probabilities * low, 1)
    whole = np.floor(exact).astype(np.int64)
    missing = TOTAL - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return whole


def _counts_of(source: Source) -> Iterable[tuple[int, np.ndarray]]:
    # Equal likelihoods share their counts, which take long to make. Layers, and what equals only itself, may have
    # weights, which change.
    if families := getattr(source, "families", ()):
        return itertools.chain.from_iterable(map(_shared_counts, families))
    if isinstance(source, keras.layers.Layer) or type(source).__hash__ is object.__hash__:
        return ((first, to_counts(probabilities)) for first, probabilities in source.pmfs())
    return _shared_counts(source)


@functools.lru_cache(maxsize=64)
def _shared_counts(source: Source) -> tuple[tuple[int, np.ndarray], ...]:
    return tuple((first, to_counts(probabilities)) for first, probabilities in source.pmfs())


def _arrays_of(cdfs: Sequence[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the counts, first symbols and lengths of cdfs, each given by its first symbol and its counts."""
    return (
        np.concatenate([np.zeros(0), *(counts for _, counts in cdfs)]).astype(np.int32),
        np.array([first for first, _ in cdfs], np.int32),
        np.array([len(counts) - 1 for _, counts in cdfs], np.int32),
    )


def _check(counts: np.ndarray, offset: np.ndarray, length: np.ndarray, number: int) -> None:
    # With wrong cdfs a range coder may read beyond their end, or never return.
    if number == 0 == len(offset) == len(length) == len(counts):  # All likelihoods make mixtures.
        return
    if not number or not len(offset) == len(length) == number or length.min() < 1 or length.max() > LONGEST_PMF:
        raise ValueError(f"there are not {number} cdfs of 1 to {LONGEST_PMF} symbols")
    if offset.min() < -LIMIT or offset.max() > LIMIT or (offset + length).max() > LIMIT + 1:
        raise ValueError(f"cdfs hold symbols beyond +-{LIMIT}")
    if len(counts) != (length + 1).sum() or counts.min() < 1:
        raise ValueError("cdfs do not have a positive count for each symbol")
    if any(each.sum(dtype=np.int64) != TOTAL for each in _split(counts, length)):
        raise ValueError(f"counts of a cdf do not sum to {TOTAL}")


def _integers(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.int32 or array.ndim != 1:
        raise ValueError(f"expected a list of int32, found {array.dtype} of shape {array.shape}")
    return array


def _split(counts: np.ndarray, length: np.ndarray) -> list[np.ndarray]:
    """Returns the counts of each cdf, whose last is that of its escape."""
    return np.split(counts, np.cumsum(length[:-1] + 1)) if len(length) else []
