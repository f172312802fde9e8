"""The coder of a preview: it reads the first parts of a stream, and takes the rest where it is expected."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lic.entropy.coders.coder import Decode, Estimate, number_of
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import Part
from lic.entropy.range_coding.cdf_tables import Tables
from lic.environment import tf
from lic.errors import check

if TYPE_CHECKING:
    from lic.entropy.base import EntropyModel


class Preview(Decode):
    """Reads the side information and the first parts; the numbers of all others are their means.

    Under a learnt prior, which has no mean of its own, they are the medians that the coder's tables tell.

    Args:
      string: What `Encode` returned.
      zeros: An empty latent [1, height, width, depth].
      tables: The tables that it was coded with.
      priors: The entropy model's learnt priors, in the tables' order.
      parts: How many parts are read.
    """

    def __init__(
        self, string: tf.Tensor, zeros: tf.Tensor, tables: Tables, priors: Sequence[FactorizedPrior], parts: int
    ):
        super().__init__(string, zeros, tables, priors)
        self._left = parts

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        return super().normal(part, mean, index) if self._reads() else mean

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        if self._reads():
            return super().learnt(part, prior)
        medians = self._tables.prior_medians(number_of(prior, self._priors))
        return prior.from_medians(tf.zeros_like(part.take(self.zeros)) + tf.constant(medians, "float32"))

    def _reads(self) -> bool:
        """Whether the part that comes next is read."""
        self._left -= 1
        return self._left >= 0


class _Names(Estimate):
    """Keeps the names of the parts."""

    def __init__(self, entropy: EntropyModel):
        super().__init__(tf.zeros((1, 1, 1, entropy.latent_depth)), entropy.scales)
        self.names: list[str] = []

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        self.names.append(part.name)
        return super().normal(part, mean, index)

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        self.names.append(part.name)
        return super().learnt(part, prior)


def parts_of(entropy: EntropyModel) -> tuple[str, ...]:
    """Returns the names of the parts that an entropy model codes, in order; the side information is none of them."""
    coder = _Names(entropy)
    entropy.walk(coder)
    return tuple(coder.names)


def check_parts(parts: int | None) -> None:
    """Raises a ValueError where `parts` is not a number of parts, or None for all."""
    try:
        counts = parts is None or (not isinstance(parts, bool) and operator.index(parts) >= 0)
    except TypeError:
        counts = False
    check("Codec", "parts", counts, "None for all, or an integer from 0", parts)
