"""Where the bits of an image go: at which positions of the latent, and into which parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.rate_search import checked_quality
from lic.entropy.coders.coder import Estimate
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import ScaleTable
from lic.entropy.parts import Part
from lic.environment import tf
from lic.images import checked_image, coloured
from lic.layers.padding import pad


class BitMap(NamedTuple):
    """Estimated bits of an image.

    Attributes:
      positions: Bits at each position of the latent [rows, columns], all channels together.
      parts: Name and bits of each part of the latent, in coding order.
      side: Bits of the side information, which has positions of its own; 0 where the model has none.
      downscale: Height and width in pixels of the block that a position stands for.
    """

    positions: np.ndarray
    parts: tuple[tuple[str, float], ...]
    side: float
    downscale: int


class _Located(Estimate):
    """Keeps the bits of each number of the latent, beside those of each part."""

    def __init__(self, latent: tf.Tensor, scales: ScaleTable, likelihood_bound: float | None):
        super().__init__(latent, scales, likelihood_bound=likelihood_bound)
        self.located, self.parts = tf.zeros_like(latent), []

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        return self._locate(part, super().normal(part, mean, index))

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        return self._locate(part, super().learnt(part, prior))

    def _add_up(self, name: str, bits: tf.Tensor) -> None:
        super()._add_up(name, bits)
        self._latest = bits

    def _locate(self, part: Part, values: tf.Tensor) -> tf.Tensor:
        self.located = part.put(self.located, self._latest)
        self.parts.append((part.name, float(tf.reduce_sum(self._latest))))
        return values


def bit_map(codec: Codec, image: np.ndarray, *, quality: float | None = None) -> BitMap:
    """Returns where the bits go that `codec.estimate` adds up.

    Args:
      codec: The codec.
      image: uint8 [height, width, 3] or [height, width].
      quality: As for `codec.compress`.

    Raises:
      ImageError: The array is of another type or shape.
      ValueError: The codec does not have the quality.
    """
    model, qualities = codec.model, tf.constant([checked_quality(quality, codec.model.gains)])
    images = tf.constant(coloured(checked_image(image))[None], "float32")
    latent = tf.cast(model.transform.analysis(pad(images, model.transform.downscale)), "float32")
    coder = _Located(model.scale(latent, qualities), model.entropy.scales, model.entropy.likelihood_bound)
    model.entropy.walk(model.coder(coder, qualities))
    side = float(coder.bits.get("side", (0.0,))[0])
    return BitMap(tf.reduce_sum(coder.located[0], -1).numpy(), tuple(coder.parts), side, model.transform.downscale)
