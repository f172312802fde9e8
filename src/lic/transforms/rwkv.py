"""The transform of RWKV blocks, whose attention reaches over the whole image."""

from __future__ import annotations

import functools

from lic.argument_types import Count, ImageChannels
from lic.layers.convolution import Convolution
from lic.layers.rwkv import RWKVBlock
from lic.registry import register_transform
from lic.transforms.base import Transform
from lic.transforms.stages import make_stages


@register_transform("rwkv")
class RWKVTransform(Transform):
    """Convolutions that halve or double height and width, with RWKV blocks between them.

    Kernels of the layers next to the image are 5x5, all others 3x3. The weights of attention depend on the size of the
    image, so that no image is cut into tiles.

    Source: Feng, Cheng, Wang, Wu, Hu, Lu, Song, Linear Attention Modeling for Learned Image Compression, CVPR 2025,
    section 3.1, as in their code.

    Args:
      width: Channels at a half, a quarter and an eighth of height and width.
      latent_depth: Channels of the latent.
      blocks: Number of blocks at each of these sizes.
      channels: Channels of the images.

    Raises:
      ValueError: `width` and `blocks` are not equally many numbers.
    """

    tile_overlap = None

    def __init__(
        self,
        width: tuple[Count, ...] | Count = (96, 144, 256),
        latent_depth: Count = 320,
        blocks: tuple[Count, ...] = (2, 4, 6),
        channels: ImageChannels = 3,
        **kwargs,
    ):
        super().__init__(latent_depth, 2 ** (len(blocks) + 1), **kwargs)
        self.channels = channels
        halving, doubling = functools.partial(Convolution, down=2), functools.partial(Convolution, up=2)
        make_stages(self, width, blocks, (5, 3), RWKVBlock, halving, doubling)
