"""The Swin hyper transform."""

from __future__ import annotations

from collections.abc import Sequence

from lic.argument_types import Count, CountOrZero, WindowSize
from lic.layers.padding import Padding
from lic.layers.sequential import Sequential
from lic.layers.swin.patches import PatchEmbedding
from lic.layers.swin.stages import SwinStages
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("swin")
class SwinHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by two stages of Swin blocks each way.

    Source: Zhu, Yang, Cohen, ICLR 2022, appendix A.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels of the stage next to the latent.
      side_depth: Channels of the other stage and of the side information.
      features: Channels of the features. Default: twice `latent_depth`.
      hyper_depths: Number of blocks of the stage next to the latent, and of the other stage.
      hyper_window: Height and width of the windows, in tokens.
      head_dim: Channels of each head; `hyper_width` and `side_depth` are multiples of it.

    Raises:
      ValueError: A width is no multiple of `head_dim`.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 192,
        side_depth: Count = 192,
        features: Count | None = None,
        hyper_depths: Sequence[CountOrZero] = (5, 1),
        hyper_window: WindowSize = 4,
        head_dim: Count = 32,
        **kwargs,
    ):
        features = features or 2 * latent_depth
        super().__init__(side_depth, features, **kwargs)
        widths, common = (hyper_width, side_depth), {"window": hyper_window, "head_dim": head_dim}
        merging = SwinStages.merging(widths, hyper_depths, **common)
        self.analysis = Sequential([Padding(self.downscale), PatchEmbedding(hyper_width), merging])
        self.synthesis = SwinStages.splitting(widths[::-1], tuple(hyper_depths)[::-1], features, **common)
