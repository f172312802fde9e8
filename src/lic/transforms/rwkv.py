"""The transform of RWKV blocks, whose attention reaches over the whole image."""

from __future__ import annotations

from lic.argument_types import Count, ImageChannels
from lic.errors import check
from lic.layers.convolution import Convolution
from lic.layers.rwkv import RWKVBlock
from lic.layers.sequential import Scale, Sequential
from lic.registry import register_transform
from lic.transforms.base import Transform


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
        widths = (width,) * len(blocks) if isinstance(width, int) else tuple(width)
        check("RWKVTransform", "width", len(widths) == len(blocks), f"{len(blocks)} numbers, as blocks", width)
        super().__init__(latent_depth, 2 ** (len(widths) + 1), **kwargs)
        self.channels = channels
        analysis, synthesis = [Scale(1 / 255)], []
        for number, (filters, count) in enumerate(zip(widths, blocks)):
            analysis.append(Convolution(filters, 3 if number else 5, down=2))
            analysis += [RWKVBlock(filters) for _ in range(count)]
        for filters, count in zip(widths[::-1], blocks[::-1]):
            synthesis.append(Convolution(filters, 3, up=2))
            synthesis += [RWKVBlock(filters) for _ in range(count)]
        synthesis += [Convolution(channels, 5, up=2, full_precision=True), Scale(255.0)]
        self.analysis = Sequential([*analysis, Convolution(latent_depth, 3, down=2)])
        self.synthesis = Sequential(synthesis)
