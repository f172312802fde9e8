"""Hyperpriors without context: means and scales, or scales alone, from side information."""

from __future__ import annotations

from lic.entropy.base import EntropyModel
from lic.entropy.coders.coder import Coder
from lic.entropy.parameters import MeanAndIndexBias, ScaleIndex, convolutions
from lic.entropy.parts import EVERYTHING
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import keras, tf
from lic.layers.convolution import Convolution
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("hyperprior")
class Hyperprior(EntropyModel):
    """Codes the whole latent at once, with means and scales from the side information.

    Source: Minnen, Balle, Toderici, NeurIPS 2018, without its context model; with `zero_mean` Balle et al., ICLR 2018.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      residual: Whether latent residual prediction from the features comes at the end.
      parameter_network: Whether a 1x1 convolution makes means and scale indexes from the features. Without it the
        features are means, then scale indexes, as many of each as the latent is deep.
      zero_mean: Whether all means are zero, so that scale indexes alone are made or taken from the features.
      predicted_scale: Whether scales themselves take the place of scale indexes; below the table they count as its
        lowest.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `scales`.

    Raises:
      ValueError: There is no parameter network, and the features are not as many as the numbers taken from them.
    """

    def __init__(
        self,
        latent_depth: int,
        hyper: HyperTransform,
        residual: bool = False,
        parameter_network: bool = True,
        zero_mean: bool = False,
        predicted_scale: bool = False,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        self.zero_mean = zero_mean
        count = latent_depth if zero_mean else 2 * latent_depth
        self.scale_index = ScaleIndex(self.scales) if predicted_scale else None
        start = 1.0 if predicted_scale else self.scales.index(1.0)
        bias = keras.initializers.Constant(start) if zero_mean else MeanAndIndexBias(start)
        self._check(
            "the hyper transform's features",
            parameter_network or hyper.features == count,
            f"{count} channels, which are the {'scale indexes' if zero_mean else 'means and scale indexes'} (pass "
            "that many as `features`, or parameter_network=True)",
            hyper.features,
        )
        self.parameters = convolutions((count,), (1,), bias_initializer=bias) if parameter_network else None
        self.residual = LatentResidualPrediction(latent_depth) if residual else None

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then the latent."""
        features = coder.side(self.hyper, self.prior)
        mean, index = self._mean_and_index(self.parameters(features) if self.parameters else features)
        y_hat = coder.normal(EVERYTHING, mean, index)
        return y_hat + self.residual(features) if self.residual else y_hat

    @property
    def heads(self) -> list[tuple[Convolution, int, int]]:
        found = self.parameters and not self.zero_mean and not self.scale_index
        return [(self.parameters.layers[-1], 0, self.latent_depth)] if found else []

    def _mean_and_index(self, parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, index = (tf.zeros_like(parameters), parameters) if self.zero_mean else tf.split(parameters, 2, -1)
        return mean, self.scale_index(index) if self.scale_index else index
