"""The coder of a variable rate: one model of the latent, coded in finer or coarser steps."""

from __future__ import annotations

from typing import NamedTuple

from lic.entropy.coders.base import Analysis, Coder, CoderAround
from lic.entropy.distributions.base import Distribution
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import Part
from lic.environment import tf


class Scaling(NamedTuple):
    """The scaling of a latent's channels before they are coded.

    Attributes:
      gain: The factor of each channel [batch, depth].
      log_scale: The logarithm of the factor of each channel's scales [batch, depth].
    """

    gain: tf.Tensor
    log_scale: tf.Tensor

    def scale(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers scaled for coding."""
        return values * self.gain

    def unscale(self, values: tf.Tensor) -> tf.Tensor:
        """Returns coded numbers without the scaling."""
        return values / self.gain


class VariableRateCoder(CoderAround):
    """Lets a walk see the latent as the analysis makes it, while another coder codes it scaled.

    Distributions are moved to the scaled latent, and coded numbers back to the unscaled one. So the networks of a walk
    meet the same latent at every rate, and need not learn each rate anew.

    Args:
      coder: The coder of the scaled latent.
      scaling: The scaling of the latent's channels.
    """

    def __init__(self, coder: Coder, scaling: Scaling):
        super().__init__(coder)
        # The factors get the shape of the latent, so that each part can take its own.
        self._scaling = scaling._make(coder.zeros + each[:, None, None] for each in scaling)

    def _code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        scaling = self._scaling._make(part.take(each) for each in self._scaling)
        return scaling.unscale(super()._code(part, distribution.scaled(scaling)))

    def _code_side(self, analysis: Analysis, downscale: int, prior: FactorizedPrior) -> tf.Tensor:
        # The hyper analysis sees the latent without its gain, as the walk does.
        return super()._code_side(lambda latent: analysis(latent / self._scaling.gain), downscale, prior)
