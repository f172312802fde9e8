"""The coder that decodes, and the coder of previews, which decodes the first parts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lic.entropy.coders.base import Coder, HyperAnalysis, Latent, side_zeros
from lic.entropy.distributions.base import Distribution
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import EVERYTHING, Part
from lic.entropy.range_coding.cdf_tables import Cdfs, CdfTables
from lic.entropy.range_coding.pieces import Pieces
from lic.entropy.range_coding.range_coder import RangeDecoder, median_symbols
from lic.environment import tf

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform


class LeastBits(NamedTuple):
    """The fewest bits that a latent of any size can be coded in, so that a string too short for one is found unread.

    Attributes:
      of_side: The downscale of each kind of side information, and the bits of one of its positions.
      of_number: The bits of each number of the latent.
      of_position: The bits of each position of the latent, where one part holds all channels under a prior.
    """

    of_side: tuple[tuple[int, float], ...]
    of_number: float
    of_position: float

    def at(self, rows: int, columns: int, depth: int) -> float:
        """Returns the bits for a latent of a size."""
        side = sum(-(-rows // downscale) * -(-columns // downscale) * bits for downscale, bits in self.of_side)
        return side + rows * columns * max(depth * self.of_number, self.of_position)


class SymbolsCoder(Coder):
    """Base of coders that have no latent, only its height and width, and restore it from symbols.

    Args:
      zeros: A latent of zeros [1, height, width, depth], which gives the shape and into which a walk puts parts.
      tables: The tables that the symbols are coded with.
    """

    def __init__(self, zeros: tf.Tensor, tables: CdfTables):
        super().__init__(Latent("", zeros, None))
        self._tables = tables

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        return Latent(name, side_zeros(latent, hyper), None, latent.downscale * hyper.downscale)

    def _cdfs(self, latent: Latent, part: Part, distribution: Distribution) -> Cdfs:
        """Returns the cdf of each number of a part."""
        cdfs = self._tables.cdfs(part.name, distribution)
        if cdfs.index.shape.rank == 4:
            return cdfs
        # A prior has one index a channel, which is repeated at every position.
        return Cdfs(tf.broadcast_to(cdfs.index, tf.shape(part.take(latent.zeros))))


class Decode(SymbolsCoder):
    """Reads symbols; it has no latent, only its height and width.

    Args:
      string: The string that `Encode` returned.
      zeros: A latent of zeros [1, height, width, depth], which gives the shape and into which a walk puts parts.
      tables: The tables that the string was coded with.
    """

    def __init__(self, string: tf.Tensor, zeros: tf.Tensor, tables: CdfTables):
        super().__init__(zeros, tables)
        self._decoder = RangeDecoder(string, tables)
        self._symbols = Pieces(tf.int32)
        self._side_bits: list[tuple[int, float]] = []
        self._bits_of_parts: list[np.ndarray] = []
        self._prior_bits = 0.0  # Of each position of a latent that is one part under a factorized prior.

    @property
    def least_bits(self) -> LeastBits:
        """The fewest bits that the parts so far can be coded in; it is known once a walk has been traced."""
        parts = self._bits_of_parts
        return LeastBits(
            tuple(self._side_bits), float(min((each.min() for each in parts), default=0.0)), self._prior_bits
        )

    def finish(self) -> tuple[tf.Tensor, Cdfs]:
        """Returns all symbols [count] in coding order, and the cdf of each value in the string."""
        return self._symbols.joined(), self._decoder.cdfs()

    def _begin_loop(self, latent: Latent, name: str) -> None:
        self._symbols.begin_loop()
        self._decoder.begin_loop()

    def _loop_state(self) -> Any:
        return self._symbols.array, self._decoder.loop_state()

    def _set_loop_state(self, state: Any) -> None:
        self._symbols.array, decoder = state
        self._decoder.set_loop_state(decoder)

    def _end_loop(self) -> None:
        self._symbols.end_loop()
        self._decoder.end_loop()

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        cdfs, least = self._cdfs(latent, part, distribution), self._tables.least_bits_of(distribution)
        # A prior has a distribution for each channel; others have one for each scale.
        prior = part.take is EVERYTHING.take and isinstance(distribution, FactorizedPrior) and distribution.kept is None
        if not latent.is_further:
            self._bits_of_parts.append(least if distribution.kept is None else np.zeros(1))
            self._prior_bits = float(least.sum()) if prior else 0.0
        elif prior:
            self._side_bits.append((latent.downscale, float(least.sum())))
        return self._decoded(cdfs, distribution)

    def _decoded(self, cdfs: Cdfs, distribution: Distribution) -> tf.Tensor:
        symbols = self._decoder.read(cdfs, distribution.kept)
        self._symbols.add(symbols)
        # The range coder's results have no static shape, but convolutions need to know the channels.
        centred = tf.ensure_shape(tf.cast(symbols, "float32"), (None, None, None, distribution.shape[-1]))
        return distribution.restore(centred)


class Preview(Decode):
    """Reads what the stream holds up to the end of the first parts; all later numbers become medians.

    The medians are those of the numbers' distributions. Side information that is coded after a part that is left out
    lies behind it in the stream, where nothing is read.

    Args:
      string: The string that `Encode` returned.
      zeros: A latent of zeros [1, height, width, depth], which gives the shape and into which a walk puts parts.
      tables: The tables that the string was coded with.
      parts: The number of parts that are read.
    """

    def __init__(self, string: tf.Tensor, zeros: tf.Tensor, tables: CdfTables, parts: int):
        super().__init__(string, zeros, tables)
        self._left, self._in_loop = parts, False

    def _begin_loop(self, latent: Latent, name: str) -> None:
        if not latent.is_further:
            self._left, self._in_loop = self._left - 1, True  # All steps of a loop are one part.
        super()._begin_loop(latent, name)

    def _end_loop(self) -> None:
        self._in_loop = False
        super()._end_loop()

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        self._left -= not (self._in_loop or latent.is_further)
        if self._left >= 0:
            return super()._code(latent, part, distribution)
        medians = median_symbols(self._tables, self._cdfs(latent, part, distribution))
        if distribution.kept is not None:
            medians = tf.where(distribution.kept, medians, 0)
        return distribution.restore(tf.cast(medians, "float32"))
