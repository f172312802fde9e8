"""The checkerboard context model: two passes over the latent (He et al., CVPR 2021)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.parameters import StartAt, pointwise
from lic.entropy.parts import anchors, non_anchors
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import tf
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


class TwoPassNetworks:
    """The networks of the two passes over a checkerboard, for a layer that inherits from this class too.

    Attributes:
      context: The layer that makes a context of the anchors.
      parameters: The network that gives the parameters, from the features alone or from context and features.
      correction: With the fusion "add", the network that gives what is added to the parameters of non-anchors.
    """

    def make_networks(
        self,
        fusion: Literal["concatenate", "add"],
        context: CheckerboardContext,
        widths: tuple[Count, ...],
        start: StartAt,
        feature_widths: tuple[Count, ...],
        network: Callable[..., Sequential] = pointwise,
    ) -> None:
        """Makes the networks.

        Args:
          fusion: "concatenate" for one network on context and features in both passes, anchors seeing zeros as context;
            "add" for parameters from the features alone, to which a network that starts at zero adds a correction.
          context: The layer that makes a context of the anchors.
          widths: Channels of the layers of the network that sees the context.
          start: The initialiser of the bias of the parameters.
          feature_widths: With "add", channels of the layers of the network that sees the features alone.
          network: Makes a network of the channels of its layers and of arguments of the last one.
        """
        self.fusion, self.context = fusion, context
        if fusion == "concatenate":
            self.parameters = network(widths, bias_initializer=start)
        else:
            self.parameters = network(feature_widths, bias_initializer=start)
            # The correction starts at zero, so that training starts from the model without context.
            self.correction = network(widths, kernel_initializer="zeros")

    def parameters_of(self, features: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the parameters of the positions that are coded, and computes no others.

        Args:
          features: The features at these positions [batch, 1, count, channels].
          context: The context at these positions [batch, 1, count, channels], or None at anchors.
        """
        if self.fusion == "concatenate":
            if context is None:  # As published, one network serves both passes, and anchors see zeros as context.
                context = tf.zeros((*tf.unstack(tf.shape(features))[:3], self.context.filters))
            return self.parameters(tf.concat([context, features], -1))
        parameters = self.parameters(features)
        if context is not None:
            parameters += self.correction(tf.concat([context, features], -1))
        return parameters


@register_entropy_model("checkerboard")
class Checkerboard(TwoPassNetworks, EntropyModel):
    """Codes the anchors (odd row + column) from the features alone, then the non-anchors with the anchors as context.

    Source: He et al., Checkerboard Context Model for Efficient Learned Image Compression, CVPR 2021.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      context_width: Channels of the context; default 2 `latent_depth`.
      parameter_widths: Inner channels of the network from context and features to parameters; default 3 and 2 times
        `latent_depth`.
      context_size: Height and width of the context's kernel, odd.
      fusion: "concatenate" for one network on context and features in both passes, anchors seeing zeros as context, as
        published; "add" for parameters from the features alone, to which a network that starts at zero adds a
        correction from the context.
      residual: Whether latent residual prediction from the features comes at the end.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: An argument is not valid; the message names it and its valid values.
    """

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        context_width: Count | None = None,
        parameter_widths: tuple[Count, ...] | None = None,
        context_size: Count = 5,
        fusion: Literal["concatenate", "add"] = "concatenate",
        residual: bool = False,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        self._check("context_size", context_size % 2 == 1, "odd", context_size)
        inner = (3 * latent_depth, 2 * latent_depth) if parameter_widths is None else tuple(parameter_widths)
        widths = (*inner, self.likelihood.parameters * latent_depth)
        context = CheckerboardContext(context_width or 2 * latent_depth, context_size)
        self.make_networks(fusion, context, widths, self.start_bias(latent_depth), feature_widths=widths[-1:])
        self.residual = LatentResidualPrediction(latent_depth) if residual else None

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, the anchors, then the non-anchors."""
        features = coder.side(self.hyper, self.prior)
        first, second = anchors(), non_anchors()
        parameters = self.parameters_of(first.take(features))
        y_hat = first.put(coder.zeros, coder.code(first, self.likelihood(parameters)))
        parameters = self.parameters_of(second.take(features), second.take(self.context(y_hat)))
        y_hat = second.put(y_hat, coder.code(second, self.likelihood(parameters)))
        return y_hat + self.residual(features) if self.residual else y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        return [(self.parameters.layers[-1], 0, self.latent_depth)]


class CheckerboardContext(Convolution):
    """A correlation whose taps lie at odd row + column distances only, so that non-anchors see nothing but anchors.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel, odd.
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs):
        super().__init__(filters, kernel_size, correlation=True, **kwargs)
        # The centre of an odd kernel has an even row + column, so the taps at an odd sum lie at odd distances.
        rows = np.arange(kernel_size)
        self._mask = ((rows[:, None] + rows) % 2 == 1).astype(np.float32)[..., None, None]

    def spatial_kernel(self) -> tf.Tensor:
        """Returns the masked kernel."""
        return super().spatial_kernel() * self._mask
