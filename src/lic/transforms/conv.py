"""The convolutional pyramid with GDN that most learned codecs start from."""

from __future__ import annotations

from lic.registry import register_transform
from lic.transforms.base import Transform
from lic.transforms.chain import Chain, Scale
from lic.transforms.convolution import Convolution
from lic.transforms.gdn import GDN


@register_transform("conv")
class ConvTransform(Transform):
    """Four 5x5 convolutions with stride 2 and GDN between them, and their mirror.

    Source: Balle, Laparra, Simoncelli, ICLR 2017; with these depths Minnen and Singh, ICIP 2020, section 3.

    Args:
      width: Channels between the convolutions.
      latent_depth: Channels of the latent.
      kernel_size: Height and width of all kernels.
      square_root: Whether GDN takes squares and a root.
      kernel_form: How kernels are stored, "plain" or "dft".
    """

    def __init__(
        self,
        width: int = 192,
        latent_depth: int = 320,
        kernel_size: int = 5,
        square_root: bool = False,
        kernel_form: str = "plain",
        **kwargs,
    ):
        super().__init__(latent_depth, **kwargs)
        common = {"kernel_size": kernel_size, "kernel_form": kernel_form}
        analysis, synthesis = [Scale(1 / 255)], []
        for filters in (width, width, width):
            analysis += [Convolution(filters, down=2, **common), GDN(square_root=square_root)]
            synthesis += [
                Convolution(filters, up=2, **common),
                GDN(inverse=True, square_root=square_root),
            ]
        self.analysis = Chain([*analysis, Convolution(latent_depth, down=2, **common)])
        self.synthesis = Chain([*synthesis, Convolution(3, up=2, **common), Scale(255.0)])
