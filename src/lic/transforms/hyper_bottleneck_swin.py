"""The hyper transform of bottleneck blocks and windows of attention."""

from __future__ import annotations

import math

from lic.argument_types import Count, WindowSize
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Concatenate, Sequential
from lic.layers.swin.gated import GatedSwinStage
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("bottleneck-swin")
class BottleneckSwinHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, with bottleneck and Swin blocks at a half of it.

    Source: Lu, Zhang, Zhao, Wang, Gu, Learned Image Compression with Dictionary-based Entropy Model, CVPR 2025, as in
    its code.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels between the convolutions.
      side_depth: Channels of the side information.
      features: Channels of the features of each synthesis; default `latent_depth`.
      num_syntheses: Number of syntheses side by side, whose features are concatenated.
      hyper_blocks: Number of bottleneck blocks, in the analysis and in each synthesis.
      hyper_window: Height and width of the windows of the gated Swin block.
      hyper_head_dim: Channels of each of its heads, or the largest divisor that it shares with `hyper_width`.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 192,
        side_depth: Count = 192,
        features: Count | None = None,
        num_syntheses: Count = 2,
        hyper_blocks: Count = 3,
        hyper_window: WindowSize = 4,
        hyper_head_dim: Count = 32,
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features * num_syntheses, **kwargs)
        windows = (hyper_width, 1, hyper_window, math.gcd(hyper_width, hyper_head_dim))

        def blocks() -> list[BottleneckBlock]:
            return [BottleneckBlock(hyper_width) for _ in range(hyper_blocks)]

        down = [Convolution(hyper_width, 5, down=2), *blocks(), GatedSwinStage(*windows)]
        self.analysis = Sequential([*down, Convolution(side_depth, 3, down=2)])
        syntheses = [
            Sequential(
                [
                    Convolution(hyper_width, 3, up=2),
                    GatedSwinStage(*windows),
                    *blocks(),
                    Convolution(features, 5, up=2),
                ]
            )
            for _ in range(num_syntheses)
        ]
        self.synthesis = Concatenate.of(syntheses)
