"""The transform of bottleneck blocks, with attention blocks as an option."""

from __future__ import annotations

import math

from lic.argument_types import Count, ImageChannels
from lic.environment import keras
from lic.layers.attention import AttentionBlock
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Scale, Sequential
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("bottleneck")
class BottleneckTransform(Transform):
    """Four 5x5 convolutions with stride 2, and bottleneck blocks in place of an activation between them.

    Source: He, Yang, Peng, Ma, Qin, Wang, ELIC: Efficient Learned Image Compression with Unevenly Grouped Space-Channel
    Contextual Adaptive Coding, CVPR 2022, section 3.4 and figure 7.

    Args:
      width: Channels between the convolutions.
      latent_depth: Channels of the latent.
      blocks: Number of bottleneck blocks between two convolutions.
      attention: Whether there are attention blocks at a quarter of height and width and at the latent.
      channels: Channels of the images.
    """

    def __init__(
        self,
        width: Count = 192,
        latent_depth: Count = 320,
        blocks: Count = 3,
        attention: bool = True,
        channels: ImageChannels = 3,
        **kwargs,
    ):
        super().__init__(latent_depth, 16, **kwargs)
        self.channels = channels
        # As far as kernels see, in positions of the latent: a 3x3 kernel before two strides sees a quarter further.
        self.tile_overlap = math.ceil(15 / 8 + 7 / 8 * blocks + 15 / 4 * attention)

        def between() -> list[keras.layers.Layer]:
            return [BottleneckBlock(width) for _ in range(blocks)]

        def attended(filters: int) -> list[keras.layers.Layer]:
            return [AttentionBlock(filters)] if attention else []

        analysis = [
            Convolution(width, 5, down=2),
            *between(),
            Convolution(width, 5, down=2),
            *between(),
            *attended(width),
            Convolution(width, 5, down=2),
            *between(),
            Convolution(latent_depth, 5, down=2),
            *attended(latent_depth),
        ]
        synthesis = [
            *attended(latent_depth),
            Convolution(width, 5, up=2),
            *between(),
            Convolution(width, 5, up=2),
            *attended(width),
            *between(),
            Convolution(width, 5, up=2),
            *between(),
            Convolution(channels, 5, up=2, full_precision=True),
        ]
        self.analysis = Sequential([Scale(1 / 255), *analysis])
        self.synthesis = Sequential([*synthesis, Scale(255.0)])
