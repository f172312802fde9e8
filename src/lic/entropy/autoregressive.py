"""The autoregressive context model: positions in raster order (Minnen, Balle, Toderici, NeurIPS 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.distributions.base import Distribution
from lic.entropy.orders import wavefronts
from lic.entropy.parameters import convolutions
from lic.entropy.parts import EVERYTHING, Part
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("autoregressive")
class Autoregressive(EntropyModel):
    """Codes positions in raster order, each with the positions above and to its left as context.

    Positions that do not see each other are coded together (`lic.entropy.wavefronts`).

    Source: Minnen, Balle, Toderici, Joint Autoregressive and Hierarchical Priors, NeurIPS 2018.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      context_width: Channels of the context; default 2 `latent_depth`.
      parameter_widths: Inner channels of the network from features and context to parameters; default 10/3 and 8/3
        times `latent_depth`, as published.
      context_size: Height and width of the context's kernel, odd and at least 3.
      training_context: The latent that the context is computed from in training: "noise", as published, or "rounded".
      parameter_activation: The activation of the network from features and context to parameters.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: `context_size` is even or less than 3, or `training_context` is unknown.
    """

    added_arguments: ClassVar[Mapping[str, Any]] = {"parameter_activation": "relu"}

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        context_width: Count | None = None,
        parameter_widths: tuple[Count, ...] | None = None,
        context_size: Count = 5,
        training_context: Literal["noise", "rounded"] = "noise",
        parameter_activation: str = "relu",
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        self._check("context_size", context_size % 2 == 1 and context_size >= 3, "odd, and at least 3", context_size)
        widths = (
            (latent_depth * 10 // 3, latent_depth * 8 // 3) if parameter_widths is None else tuple(parameter_widths)
        )
        self.order = wavefronts(context_size, training_context)
        self.context = CausalContext(context_width or 2 * latent_depth, context_size)
        start = self.start_bias(latent_depth)
        widths = (*widths, self.likelihood.parameters * latent_depth)
        self.parameters = convolutions(widths, (1,) * len(widths), parameter_activation, bias_initializer=start)

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then the positions."""
        features = coder.side(self.hyper, self.prior)

        def step(known: tf.Tensor, part: Part) -> Distribution:
            context = self.context.at(part, known)
            parameters = self.parameters(tf.concat([part.take(features), context], -1))
            return self.likelihood(parameters)

        return coder.serial(self.order, step)

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        return [(self.parameters.layers[-1], 0, self.latent_depth)]


class CausalContext(Layer):
    """A correlation with the positions above, and to the left in the same row, as far as an odd kernel reaches.

    It is computed at a part's positions only: their neighbours are gathered, and multiplied by one matrix.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel, odd.

    Attributes:
      taps: The number of positions that it sees, in raster order.
      product: The 1x1 convolution of what it sees, the channels of the first position first.
    """

    def __init__(self, filters: Count, kernel_size: Count, **kwargs):
        super().__init__(**kwargs)
        # Of a kernel in raster order, the first half is causal.
        reach, self.kernel_size, self.taps = kernel_size // 2, kernel_size, kernel_size**2 // 2
        places = np.arange(self.taps, dtype=np.int32)
        self._rows, self._columns = places // kernel_size - reach, places % kernel_size - reach
        self.product = Convolution(filters, 1)

    def at(self, part: Part, latent: tf.Tensor) -> tf.Tensor:
        """Returns the context at a part's positions, in the shape of `part.take`.

        Args:
          part: A row of positions, or everything.
          latent: The latent [batch, height, width, depth], as far as it is known.
        """
        batch, height, width, depth = (*tf.unstack(tf.shape(latent))[:3], latent.shape[-1])
        places = part.places(height, width) if part.places else tf.range(height * width)
        rows, columns = places[:, None] // width + self._rows, places[:, None] % width + self._columns
        inside = (rows >= 0) & (columns >= 0) & (columns < width)
        neighbours = tf.where(inside, rows * width + columns, 0)
        values = tf.gather(tf.reshape(latent, (batch, height * width, depth)), neighbours, axis=1)
        values *= tf.cast(inside, "float32")[..., None]
        shape = (batch, 1, -1) if part.places else (batch, height, width)
        return self.product(tf.reshape(values, (*shape, len(self._rows) * depth)))

    def call(self, latent: tf.Tensor) -> tf.Tensor:
        """Returns the context at all positions of a latent [batch, height, width, depth]."""
        return self.at(EVERYTHING, latent)
