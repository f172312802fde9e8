"""The convolutional hyper transform."""

from __future__ import annotations

from lic.argument_types import Count
from lic.layers import activations
from lic.layers.convolution import Convolution
from lic.layers.sequential import Abs, Concatenate, Sequential
from lic.registry import register_hyper_transform
from lic.transforms.base import HyperTransform


@register_hyper_transform("conv")
class ConvHyperTransform(HyperTransform):
    """Side information at a quarter of the latent's height and width, by three convolutions each way.

    Source: Minnen and Singh, ICIP 2020, as in their published code: 3x3, then 5x5 with stride 2 twice, ReLU between,
    no bias at the end; the synthesis mirrors it with ReLU after every layer. With other values of `outer_width` and the
    arguments after it, it is the hyper transform of Balle et al., ICLR 2018, or of Minnen, Balle, Toderici, NeurIPS
    2018.

    Args:
      latent_depth: Channels of the latent.
      hyper_width: Channels of the layer in the middle, of the analysis and of each synthesis.
      side_depth: Channels of the side information.
      features: Channels of the features of each synthesis; default `latent_depth`.
      kernel_size: Height and width of the kernels with a stride.
      outer_width: Channels of the first layer, of the analysis and of each synthesis. Default: `latent_depth` in the
        analysis and `side_depth` in the synthesis.
      num_syntheses: Number of syntheses side by side, whose features are concatenated; ms2020 has one for means and one
        for scales.
      kernel_form: The form in which kernels of the analysis are stored, "plain" or "dft"; those of the synthesis are
        always plain.
      hyper_synthesis_widths: Channels of the first and of the middle layer of each synthesis. Default: those of
        `outer_width` and `hyper_width`.
      hyper_activation: Name of the activation between layers: Keras's, or "leaky_relu_0.01" for a slope of 0.01.
      features_activation: Name of the activation of the features, or None.
      absolute_latent: Whether the analysis sees absolute values of the latent, which suffice for scales without means.
      side_bias: Whether the last convolution of the analysis has a bias.

    Raises:
      ValueError: `hyper_synthesis_widths` is not two whole numbers, or an activation is unknown.
    """

    def __init__(
        self,
        latent_depth: Count = 320,
        hyper_width: Count = 256,
        side_depth: Count = 192,
        features: Count | None = None,
        kernel_size: Count = 5,
        outer_width: Count | None = None,
        num_syntheses: Count = 1,
        kernel_form: str = "plain",
        hyper_synthesis_widths: tuple[Count, Count] | None = None,
        hyper_activation: str = "relu",
        features_activation: str | None = "relu",
        absolute_latent: bool = False,
        side_bias: bool = False,
        **kwargs,
    ):
        features = features or latent_depth
        super().__init__(side_depth, features * num_syntheses, **kwargs)
        _check_activations(hyper_activation=hyper_activation, features_activation=features_activation)
        between = {"activation": hyper_activation}
        forms = {"kernel_form": kernel_form}
        analysis = [
            Convolution(outer_width or latent_depth, 3, correlation=True, **between, **forms),
            Convolution(hyper_width, kernel_size, down=2, **between, **forms),
            Convolution(side_depth, kernel_size, down=2, bias=side_bias, **forms),
        ]
        self.analysis = Sequential([Abs(), *analysis] if absolute_latent else analysis)
        first, middle = outer_width or side_depth, hyper_width
        if hyper_synthesis_widths is not None:
            first, middle = hyper_synthesis_widths
        syntheses = [
            Sequential(
                [
                    Convolution(first, kernel_size, up=2, **between),
                    Convolution(middle, kernel_size, up=2, **between),
                    Convolution(features, 3, activation=features_activation),
                ]
            )
            for _ in range(num_syntheses)
        ]
        self.synthesis = Concatenate.of(syntheses)


def _check_activations(**names: str | None) -> None:
    for argument, name in names.items():
        try:
            activations.get(name)
        except ValueError:
            raise ValueError(
                f"ConvHyperTransform: expected {argument} to be the name of a Keras activation, or None. "
                f"Received: {name!r}. Published models use 'relu', 'leaky_relu' and 'leaky_relu_0.01'."
            ) from None
