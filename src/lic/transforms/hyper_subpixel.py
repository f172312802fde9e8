"""The hyper transform of 3x3 convolutions, which enlarges by sub-pixel convolutions."""

from __future__ import annotations

from lic.argument_types import Count
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("subpixel")
class SubpixelHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by five 3x3 convolutions each way.

    Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
    Attention Modules, CVPR 2020, section 4.1; details as in CompressAI.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels of the inner layers; those in the middle of the synthesis have half as many again.
      side_depth: Channels of the side information.
      features: Channels of the features; default 2 `latent_depth`.
      hyper_activation: Name of the activation between layers.
    """

    def __init__(
        self,
        latent_depth: Count = 128,
        hyper_width: Count = 128,
        side_depth: Count = 128,
        features: Count | None = None,
        hyper_activation: str = "leaky_relu_0.01",
        **kwargs,
    ):
        features = features or 2 * latent_depth
        super().__init__(side_depth, features, **kwargs)
        between = {"activation": hyper_activation}
        self.analysis = Sequential(
            [
                Convolution(hyper_width, 3, correlation=True, **between),
                Convolution(hyper_width, 3, correlation=True, **between),
                Convolution(hyper_width, 3, down=2, **between),
                Convolution(hyper_width, 3, correlation=True, **between),
                Convolution(side_depth, 3, down=2),
            ]
        )
        wider = hyper_width * 3 // 2
        self.synthesis = Sequential(
            [
                Convolution(hyper_width, 3, correlation=True, **between),
                SubpixelConvolution(hyper_width, **between),
                Convolution(wider, 3, correlation=True, **between),
                SubpixelConvolution(wider, **between),
                Convolution(features, 3, correlation=True),
            ]
        )
