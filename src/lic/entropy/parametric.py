"""The parametric entropy model: one distribution of a likelihood for each channel, and nothing else."""

from __future__ import annotations

import numpy as np

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.distributions.base import Likelihood
from lic.entropy.distributions.location_scale import Normal
from lic.entropy.parameters import StartAt
from lic.entropy.parts import EVERYTHING
from lic.environment import tf
from lic.layers.tracing import HasDerivedWeights
from lic.registry import register_entropy_model


@register_entropy_model("parametric")
class Parametric(HasDerivedWeights, EntropyModel):
    """Codes the whole latent under one distribution a channel, whose parameters are learnt, such as mean and scale.

    It is to side information what the factorized prior is, with few weights in place of a density of any form. Symbols
    depend on no computation, so that they are the same on every machine.

    Source: Li et al., Learned Image Compression with Hierarchical Progressive Context Modeling, ICCV 2025, as in their
    code.

    Args:
      latent_depth: Channels of the latent.
      likelihood: As in `EntropyModel`.
      quantization: As in `EntropyModel`.
      likelihood_bound: As in `EntropyModel`.

    Attributes:
      parameters: The parameters of all channels [latent_depth], one after the other.
    """

    has_prior = False

    def __init__(
        self,
        latent_depth: Count,
        *,
        likelihood: Likelihood = Normal(),
        quantization: str = "noise/ste",
        likelihood_bound: float | None = None,
    ):
        super().__init__(
            latent_depth, likelihood=likelihood, quantization=quantization, likelihood_bound=likelihood_bound
        )
        start = np.split(self.likelihood.start(np.ones(latent_depth)), self.likelihood.parameters)
        self.parameters = [
            self.add_weight(name=f"parameter_{number}", shape=(latent_depth,), initializer=StartAt(values))
            for number, values in enumerate(start)
        ]

    def derive(self) -> tf.Tensor:
        """Returns the parameters of all channels in the order of the likelihood."""
        return tf.concat([tf.convert_to_tensor(each) for each in self.parameters], 0)

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the latent at once."""
        parameters = self.derived()
        shape = tf.concat([tf.shape(coder.zeros)[:3], tf.shape(parameters)], 0)
        return coder.code(EVERYTHING, self.likelihood(tf.broadcast_to(parameters, shape)))
