"""The hyper transform of 3x3 convolutions, which enlarges by sub-pixel convolutions."""

from __future__ import annotations

from typing import ClassVar

from lic.argument_types import Count
from lic.layers.convolution import Convolution
from lic.layers.sequential import Concatenate, Sequential
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
      features: Channels of the features of each synthesis; default 2 `latent_depth`.
      hyper_activation: Name of the activation between layers.
      num_syntheses: Number of syntheses side by side, whose features are concatenated.
      analysis_widths: Channels of the four inner layers of the analysis. Default: those of `hyper_width`.
      synthesis_widths: Channels of the four inner layers of each synthesis. Default: those of `hyper_width`.

    Raises:
      ValueError: `analysis_widths` or `synthesis_widths` is not four whole numbers.
    """

    added_arguments: ClassVar = {"num_syntheses": 1, "analysis_widths": None, "synthesis_widths": None}

    def __init__(
        self,
        latent_depth: Count = 128,
        hyper_width: Count = 128,
        side_depth: Count = 128,
        features: Count | None = None,
        hyper_activation: str = "leaky_relu_0.01",
        num_syntheses: Count = 1,
        analysis_widths: tuple[Count, Count, Count, Count] | None = None,
        synthesis_widths: tuple[Count, Count, Count, Count] | None = None,
        **kwargs,
    ):
        features = features or 2 * latent_depth
        super().__init__(side_depth, features * num_syntheses, **kwargs)
        between, plain = {"activation": hyper_activation}, {"correlation": True}
        first, second, third, fourth = analysis_widths or (hyper_width,) * 4
        self.analysis = Sequential(
            [
                Convolution(first, 3, **plain, **between),
                Convolution(second, 3, **plain, **between),
                Convolution(third, 3, down=2, **between),
                Convolution(fourth, 3, **plain, **between),
                Convolution(side_depth, 3, down=2),
            ]
        )
        wider = hyper_width * 3 // 2
        first, second, third, fourth = synthesis_widths or (hyper_width, hyper_width, wider, wider)
        syntheses = [
            Sequential(
                [
                    Convolution(first, 3, **plain, **between),
                    SubpixelConvolution(second, **between),
                    Convolution(third, 3, **plain, **between),
                    SubpixelConvolution(fourth, **between),
                    Convolution(features, 3, **plain),
                ]
            )
            for _ in range(num_syntheses)
        ]
        self.synthesis = Concatenate.of(syntheses)
