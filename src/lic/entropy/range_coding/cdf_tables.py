"""The coder's tables: integer cumulative counts, made once from the model and kept with the codec."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import Normal, ScaleTable
from lic.environment import tf

PRECISION = 16
TOTAL = 1 << PRECISION
LIMIT = TOTAL // 2 - 1  # Symbols are clipped to +-LIMIT, so that LIMIT + symbol fits an escape's row.
LONGEST_ROW = 4096
TAIL = 2.0**-24  # Probability beyond each end of a row, which the row's escape symbol takes.


class Tables(NamedTuple):
    """Rows of cumulative counts: first those of the priors' channels, then those of the scales, then two for escapes.

    A row codes the symbols `first .. first + size - 1` as 0 .. size - 1; `size` itself says that an escape follows.

    Attributes:
      counts: The counts of all rows but the last two behind each other, each row's summing up to 65536; int32.
      first: The first symbol of each of these rows; int32.
      size: How many symbols each of them holds, escape left out; int32.
      lookup: All rows behind each other as the range coder takes them: the precision, then cumulative counts; int32.
      priors: Number of rows of each learnt prior, in the entropy model's order.
      scales: The table of scales.
    """

    counts: np.ndarray
    first: np.ndarray
    size: np.ndarray
    priors: tuple[int, ...]
    scales: ScaleTable
    lookup: np.ndarray

    @classmethod
    def from_counts(
        cls,
        counts: np.ndarray,
        first: np.ndarray,
        size: np.ndarray,
        priors: tuple[int, ...],
        scales: ScaleTable,
    ) -> Tables:
        """Makes the tables from what a codec file keeps of them."""
        cumulative = [np.concatenate([[PRECISION, 0], np.cumsum(row)]) for row in _split(counts, size)]
        escapes = [[PRECISION, 0, TOTAL], [PRECISION, *range(TOTAL + 1)]]
        return cls(
            counts,
            first,
            size,
            priors,
            scales,
            np.concatenate(cumulative + escapes).astype(np.int32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], described: Mapping[str, Any]) -> Tables:
        """Makes the tables from what `arrays` and `described` returned.

        Raises:
          ValueError: These are no tables: a coder that was given them might not return.
        """
        counts, first, size = (_whole(arrays[f"tables/{name}"]) for name in ("counts", "first", "size"))
        priors, scales = tuple(described["priors"]), ScaleTable(*described["scales"])
        _check_rows(counts, first, size, sum(priors) + scales.count)
        return cls.from_counts(counts, first, size, priors, scales)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns what a codec file keeps of the tables, by names."""
        return {"tables/counts": self.counts, "tables/first": self.first, "tables/size": self.size}

    def described(self) -> dict[str, Any]:
        """Returns the rest of it, as plain data."""
        return {"priors": list(self.priors), "scales": self.scales.described()}

    @property
    def no_escape_row(self) -> int:
        """The row that holds one certain symbol, which costs nothing."""
        return len(self.first)

    @property
    def escape_row(self) -> int:
        """The row that holds 65536 equally probable symbols."""
        return len(self.first) + 1

    def normal_rows(self, normal: Normal) -> tf.Tensor:
        """Returns the row of each number of a normal distribution."""
        return sum(self.priors) + self.scales.row(normal.index)

    def prior_rows(self, number: int, shape: tf.Tensor) -> tf.Tensor:
        """Returns the rows of the prior with this number for a tensor [..., channels] of the given shape."""
        start = sum(self.priors[:number])
        return tf.broadcast_to(tf.range(start, start + self.priors[number]), shape)

    def prior_medians(self, number: int) -> np.ndarray:
        """Returns the median [channels] of the symbols that each row of the prior with this number holds."""
        start = sum(self.priors[:number])
        rows = slice(start, start + self.priors[number])
        held = [np.cumsum(row[:-1]) for row in _split(self.counts, self.size)[rows]]
        return self.first[rows] + [np.searchsorted(below, below[-1] / 2) for below in held]


def make_tables(priors: list[FactorizedPrior], scales: ScaleTable) -> Tables:
    """Makes the tables of a model's learnt priors and scales, in float64."""
    rows = [(first, to_counts(row)) for prior in priors for first, row in _prior_rows(prior)]
    rows += _normal_rows(scales)
    return Tables.from_counts(
        np.concatenate([row for _, row in rows]).astype(np.int32),
        np.array([first for first, _ in rows], np.int32),
        np.array([len(row) - 1 for _, row in rows], np.int32),
        tuple(prior.channels for prior in priors),
        scales,
    )


