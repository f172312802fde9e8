"""The coder of a variable rate whose every step is one rounding that IEEE 754 defines."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lic.codec.integer.arithmetic import on_grid
from lic.entropy.coders.coder import Coder
from lic.entropy.coders.variable_rate import Rescaled
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import ScaleTable
from lic.entropy.parts import Part
from lic.environment import tf

if TYPE_CHECKING:
    from lic.models.rate import Gains

_DIGITS = 30
_FRACTION = 8  # Bits after the point of means in steps of the quality.


class Steps(NamedTuple):
    """The steps of a quality, each [depth].

    Attributes:
      gain: What the latent is scaled by.
      unit: The length of a step, one over the gain.
      shift: What is added to scale indexes.
    """

    gain: np.ndarray
    unit: np.ndarray
    shift: np.ndarray


def steps_of(gains: Gains, quality: float, scales: ScaleTable) -> Steps:
    """Returns the steps of a quality, in decimal arithmetic, which is the same everywhere.

    Args:
      gains: The gains of the model.
      quality: The quality.
      scales: The table of scales.
    """
    lower = min(int(quality) - 1, gains.count - 2)
    with decimal.localcontext(decimal.Context(prec=_DIGITS)):
        share = decimal.Decimal(quality - 1) - lower
        growth = (decimal.Decimal(scales.highest) / decimal.Decimal(scales.lowest)).ln() / (scales.count - 1)
        gain, spread = (
            [
                decimal.Decimal(float(below)) * (1 - share) + decimal.Decimal(float(above)) * share
                for below, above in zip(*np.asarray(tf.convert_to_tensor(table))[lower : lower + 2])
            ]
            for table in (gains.log_gain, gains.log_spread)
        )
        columns = [
            [each.exp() for each in gain],
            [(-each).exp() for each in gain],
            [(one + other) / growth for one, other in zip(gain, spread)],
        ]
    return Steps(*(np.array([float(each) for each in column], np.float32) for column in columns))


class ExactGained(Rescaled):
    """Does what `Gained` does, so that no library can round in another way.

    Args:
      coder: The coder, of the scaled latent.
      steps: The steps of the quality, as tensors [depth].
    """

    def __init__(self, coder: Coder, steps: Steps):
        super().__init__(coder)
        self._gain, self._unit, self._shift = (coder.zeros + each for each in steps)

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        mean = on_grid(mean * part.take(self._gain), _FRACTION)
        coded = self._coder.normal(part, mean, index + part.take(self._shift))
        return on_grid(coded * part.take(self._unit))

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        return on_grid(self._coder.learnt(part, prior) * part.take(self._unit))

    def _unscale(self, latent: tf.Tensor) -> tf.Tensor:
        return latent * self._unit
