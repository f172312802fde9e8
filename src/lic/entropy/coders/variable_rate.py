"""The coder of a variable rate: one model of the latent, coded in finer or coarser steps.

With gain g, scale factor f and output gain o of a channel, a walk predicts mean and scale of the latent y as the
analysis made it, and what is coded is

    symbol = round(g * y - g * mean)        under a distribution of scale g * f * scale,
    y_hat = (symbol + g * mean) / g         is what the walk sees, and
    o * y_hat                               is what the synthesis gets.

The model multiplies y by g before the walk (`RateControl.apply_gain`) and y_hat by o after it
(`RateControl.apply_output_gain`). `VariableRateCoder` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lic.entropy.coders.base import Coder, CoderAround, HyperAnalysis, Latent
from lic.entropy.distributions.base import ChannelGains, Distribution
from lic.entropy.orders import Order
from lic.entropy.parts import EVERYTHING, Part
from lic.environment import tf

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform


class VariableRateCoder(CoderAround):
    """Lets a walk see the latent as the analysis makes it, while another coder codes it multiplied by the gains.

    The gains are applied to distributions and removed from coded numbers. So the networks of a walk meet the same
    latent at every rate, and need not learn each rate anew.

    Args:
      coder: The coder of the latent that the gains have multiplied.
      gains: The gains of the latent's channels.
    """

    def __init__(self, coder: Coder, gains: ChannelGains):
        super().__init__(coder)
        self._gains = gains

    # Further latents have no gains, and are made of the latent without its gains, as the walk sees it.

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        if latent.is_further:
            return super()._code(latent, part, distribution)
        gains = self._gains_of(part)
        return gains.remove(super()._code(latent, part, distribution.under_gain(gains)))

    def _gains_of(self, part: Part) -> ChannelGains:
        everywhere = self._gains.gain.shape[1:3] == (1, 1)  # Then all positions have the same gains.
        if part.take is EVERYTHING.take or (part.places and everywhere):
            return self._gains
        # The output gain codes nothing.
        taken = {
            name: part.take(self.zeros + gain) for name, gain in self._gains._asdict().items() if name != "output_gain"
        }
        return self._gains._replace(**taken)

    def _looped(self, latent: Latent, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        if latent.is_further:
            super()._looped(latent, whole, distribution, values)
            return
        gains = self._gains_of(whole)
        super()._looped(latent, whole, lambda: distribution().under_gain(gains), gains.apply(values))

    def _known_at_once(self, latent: Latent, order: Order) -> tf.Tensor | None:
        known = super()._known_at_once(latent, order)
        return known if known is None or latent.is_further else known / self._gains.gain

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        if latent.is_further:
            return super()._further(latent, name, hyper, analysis)
        return super()._further(latent, name, hyper, lambda values: analysis(values / self._gains.gain))
