"""The convolutional hyper transform."""

from __future__ import annotations

from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform
from lic.transforms.chain import Chain, SideBySide
from lic.transforms.convolution import Convolution


@register_hyper_transform("conv")
class ConvHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by three convolutions each way.

    Source: Minnen and Singh, ICIP 2020, as in their published code: 3x3, then 5x5 with stride 2 twice, ReLU between,
    no bias at the end; the synthesis mirrors it with ReLU after every layer.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels of the layer in the middle.
      side_depth: Channels of the side information.
      features: Channels of the features of each synthesis; default `latent_depth`.
      kernel_size: Height and width of the kernels that change the size.
      num_syntheses: Number of syntheses side by side, whose features are concatenated; ms2020 has one for means and one
        for scales.
      kernel_form: How kernels of the analysis are stored, "plain" or "dft"; those of the synthesis are always plain.
      outer_width: Channels of the layer next to the latent; default `latent_depth` in the analysis, and the same as
        `side_depth` on the synthesis's first layer.
    """

    def __init__(
        self,
        latent_depth: int = 320,
        hyper_width: int = 256,
        side_depth: int = 192,
        features: int | None = None,
        kernel_size: int = 5,
        outer_width: int | None = None,
        num_syntheses: int = 1,
        kernel_form: str = "plain",
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features * num_syntheses, **kwargs)
        forms = {"kernel_form": kernel_form}
        self.analysis = Chain(
            [
                Convolution(outer_width or latent_depth, 3, correlation=True, activation="relu", **forms),
                Convolution(hyper_width, kernel_size, down=2, activation="relu", **forms),
                Convolution(side_depth, kernel_size, down=2, bias=False, **forms),
            ]
        )
        syntheses = [
            Chain(
                [
                    Convolution(outer_width or side_depth, kernel_size, up=2, activation="relu"),
                    Convolution(hyper_width, kernel_size, up=2, activation="relu"),
                    Convolution(features, 3, activation="relu"),
                ]
            )
            for _ in range(num_syntheses)
        ]
        self.synthesis = syntheses[0] if num_syntheses == 1 else SideBySide(syntheses)
