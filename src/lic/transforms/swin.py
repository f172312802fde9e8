"""The Swin transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from lic.argument_types import Count, CountOrZero, ImageChannels, WindowSize
from lic.layers.convolution import Convolution
from lic.layers.sequential import Scale, Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.layers.swin.patches import PatchEmbedding
from lic.layers.swin.stages import SwinStages
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("swin")
class SwinTransform(Transform):
    """Four stages of Swin transformer blocks as analysis, and their mirror as synthesis.

    Source: Zhu, Yang, Cohen, ICLR 2022, section 3.2 and appendix A; with `norm_first` and `convolutional_end` Zou,
    Song, Zhang, The Devil Is in the Details: Window-based Attention for Image Compression, CVPR 2022, section 3.3.

    Args:
      width: Channels of the first three stages; one number stands for all three.
      latent_depth: Channels of the last stage and of the latent.
      depths: Number of blocks of each stage.
      window: Height and width of the windows, in tokens.
      head_dim: Channels of each head; all widths are multiples of it.
      channels: Channels of the images.
      norm_first: Whether layer norms follow the embedding, and come before the products that split tokens.
      convolutional_end: Whether the synthesis ends with a 5x5 sub-pixel and a 3x3 convolution in place of a product.
      sees_padding: As in `lic.layers.SwinBlock`.

    Raises:
      ValueError: There are not three widths and four depths, or a width is no multiple of `head_dim`.
    """

    added_arguments: ClassVar = {"channels": 3, "norm_first": False, "convolutional_end": False, "sees_padding": False}

    def __init__(
        self,
        width: Count | Sequence[Count] = (128, 192, 256),
        latent_depth: Count = 320,
        depths: Sequence[CountOrZero] = (2, 2, 6, 2),
        window: WindowSize = 8,
        head_dim: Count = 32,
        channels: ImageChannels = 3,
        norm_first: bool = False,
        convolutional_end: bool = False,
        sees_padding: bool = False,
        **kwargs,
    ):
        super().__init__(latent_depth, **kwargs)
        self.channels = channels
        self.tile_multiple, self.tile_overlap = window, max(window, 8)
        inner = (width,) * 3 if isinstance(width, int) else tuple(width)
        if len(inner) != 3 or len(depths) != 4:
            raise ValueError(
                "SwinTransform: expected one or three widths, for the stages before the last, and four depths. "
                f"Received: width={width!r}, depths={depths!r}. The width of the last stage is latent_depth."
            )
        widths = (*inner, latent_depth)
        common = {"window": window, "head_dim": head_dim, "sees_padding": sees_padding}
        merging = SwinStages.merging(widths, depths, **common)
        end = []
        if convolutional_end:
            end = [SubpixelConvolution(widths[0], 5), Convolution(channels, 3, correlation=True, full_precision=True)]
        outputs = None if convolutional_end else channels
        splitting = SwinStages.splitting(widths[::-1], tuple(depths)[::-1], outputs, norm_first, **common)
        self.analysis = Sequential([Scale(1 / 255), PatchEmbedding(widths[0], norm_first), merging])
        self.synthesis = Sequential([splitting, *end, Scale(255.0)])
