"""The hyper transform of partial convolutions."""

from __future__ import annotations

from lic.argument_types import Count
from lic.layers.partial import PartialBlock
from lic.layers.sequential import Sequential
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform
from lic.transforms.partial import doubling, halving


@register_hyper_transform("partial")
class PartialHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by blocks of partial convolutions.

    Source: Li et al., Learned Image Compression with Hierarchical Progressive Context Modeling, ICCV 2025, as in their
    code.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels at a half of the latent's height and width.
      side_depth: Channels of the side information.
      features: Channels of the features; default 2 `latent_depth`.
      hyper_blocks: Number of blocks at a half of the latent's height and width.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 256,
        side_depth: Count = 256,
        features: Count | None = None,
        hyper_blocks: Count = 3,
        **kwargs,
    ):
        features = features or 2 * latent_depth
        super().__init__(side_depth, features, **kwargs)

        def blocks() -> list[PartialBlock]:
            return [PartialBlock(hyper_width) for _ in range(hyper_blocks)]

        down = [PartialBlock(latent_depth), halving(hyper_width), *blocks(), halving(side_depth)]
        up = [doubling(hyper_width), *blocks(), doubling(features), PartialBlock(features)]
        self.analysis, self.synthesis = Sequential(down), Sequential(up)
