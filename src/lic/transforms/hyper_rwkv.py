"""The hyper transform of RWKV blocks."""

from __future__ import annotations

from lic.argument_types import Count
from lic.layers.convolution import Convolution
from lic.layers.rwkv import RWKVBlock
from lic.layers.sequential import Sequential
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("rwkv")
class RWKVHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, with RWKV blocks at a half.

    Source: Feng et al., Linear Attention Modeling for Learned Image Compression, CVPR 2025, section 3.1, as in their
    code.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels at a half of the latent's height and width.
      side_depth: Channels of the side information.
      features: Channels of the features; default `latent_depth`.
      hyper_blocks: Number of blocks of the analysis, and of the synthesis.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 256,
        side_depth: Count = 192,
        features: Count | None = None,
        hyper_blocks: Count = 6,
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features, **kwargs)
        down, up = ([RWKVBlock(hyper_width) for _ in range(hyper_blocks)] for _ in range(2))
        self.analysis = Sequential([Convolution(hyper_width, 5, down=2), *down, Convolution(side_depth, 5, down=2)])
        self.synthesis = Sequential([Convolution(hyper_width, 5, up=2), *up, Convolution(features, 5, up=2)])
