"""The hyper transform of mixed blocks."""

from __future__ import annotations

from lic.argument_types import Count, WindowSize
from lic.layers.convolution import Convolution
from lic.layers.mixed import alternating
from lic.layers.residual import ResidualDown, ResidualUp
from lic.layers.sequential import Concatenate, Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("mixed")
class MixedHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, with mixed blocks at a half of it.

    Source: Liu, Sun, Katto, Learned Image Compression with Mixed Transformer-CNN Architectures, CVPR 2023, section 3.1.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels between the blocks, an even number; half of them go through attention.
      side_depth: Channels of the side information.
      features: Channels of the features of each synthesis; default `latent_depth`.
      num_syntheses: Number of syntheses side by side, whose features are concatenated.
      hyper_blocks: Number of mixed blocks.
      hyper_window: Height and width of their windows.
      hyper_head_dim: Channels of each head, or the largest divisor that it shares with half of `hyper_width`.

    Raises:
      ValueError: `hyper_width` is odd.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 128,
        side_depth: Count = 192,
        features: Count | None = None,
        num_syntheses: Count = 2,
        hyper_blocks: Count = 2,
        hyper_window: WindowSize = 4,
        hyper_head_dim: Count = 32,
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features * num_syntheses, **kwargs)
        blocks = (hyper_width, hyper_blocks, hyper_window, hyper_head_dim)
        down = [ResidualDown(hyper_width), *alternating(*blocks)]
        self.analysis = Sequential([*down, Convolution(side_depth, 3, down=2)])
        syntheses = [
            Sequential([ResidualUp(hyper_width), *alternating(*blocks), SubpixelConvolution(features)])
            for _ in range(num_syntheses)
        ]
        self.synthesis = Concatenate.of(syntheses)
