"""The convolutional hyper transform."""

from __future__ import annotations

from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform
from lic.transforms.chain import Chain
from lic.transforms.convolution import Convolution


@register_hyper_transform("conv")
class ConvHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by three convolutions each way.

    Source: Minnen and Singh, ICIP 2020, as in their published code: 3x3, then 5x5 with stride 2 twice, ReLU between,
    no bias at the end; the synthesis mirrors it with ReLU after every layer.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels of the layer in the middle.
      side_depth: Channels of the side information.
      features: Channels of the features; default `latent_depth`.
      kernel_size: Height and width of the kernels that change the size.
      outer_width: Channels of the layer next to the latent; default `latent_depth` in the analysis, and the same as
        `side_depth` on the synthesis's first layer.
    """

    def __init__(
        self,
        latent_depth: int = 320,
        hyper_width: int = 256,
        side_depth: int = 192,
        features: int | None = None,
        kernel_size: int = 5,
        outer_width: int | None = None,
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features, **kwargs)
        self.analysis = Chain(
            [
                Convolution(outer_width or latent_depth, 3, activation="relu"),
                Convolution(hyper_width, kernel_size, down=2, activation="relu"),
                Convolution(side_depth, kernel_size, down=2, bias=False),
            ]
        )
        self.synthesis = Chain(
            [
                Convolution(outer_width or side_depth, kernel_size, up=2, activation="relu"),
                Convolution(hyper_width, kernel_size, up=2, activation="relu"),
                Convolution(features, 3, activation="relu"),
            ]
        )
