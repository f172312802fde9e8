"""Passes over channels and positions at once: four (Li et al., CVPR 2023), or two (Wang et al., ICLR 2023)."""

from __future__ import annotations

import itertools
from typing import ClassVar, Literal

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.parameters import convolutions
from lic.entropy.parts import Part, channels, every, runs_of, union, within
from lic.environment import tf
from lic.layers.convolution import Convolution
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("quadtree")
class Quadtree(EntropyModel):
    """Codes four groups of channels in four passes, in each pass one position of every 2x2, another in each group.

    From the second pass on, every number has decoded numbers of other groups at its own position, and of its own group
    beside it. One network gives the parameters of all passes, after an adaptor for each.

    Source: Li, Li, Lu, Neural Video Compression with Diverse Contexts (DCVC-DC), CVPR 2023, section 3.3.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      context_width: Channels of each adaptor's result; default 2 `latent_depth`.
      parameter_widths: Inner channels of the network from the adaptor's result to parameters; default 2 `latent_depth`.
      context_size: Height and width of the adaptors' kernels.
      fusion: "concatenate" for adaptors of features and decoded numbers in all passes; "add" for parameters from the
        features alone, to which a network that starts at zero adds a correction from the second pass on.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: An argument is not valid; the message names it and its valid values.
    """

    # For each pass and group, the coded position of every 2x2: 0 and 1 in the upper row, 2 and 3 in the lower one.
    passes: ClassVar[tuple[tuple[tuple[int, ...], ...], ...]] = (
        ((0,), (1,), (2,), (3,)),
        ((3,), (2,), (1,), (0,)),
        ((1,), (0,), (3,), (2,)),
        ((2,), (3,), (0,), (1,)),
    )

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        context_width: Count | None = None,
        parameter_widths: tuple[Count, ...] | None = None,
        context_size: Count = 3,
        fusion: Literal["concatenate", "add"] = "concatenate",
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        widths = (2 * latent_depth,) if parameter_widths is None else tuple(parameter_widths)
        widths, sizes = (*widths, self.likelihood.parameters * latent_depth), (1,) * (len(widths) + 1)
        start = self.start_bias(latent_depth)
        self.fusion, width = fusion, context_width or 2 * latent_depth
        if fusion == "concatenate":
            self.parameters, count = convolutions(widths, sizes, bias_initializer=start), len(self.passes)
        else:
            self.parameters, count = convolutions(widths[-1:], (1,), bias_initializer=start), len(self.passes) - 1
            # The correction starts at zero, so that training starts from the model without context.
            self.correction = convolutions(widths, sizes, kernel_initializer="zeros")
        self.context = [Convolution(width, context_size, activation="relu") for _ in range(count)]

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then pass after pass."""
        features = coder.side(self.hyper, self.prior)
        y_hat = coder.zeros
        for number, part in enumerate(self._parts()):
            parameters = self._parameters(number, features, y_hat)
            y_hat = part.put(y_hat, coder.code(part, self.likelihood.at(part, parameters)))
        return y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        return [(self.parameters.layers[-1], 0, self.latent_depth)]

    def _parts(self) -> list[Part]:
        """Returns the part of each pass."""
        bounds = itertools.pairwise(runs_of(self.latent_depth, len(self.passes[0])))
        groups = [channels(*bound) if bound[0] < bound[1] else None for bound in bounds]
        return [
            union(
                f"pass {number}",
                *(
                    within(group, every("positions", 2, *divmod(place, 2)))
                    for group, places in zip(groups, positions)
                    for place in places
                    if group
                ),
            )
            for number, positions in enumerate(self.passes)
        ]

    def _parameters(self, number: int, features: tf.Tensor, y_hat: tf.Tensor) -> tf.Tensor:
        """Returns the parameters of the whole latent in a pass [batch, height, width, parameters x latent_depth]."""
        decoded = tf.concat([features, y_hat], -1) if number else features
        if self.fusion == "concatenate":
            return self.parameters(self.context[number](decoded))
        parameters = self.parameters(features)
        return parameters + self.correction(self.context[number - 1](decoded)) if number else parameters


@register_entropy_model("dual")
class Dual(Quadtree):
    """Codes two halves of the channels in two passes: the anchors of one with the non-anchors of the other.

    Source: Wang, Li, Li, Lu, EVC: Towards Real-Time Neural Image Compression with Mask Decay, ICLR 2023, section 3.2.

    Args:
      **kwargs: Arguments of `Quadtree`.
    """

    passes: ClassVar[tuple[tuple[tuple[int, ...], ...], ...]] = (((1, 2), (0, 3)), ((0, 3), (1, 2)))
