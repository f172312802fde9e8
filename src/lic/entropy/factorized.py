"""The factorized entropy model: a learnt prior and nothing else (Balle, Laparra, Simoncelli, ICLR 2017)."""

from __future__ import annotations

from lic.entropy.base import EntropyModel
from lic.entropy.coders import Coder
from lic.entropy.parts import EVERYTHING
from lic.environment import tf
from lic.registry import register_entropy_model


@register_entropy_model("factorized")
class Factorized(EntropyModel):
    """Codes the whole latent under one learnt density a channel.

    Args:
      latent_depth: Channels of the latent.
      quantization: As in `EntropyModel`.
    """

    def __init__(self, latent_depth: int, *, quantization: str = "noise/ste"):
        super().__init__(latent_depth, quantization=quantization)

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the latent at once."""
        return coder.learnt(EVERYTHING, self.prior)
