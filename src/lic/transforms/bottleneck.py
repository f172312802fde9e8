"""The transform of bottleneck blocks, with attention blocks and with windows of attention as options."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lic.argument_types import Count, CountOrZero, ImageChannels, WindowSize
from lic.environment import keras
from lic.layers.attention import AttentionBlock
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Scale, Sequential
from lic.layers.swin.gated import GatedSwinStage
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("bottleneck")
class BottleneckTransform(Transform):
    """Four 5x5 convolutions with stride 2, and bottleneck blocks in place of an activation between them.

    Source: He, Yang, Peng, Ma, Qin, Wang, ELIC: Efficient Learned Image Compression with Unevenly Grouped Space-Channel
    Contextual Adaptive Coding, CVPR 2022, section 3.4 and figure 7; with windows Lu, Zhang, Zhao, Wang, Gu, Learned
    Image Compression with Dictionary-based Entropy Model, CVPR 2025, section 3.2.

    Args:
      width: Channels at a half, a quarter and an eighth of height and width; one number stands for all three.
      latent_depth: Channels of the latent.
      blocks: Number of bottleneck blocks between two convolutions.
      attention: Whether there are attention blocks at a quarter of height and width and at the latent.
      window_blocks: Number of gated Swin blocks at a half, a quarter and an eighth of height and width.
      window: Height and width of their windows.
      head_dims: Channels of each of their heads, likewise, or the largest divisor that it shares with the width.
      channels: Channels of the images.

    Raises:
      ValueError: `width` is not one or three numbers.
    """

    def __init__(
        self,
        width: Count | Sequence[Count] = 192,
        latent_depth: Count = 320,
        blocks: Count = 3,
        attention: bool = True,
        window_blocks: tuple[CountOrZero, CountOrZero, CountOrZero] = (0, 0, 0),
        window: WindowSize = 8,
        head_dims: tuple[Count, Count, Count] = (8, 16, 32),
        channels: ImageChannels = 3,
        **kwargs,
    ):
        super().__init__(latent_depth, 16, **kwargs)
        self.channels = channels
        widths = (width,) * 3 if isinstance(width, int) else tuple(width)
        if len(widths) != 3:
            raise ValueError(f"BottleneckTransform: expected one or three numbers as width. Received: {width!r}.")
        # As far as kernels see, in positions of the latent: a 3x3 kernel before two strides sees a quarter further.
        self.tile_overlap = math.ceil(15 / 8 + 7 / 8 * blocks + 15 / 4 * attention)
        if any(window_blocks):
            # A window at an eighth of the size is half as many positions of the latent.
            self.tile_multiple, self.tile_overlap = window // math.gcd(window, 2), self.tile_overlap + window

        def extra(number: int) -> list[keras.layers.Layer]:
            """Returns the attention at a size, of both kinds."""
            depth, filters = window_blocks[number], widths[number]
            head_dim = math.gcd(filters, head_dims[number])
            attended = [AttentionBlock(filters)] if attention and number == 1 else []
            return attended + ([GatedSwinStage(filters, depth, window, head_dim)] if depth else [])

        analysis, synthesis = [], []
        for number, filters in enumerate(widths):
            between = [BottleneckBlock(filters) for _ in range(blocks)]
            analysis += [Convolution(filters, 5, down=2), *between, *extra(number)]
            between = [BottleneckBlock(filters) for _ in range(blocks)]
            synthesis = [Convolution(filters, 5, up=2), *extra(number), *between, *synthesis]
        at_the_latent = [AttentionBlock(latent_depth) for _ in range(2 * attention)]
        analysis += [Convolution(latent_depth, 5, down=2), *at_the_latent[:1]]
        last = Convolution(channels, 5, up=2, full_precision=True)
        self.analysis = Sequential([Scale(1 / 255), *analysis])
        self.synthesis = Sequential([*at_the_latent[1:], *synthesis, last, Scale(255.0)])
