"""The transform of residual blocks, with attention blocks as an option."""

from __future__ import annotations

from lic.argument_types import Count, ImageChannels
from lic.layers.attention import AttentionBlock
from lic.layers.convolution import Convolution
from lic.layers.residual import ResidualBlock, ResidualDown, ResidualUp
from lic.layers.sequential import Scale, Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.registry import register_transform
from lic.transforms.base import Transform


@register_transform("residual")
class ResidualTransform(Transform):
    """Residual blocks of 3x3 convolutions, of which every second one halves or doubles height and width.

    Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
    Attention Modules, CVPR 2020, figures 4 and 5; details as in CompressAI.

    Args:
      width: Channels between the blocks.
      latent_depth: Channels of the latent.
      attention: Whether there are attention blocks at a quarter of height and width and at the latent.
      channels: Channels of the images.
      activation: Name of the activations of the residual blocks.
    """

    def __init__(
        self,
        width: Count = 128,
        latent_depth: Count = 128,
        attention: bool = False,
        channels: ImageChannels = 3,
        activation: str = "leaky_relu_0.01",
        **kwargs,
    ):
        super().__init__(latent_depth, 16, **kwargs)
        self.channels = channels
        # The kernels of the analysis see 3.6 positions of the latent on each side, those of the synthesis 6.5. Three
        # more 3x3 kernels in each attention block see 3 positions, and at a quarter of height and width 0.75.
        self.tile_overlap = (8, 11) if attention else (4, 7)
        in_the_middle = [AttentionBlock(width) for _ in range(2 * attention)]
        at_the_latent = [AttentionBlock(latent_depth) for _ in range(2 * attention)]
        analysis = [
            ResidualDown(width, activation),
            ResidualBlock(width, activation),
            ResidualDown(width, activation),
            *in_the_middle[:1],
            ResidualBlock(width, activation),
            ResidualDown(width, activation),
            ResidualBlock(width, activation),
            Convolution(latent_depth, 3, down=2),
            *at_the_latent[:1],
        ]
        synthesis = [
            *at_the_latent[1:],
            ResidualBlock(latent_depth, activation),
            ResidualUp(width, activation),
            ResidualBlock(width, activation),
            ResidualUp(width, activation),
            *in_the_middle[1:],
            ResidualBlock(width, activation),
            ResidualUp(width, activation),
            ResidualBlock(width, activation),
            SubpixelConvolution(channels, full_precision=True),
        ]
        self.analysis = Sequential([Scale(1 / 255), *analysis])
        self.synthesis = Sequential([*synthesis, Scale(255.0)])
