"""The transform of mixed blocks, in which convolutions and windows of attention stand side by side."""

from __future__ import annotations

import math

from lic.argument_types import Count, ImageChannels, WindowSize
from lic.layers.convolution import Convolution
from lic.layers.mixed import alternating
from lic.layers.residual import ResidualDown, ResidualUp
from lic.layers.sequential import Scale, Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("mixed")
class MixedTransform(Transform):
    """Residual blocks that halve or double height and width, with mixed blocks between them.

    Source: Liu, Sun, Katto, Learned Image Compression with Mixed Transformer-CNN Architectures, CVPR 2023, section 3.1.

    Args:
      width: Channels between the blocks, an even number; half of them go through attention.
      latent_depth: Channels of the latent.
      blocks: Number of mixed blocks at each size.
      head_dims: Channels of each head at a half, a quarter and an eighth of height and width, or the largest divisor
        that it shares with half of `width`.
      window: Height and width of the windows.
      channels: Channels of the images.

    Raises:
      ValueError: `width` is odd.
    """

    def __init__(
        self,
        width: Count = 128,
        latent_depth: Count = 320,
        blocks: Count = 2,
        head_dims: tuple[Count, Count, Count] = (8, 16, 32),
        window: WindowSize = 8,
        channels: ImageChannels = 3,
        **kwargs,
    ):
        super().__init__(latent_depth, 16, **kwargs)
        self.channels = channels
        # A window at an eighth of the size is half as many positions of the latent. There two blocks, one of them with
        # shifted windows, see at most one and a half windows further than their input.
        self.tile_multiple, self.tile_overlap = window // math.gcd(window, 2), math.ceil(3 / 8 * blocks * window)
        analysis, synthesis = [], []
        for head_dim in head_dims:
            analysis += [ResidualDown(width), *alternating(width, blocks, window, head_dim)]
        for head_dim in head_dims[::-1]:
            synthesis += [ResidualUp(width), *alternating(width, blocks, window, head_dim)]
        last = SubpixelConvolution(channels, full_precision=True)
        self.analysis = Sequential([Scale(1 / 255), *analysis, Convolution(latent_depth, 3, down=2)])
        self.synthesis = Sequential([*synthesis, last, Scale(255.0)])
