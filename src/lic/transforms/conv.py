"""The convolutional transform with GDN, on which most published systems are built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from lic.argument_types import Count, ImageChannels
from lic.environment import keras
from lic.layers.attention import AttentionBlock
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.sequential import Scale, Sequential
from lic.layers.swin.attention import WindowAttention
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("conv")
class ConvTransform(Transform):
    """Four 5x5 convolutions with stride 2 and GDN between them as analysis, and their mirror as synthesis.

    Source: Balle, Laparra, Simoncelli, ICLR 2017; with these depths Minnen and Singh, ICIP 2020, section 3; with
    attention Zou, Song, Zhang, The Devil Is in the Details: Window-based Attention for Image Compression, CVPR 2022.

    Args:
      width: Channels between the convolutions.
      latent_depth: Channels of the latent.
      kernel_size: Height and width of all kernels.
      square_root: Whether GDN takes squares and a root.
      kernel_form: The form in which kernels are stored, "plain" or "dft".
      analysis_strides: Stride of each convolution of the analysis; the synthesis has them in reverse. Their product is
        `downscale`.
      analysis_kernel_sizes: Kernel size of each convolution of the analysis; the synthesis has them in reverse. By
        default all have `kernel_size`.
      latent_bias: Whether the last convolution of the analysis has a bias.
      channels: Channels of the images.
      attention: Whether there are attention blocks with windows, as in WACNN: of 8x8 positions after half of the
        convolutions, and of 4x4 at the latent.

    Raises:
      ValueError: A stride or kernel size is not a whole number of at least 1, or their numbers differ.
    """

    added_arguments: ClassVar = {"channels": 3, "attention": False}

    def __init__(
        self,
        width: Count = 192,
        latent_depth: Count = 320,
        kernel_size: Count = 5,
        square_root: bool = False,
        kernel_form: str = "plain",
        analysis_strides: Sequence[Count] = (2, 2, 2, 2),
        analysis_kernel_sizes: Sequence[Count] | None = None,
        latent_bias: bool = True,
        channels: ImageChannels = 3,
        attention: bool = False,
        **kwargs,
    ):
        _check_layers(analysis_strides, analysis_kernel_sizes)
        sizes = (kernel_size,) * len(analysis_strides) if analysis_kernel_sizes is None else analysis_kernel_sizes
        super().__init__(latent_depth, math.prod(analysis_strides), **kwargs)
        self.channels = channels
        inner = len(sizes) - 1
        down = [
            Convolution(filters, size, down=stride, correlation=True, bias=bias, kernel_form=kernel_form)
            for filters, size, stride, bias in zip(
                [width] * inner + [latent_depth], sizes, analysis_strides, [True] * inner + [latent_bias]
            )
        ]
        up = [
            Convolution(filters, size, up=stride, kernel_form=kernel_form, full_precision=pixels)
            for filters, size, stride, pixels in zip(
                [width] * inner + [channels], sizes[::-1], analysis_strides[::-1], [False] * inner + [True]
            )
        ]
        # The positions of the latent that a position sees on each side, through all kernels.
        reach = sum(size // 2 * math.prod(analysis_strides[:number]) for number, size in enumerate(sizes))
        reach /= self.downscale
        analysis = _with_gdn(down, square_root=square_root)
        synthesis = _with_gdn(up, inverse=True, square_root=square_root)
        if attention:
            middle = 2 * (len(sizes) // 2)  # After half of the convolutions and their GDN.
            later = math.prod(analysis_strides[len(sizes) // 2 :])
            # Windows of 8 and of 4, and three 3x3 convolutions beside each.
            reach += (7 + 3) / later + 3 + 3
            self.tile_multiple = math.lcm(4, 8 // math.gcd(8, later))
            analysis.insert(middle, _attention(width, 8))
            analysis.append(_attention(latent_depth, 4))
            synthesis.insert(middle, _attention(width, 8))
            synthesis.insert(0, _attention(latent_depth, 4))
        self.tile_overlap = max(Transform.tile_overlap, math.ceil(reach))
        self.analysis = Sequential([Scale(1 / 255), *analysis])
        self.synthesis = Sequential([*synthesis, Scale(255.0)])


def _attention(filters: int, window: int) -> AttentionBlock:
    heads = math.gcd(filters, 8)
    return AttentionBlock(filters, "gelu", WindowAttention(filters, window, window // 2, filters // heads, skip=True))


def _with_gdn(convolutions: list[Convolution], **gdn: bool) -> list[keras.layers.Layer]:
    """Puts GDN between convolutions."""
    layers = [layer for convolution in convolutions for layer in (convolution, GDN(**gdn))]
    return layers[:-1]


def _check_layers(strides: Sequence[int], sizes: Sequence[int] | None) -> None:
    if not strides:
        raise ValueError("ConvTransform: expected analysis_strides of at least one convolution. Received: ().")
    if sizes is not None and len(strides) != len(sizes):
        raise ValueError(
            f"ConvTransform: expected analysis_kernel_sizes to be {len(strides)} numbers, as many as analysis_strides "
            f"({strides!r}). Received: {sizes!r}. Pass one for each convolution."
        )
