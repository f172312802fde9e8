"""A coder around another, which records the parts that a walk codes, for their names, maps of bits and checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lic.entropy.coders.base import Coder, CoderAround, Latent
from lic.entropy.coders.estimate import Estimate
from lic.entropy.distributions.base import Distribution
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
      latent: The latent that it is a part of.
    """

    part: Part
    distribution: Distribution
    values: tf.Tensor
    latent: Latent


class Recorder(CoderAround):
    """Passes parts to another coder, and records them.

    Args:
      coder: The other coder.
      replace: Maps a part and its distribution to the distribution that takes its place, or None.

    Attributes:
      records: The parts so far, in coding order, without those of further latents. The steps of `coder.serial` are
        records of one name; within a graph they are one record.
      further: The parts of further latents so far, such as the side information.
    """

    def __init__(self, coder: Coder, replace: Callable[[Part, Distribution], Distribution] | None = None):
        super().__init__(coder)
        self.records, self.further, self._replace, self._in_loop = [], [], replace, False

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        distribution = self._replaced(latent, part, distribution)
        values = super()._code(latent, part, distribution)
        if not self._in_loop:  # Tensors cannot leave the loop of a graph: `_looped` records its steps as one part.
            self._records_of(latent).append(Record(part, distribution, values, latent))
        return values

    def _replaced(self, latent: Latent, part: Part, distribution: Distribution) -> Distribution:
        return self._replace(part, distribution) if self._replace and not latent.is_further else distribution

    def _records_of(self, latent: Latent) -> list[Record]:
        return self.further if latent.is_further else self.records

    def _begin_loop(self, latent: Latent, name: str) -> None:
        self._in_loop = not tf.executing_eagerly()
        super()._begin_loop(latent, name)

    def _end_loop(self) -> None:
        self._in_loop = False
        super()._end_loop()

    def _looped(self, latent: Latent, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        made = self._replaced(latent, whole, distribution())
        self._records_of(latent).append(Record(whole, made, values, latent))
        super()._looped(latent, whole, distribution, values)


def part_names(entropy: EntropyModel) -> tuple[str, ...]:
    """Returns the names of the parts that an entropy model codes, in order, without the side information."""
    recorder = Recorder(Estimate(tf.zeros((1, 1, 1, entropy.latent_depth))))
    entropy.walk(recorder)
    return tuple(record.part.name for record in recorder.records)
