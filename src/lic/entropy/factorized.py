"""The factorized entropy model: a factorized prior and nothing else (Balle, Laparra, Simoncelli, ICLR 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.parts import EVERYTHING
from lic.environment import tf
from lic.registry import register_entropy_model


@register_entropy_model("factorized")
class Factorized(EntropyModel):
    """Codes the whole latent under one learnt density a channel; it has no likelihood.

    Args:
      latent_depth: Channels of the latent.
      quantization: As in `EntropyModel`.
      prior_filters: As in `EntropyModel`.
      prior_medians: As in `EntropyModel`.
      likelihood_bound: As in `EntropyModel`.
    """

    def __init__(
        self,
        latent_depth: Count,
        *,
        quantization: str = "noise/ste",
        prior_filters: Sequence[Count] = (3, 3),
        prior_medians: bool = False,
        likelihood_bound: float | None = None,
    ):
        super().__init__(
            latent_depth,
            likelihood=None,
            quantization=quantization,
            prior_filters=prior_filters,
            prior_medians=prior_medians,
            likelihood_bound=likelihood_bound,
        )

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the latent at once."""
        return coder.code(EVERYTHING, self.prior)
