"""The transform of partial convolutions, which is fast for its number of parameters."""

from __future__ import annotations

import math

from lic.argument_types import Count, ImageChannels
from lic.layers.convolution import Convolution
from lic.layers.partial import PartialBlock
from lic.registry import register_transform
from lic.transforms.base import Transform
from lic.transforms.stages import make_stages


@register_transform("partial")
class PartialTransform(Transform):
    """Convolutions that halve or double height and width, with blocks of partial convolutions between them.

    The first convolution has kernels of 4x4; those after it of 2x2, so that their outputs share no input.

    Source: Li et al., Learned Image Compression with Hierarchical Progressive Context Modeling, ICCV 2025, as in their
    code.

    Args:
      width: Channels at a half, a quarter and an eighth of height and width.
      latent_depth: Channels of the latent.
      blocks: Number of blocks at each of these sizes.
      channels: Channels of the images.

    Raises:
      ValueError: `width` and `blocks` are not equally many numbers.
    """

    def __init__(
        self,
        width: tuple[Count, ...] | Count = (96, 192, 384),
        latent_depth: Count = 320,
        blocks: tuple[Count, ...] = (2, 2, 4),
        channels: ImageChannels = 3,
        **kwargs,
    ):
        super().__init__(latent_depth, 2 ** (len(blocks) + 1), **kwargs)
        self.channels = channels
        # Blocks have a 3x3 kernel, and only the convolution next to the image has a kernel larger than its stride.
        reach = 2 + sum(count * 2 ** (number + 1) for number, count in enumerate(blocks))
        self.tile_overlap = math.ceil(reach / self.downscale)
        make_stages(self, width, blocks, (4, 2), PartialBlock, halving, doubling)


def halving(filters: int, size: int = 2) -> Convolution:
    """Returns a convolution that halves height and width, with an even kernel in the middle of its two rows."""
    return Convolution(filters, size, down=2, correlation=False)


def doubling(filters: int, size: int = 2, **kwargs: bool) -> Convolution:
    """Returns the transpose of such a convolution, which doubles height and width."""
    return Convolution(filters, size, up=2, correlation=True, **kwargs)