def to_counts(probabilities: np.ndarray) -> np.ndarray:
    """Returns positive integers that sum to 65536, as near to the probabilities as that allows."""
    low, high = 0.0, 2.0 * TOTAL / probabilities.sum()
    for _ in range(100):  # The factor at which counts of at least one sum up to the total.
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(probabilities * middle, 1).sum() < TOTAL else (low, middle)
    exact = np.maximum(probabilities * low, 1)
    whole = np.floor(exact).astype(np.int64)
    missing = TOTAL - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return whole


def _check_rows(counts: np.ndarray, first: np.ndarray, size: np.ndarray, number: int) -> None:
    if not len(first) == len(size) == number or size.min() < 1 or size.max() > LONGEST_ROW:
        raise ValueError(f"there are not {number} rows of 1 to {LONGEST_ROW} symbols")
    if first.min() < -LIMIT or first.max() > LIMIT or (first + size).max() > LIMIT + 1:
        raise ValueError(f"rows hold symbols beyond +-{LIMIT}")
    if len(counts) != (size + 1).sum() or counts.min() < 1:
        raise ValueError("rows do not have a positive count for each symbol")
    if any(row.sum(dtype=np.int64) != TOTAL for row in _split(counts, size)):
        raise ValueError(f"counts of a row do not sum up to {TOTAL}")


def _whole(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.int32 or array.ndim != 1 or not array.size:
        raise ValueError(f"expected a list of int32, found {array.dtype} of shape {array.shape}")
    return array


def _split(counts: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    """The counts of each row, that of its escape last."""
    return np.split(counts, np.cumsum(size[:-1] + 1))


@functools.lru_cache(maxsize=8)  # Most models have the same scales.
def _normal_rows(scales: ScaleTable) -> tuple[tuple[int, np.ndarray], ...]:
    """First symbol and counts of each scale, that of an escape last."""
    return tuple((first, to_counts(row)) for first, row in map(_normal_row, scales.deviations()))


def _normal_row(deviation: float) -> tuple[int, np.ndarray]:
    """First symbol and probabilities, that of an escape last."""
    tail = np.array([0.5 * math.erfc((k + 0.5) / deviation * 0.5**0.5) for k in range(LONGEST_ROW // 2)])
    last = min(np.count_nonzero(tail >= TAIL), len(tail) - 1)
    half = np.concatenate([[1 - 2 * tail[0]], tail[:last] - tail[1 : last + 1]])
    return -last, np.concatenate([half[:0:-1], half, [2 * tail[last]]])


def _prior_rows(prior: FactorizedPrior) -> list[tuple[int, np.ndarray]]:
    """First symbol and probabilities of each channel, that of an escape last."""
    edge = math.log(TAIL) - math.log1p(-TAIL)
    middle = _crossing(prior, 0.0)
    first = np.maximum(_crossing(prior, edge), middle - LONGEST_ROW // 2)
    last = np.minimum(_crossing(prior, -edge), middle + LONGEST_ROW // 2 - 1)
    symbols = np.arange(first.min(), last.max() + 2)
    logits = prior.cumulative_logits(np.tile(symbols - 0.5, (prior.channels, 1)))
    rows = zip(logits, first - symbols[0], last - symbols[0])
    return [(symbols[start], _prior_row(row, start, stop)) for row, start, stop in rows]


def _prior_row(logits: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Probabilities of symbols start to stop, whose lower edges have these logits, and of all others."""
    lower, upper = logits[start : stop + 1], logits[start + 1 : stop + 2]
    sign = np.where(lower + upper > 0, -1, 1)
    inside = np.abs(_sigmoid(sign * upper) - _sigmoid(sign * lower))
    outside = _sigmoid(logits[start]) + _sigmoid(-logits[stop + 1])
    return np.append(inside, outside)


def _crossing(prior: FactorizedPrior, logit: float) -> np.ndarray:
    """For each channel the first symbol whose upper edge has a larger logit, within the clip."""
    low, high = np.full(prior.channels, -LIMIT), np.full(prior.channels, LIMIT)
    while (low < high).any():
        middle = (low + high) // 2
        above = prior.cumulative_logits(middle[:, None] + 0.5)[:, 0] > logit
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
        low = np.minimum(low, high)
    return low


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))
