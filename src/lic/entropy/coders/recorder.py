"""A coder around another, which records the parts that a walk codes, for their names, maps of bits and checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lic.entropy.coders.base import Coder, CoderAround, HyperAnalysis
from lic.entropy.coders.estimate import Estimate
from lic.entropy.distributions.base import Distribution
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import Part
from lic.environment import tf

if TYPE_CHECKING:
    from lic.entropy.base import EntropyModel


class Record(NamedTuple):
    """One part that was coded.

    Attributes:
      part: The part.
      distribution: The distribution that it was coded under.
      values: Its numbers, quantised.
    """

    part: Part
    distribution: Distribution
    values: tf.Tensor


class Recorder(CoderAround):
    """Passes parts to another coder, and records them.

    Args:
      coder: The other coder.
      replace: Maps a part and its distribution to the distribution that takes its place, or None.

    Attributes:
      records: The parts so far, in coding order, without the side information. The steps of `coder.serial` are records
        of one name; within a graph they are one record.
      sides: The side information so far, each with its prior and its numbers.
    """

    def __init__(self, coder: Coder, replace: Callable[[Part, Distribution], Distribution] | None = None):
        super().__init__(coder)
        self.records, self.sides, self._replace, self._in_loop = [], [], replace, False

    def _code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        if self._replace:
            distribution = self._replace(part, distribution)
        values = super()._code(part, distribution)
        if not self._in_loop:  # Tensors cannot leave the loop of a graph: `_looped` records its steps as one part.
            self.records.append(Record(part, distribution, values))
        return values

    def _code_side(self, analysis: HyperAnalysis, downscale: int, prior: FactorizedPrior) -> tf.Tensor:
        values = super()._code_side(analysis, downscale, prior)
        self.sides.append((prior, values))
        return values

    def _begin_loop(self, name: str) -> None:
        self._in_loop = not tf.executing_eagerly()
        super()._begin_loop(name)

    def _end_loop(self) -> None:
        self._in_loop = False
        super()._end_loop()

    def _looped(self, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        made = distribution()
        self.records.append(Record(whole, self._replace(whole, made) if self._replace else made, values))
        super()._looped(whole, distribution, values)


def part_names(entropy: EntropyModel) -> tuple[str, ...]:
    """Returns the names of the parts that an entropy model codes, in order, without the side information."""
    recorder = Recorder(Estimate(tf.zeros((1, 1, 1, entropy.latent_depth))))
    entropy.walk(recorder)
    return tuple(record.part.name for record in recorder.records)
