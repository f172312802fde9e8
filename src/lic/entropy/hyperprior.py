"""The hyperprior without context: all parameters come from side information."""

from __future__ import annotations

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.distributions.location_scale import LocationScale
from lic.entropy.parameters import convolutions
from lic.entropy.parts import EVERYTHING
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import tf
from lic.layers.convolution import Convolution
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("hyperprior")
class Hyperprior(EntropyModel):
    """Codes the whole latent at once, with parameters from the side information.

    Source: Minnen, Balle, Toderici, NeurIPS 2018, without its context model; with `zero_mean` Balle et al., ICLR 2018.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      residual: Whether latent residual prediction from the features comes at the end.
      parameter_network: Whether a 1x1 convolution makes the parameters from the features. Without it the features are
        the parameters: first all means, then all scale indexes.
      zero_mean: Whether all means are zero, so that all parameters but the first are made or taken from the features.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: `parameter_network` is False and the features are not as many as the parameters, or `zero_mean` is
        True and the likelihood has no mean and scale.
    """

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        residual: bool = False,
        parameter_network: bool = True,
        zero_mean: bool = False,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        mean_and_scale = isinstance(self.likelihood, LocationScale) and self.likelihood.parameters == 2
        fits = mean_and_scale or not zero_mean
        self._check("likelihood", fits, "one of a mean and a scale, such as lic.entropy.Normal()", self.likelihood)
        self.zero_mean, first = zero_mean, int(zero_mean)
        count = (self.likelihood.parameters - first) * latent_depth
        self._check(
            "the hyper transform's features",
            parameter_network or hyper.features == count,
            f"{count} channels, which are the parameters (pass that many as `features`, or parameter_network=True)",
            hyper.features,
        )
        start = self.start_bias(latent_depth, first)
        self.parameters = convolutions((count,), (1,), bias_initializer=start) if parameter_network else None
        self.residual = LatentResidualPrediction(latent_depth) if residual else None

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then the latent."""
        features = coder.side(self.hyper, self.prior)
        parameters = self.parameters(features) if self.parameters else features
        if self.zero_mean:
            parameters = tf.concat([tf.zeros_like(parameters), parameters], -1)
        y_hat = coder.code(EVERYTHING, self.likelihood(parameters))
        return y_hat + self.residual(features) if self.residual else y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        has_biases = self.parameters and not self.zero_mean
        return [(self.parameters.layers[-1], 0, self.latent_depth)] if has_biases else []
