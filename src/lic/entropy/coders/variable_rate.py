"""The coder of a variable rate: one model of the latent, coded in finer or coarser steps."""

from __future__ import annotations

import abc
import types
from typing import TYPE_CHECKING

from lic.entropy.coders.coder import Coder
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import Part
from lic.environment import tf

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform


class Rescaled(Coder):
    """Lets a walk see the latent as the analysis makes it, while another coder codes it scaled.

    Args:
      coder: The coder, of the scaled latent.
    """

    def __init__(self, coder: Coder):
        super().__init__(coder.scales, coder.zeros)
        self._coder = coder

    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        unscaled = types.SimpleNamespace(
            analysis=lambda latent: hyper.analysis(self._unscale(latent)),
            synthesis=hyper.synthesis,
            downscale=hyper.downscale,
            depth=hyper.depth,
        )
        features = self._coder.side(unscaled, prior)
        self.z_hat = self._coder.z_hat
        return features

    @abc.abstractmethod
    def _unscale(self, latent: tf.Tensor) -> tf.Tensor:
        """Returns a scaled latent [batch, height, width, depth] as the analysis made it."""


class Gained(Rescaled):
    """Scales by gains, one for each channel.

    Means and scale indexes are moved to the scaled latent, and what comes back to the unscaled one. So the networks of
    a walk meet the same latent at every rate, and need not learn each rate anew.

    Args:
      coder: The coder, of the scaled latent.
      gain: What each channel was scaled by [batch, depth].
      spread: Factor [batch, depth] of the scales beside that; of a coarse step networks know less.
    """

    def __init__(self, coder: Coder, gain: tf.Tensor, spread: tf.Tensor):
        super().__init__(coder)
        self._gain = coder.zeros + gain[:, None, None]
        self._shift = coder.zeros + (tf.math.log(gain * spread) / coder.scales.growth)[:, None, None]

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        gain = part.take(self._gain)
        return self._coder.normal(part, mean * gain, index + part.take(self._shift)) / gain

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        return self._coder.learnt(part, prior) / part.take(self._gain)

    def _unscale(self, latent: tf.Tensor) -> tf.Tensor:
        return latent / self._gain
