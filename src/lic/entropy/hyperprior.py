"""The mean-scale hyperprior without context (Minnen, Balle, Toderici, NeurIPS 2018)."""

from __future__ import annotations

from lic.entropy.base import EntropyModel
from lic.entropy.coders import Coder
from lic.entropy.parameters import MeanAndIndexBias, convolutions
from lic.entropy.parts import EVERYTHING
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import tf
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("hyperprior")
class Hyperprior(EntropyModel):
    """Codes the whole latent at once, with means and scales from the side information.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      residual: Whether latent residual prediction from the features comes at the end.
      **kwargs: `quantization` and `scales` of `EntropyModel`.
    """

    def __init__(self, latent_depth: int, hyper: HyperTransform, residual: bool = False, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        start = MeanAndIndexBias(self.scales.index(1.0))
        self.parameters = convolutions((2 * latent_depth,), (1,), bias_initializer=start)
        self.residual = LatentResidualPrediction(latent_depth) if residual else None

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then the latent."""
        features = coder.side(self.hyper, self.prior)
        mean, index = tf.split(self.parameters(features), 2, -1)
        y_hat = coder.normal(EVERYTHING, mean, index)
        return y_hat + self.residual(features) if self.residual else y_hat
