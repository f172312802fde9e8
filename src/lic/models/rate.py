"""Rate control: the rates of a model, the gains of a latent at each of them, and the weights of their losses."""

from __future__ import annotations

import abc
import itertools
import math
from collections.abc import Sequence

import numpy as np

from lic.entropy.coders.base import Coder
from lic.entropy.coders.variable_rate import VariableRateCoder
from lic.entropy.distributions.base import ChannelGains
from lic.entropy.noise import uniform
from lic.environment import tf
from lic.layers.base import Layer


class RateControl(abc.ABC):
    """Base of rate controls. Every model has one, and asks it alone for gains.

    A quality is a real number from 1 to `count`; quality 1 has the lowest rate. Below, qualities are those of the
    images [batch], or those of all positions of their latents [batch, rows, columns].

    Attributes:
      count: Number of qualities that have an lmbda of their own; 1 in a model of one rate.
    """

    count: int

    @property
    def default(self) -> float:
        """The quality that is taken where none is given: the middle one."""
        return float((self.count + 1) // 2)

    def qualities(self, batch: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns a quality for each image [batch]: the default, or in training a random one from 1 to `count`.

        A random one is drawn half a quality beyond both ends, and then moved to them. So the two qualities at the ends
        have as large a share as those between.
        """
        if training and self.count > 1:
            return tf.clip_by_value(uniform([batch], 0.5, self.count + 0.5), 1.0, self.count)
        return tf.fill([batch], self.default)

    @abc.abstractmethod
    def apply_gain(self, latent: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Returns latents [batch, rows, columns, depth] as they are coded at qualities."""

    @abc.abstractmethod
    def gains_at(self, quality: tf.Tensor) -> ChannelGains | None:
        """Returns the gains at qualities, or None for a model of one rate."""

    @abc.abstractmethod
    def coder(self, coder: Coder, gains: ChannelGains | None) -> Coder:
        """Returns the coder that a walk is given.

        Args:
          coder: A coder of latents as `apply_gain` returned them.
          gains: The result of `gains_at`, or the same gains in another arithmetic.
        """

    @abc.abstractmethod
    def apply_output_gain(self, y_hat: tf.Tensor, gains: ChannelGains | None) -> tf.Tensor:
        """Returns the result of a walk [batch, rows, columns, depth] as the synthesis takes it."""

    @abc.abstractmethod
    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        """Returns the weights of the distortion at qualities, in their shape."""

    @abc.abstractmethod
    def emphasis(self, quality: tf.Tensor) -> tf.Tensor:
        """Returns the factors of the losses at qualities in training, in the shape of the qualities."""


class SingleRate(RateControl):
    """One rate: the latent is coded as it is.

    Args:
      lmbda: Weight of the distortion, over 0.

    Raises:
      ValueError: `lmbda` is not over 0, or not finite.
    """

    count = 1

    def __init__(self, lmbda: float):
        if not 0 < lmbda < math.inf:
            raise ValueError(f"CompressionModel: expected lmbda over 0, and finite. Received: lmbda={lmbda!r}.")
        self._lmbda = float(lmbda)

    def apply_gain(self, latent: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        return latent

    def gains_at(self, quality: tf.Tensor) -> None:
        return None

    def coder(self, coder: Coder, gains: ChannelGains | None) -> Coder:
        return coder

    def apply_output_gain(self, y_hat: tf.Tensor, gains: ChannelGains | None) -> tf.Tensor:
        return y_hat

    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(quality), self._lmbda)

    def emphasis(self, quality: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(quality))


class Gains(Layer, RateControl):
    """Three learnt numbers for each quality and channel: the latent is coded in steps of one over the gain.

    The *gain* multiplies the latent before it is rounded, and its inverse after. The *scale factor* corrects the
    predicted scale, because a walk that sees coarser steps predicts less well. The *output gain* multiplies y_hat
    before the synthesis. `lic.entropy.coders.variable_rate` has the formulas.

    Between two qualities the logarithms of their vectors, and of their lmbda, are interpolated. Training draws such
    qualities too, so that every real quality from 1 to `count` is trained.

    Source: Cui et al., Asymmetric Gained Deep Image Compression, CVPR 2021, section 3.

    Args:
      depth: Channels of the latent.
      lmbdas: The lmbda of each quality, rising.

    Raises:
      ValueError: There are fewer than two lmbdas, or they are not positive and rising.
    """

    def __init__(self, depth: int, lmbdas: Sequence[float], **kwargs):
        super().__init__(**kwargs | {"dtype": "float32"})
        lmbdas = tuple(float(lmbda) for lmbda in lmbdas)
        rising = all(low < high for low, high in itertools.pairwise(lmbdas))
        if len(lmbdas) < 2 or not 0 < lmbdas[0] <= lmbdas[-1] < math.inf or not rising:
            raise ValueError(
                f"Gains: expected two or more finite numbers for lmbda, over 0 and rising. Received: lmbda={lmbdas!r}. "
                "Give one number for a model of one rate."
            )
        self.depth, self.lmbdas, self.count = depth, lmbdas, len(lmbdas)
        # The best step is proportional to one over the root of lmbda, so gains start at this root.
        start = 0.5 * np.log(np.array(lmbdas) / self._typical)
        self.log_gain = self._table("log_gain", start)
        self.log_scale_factor = self._table("log_scale_factor", np.zeros_like(start))
        self.log_output_gain = self._table("log_output_gain", np.zeros_like(start))
        self.built = True

    def apply_gain(self, latent: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        return latent * tf.exp(_of_positions(self._at(self.log_gain, quality)))

    def gains_at(self, quality: tf.Tensor) -> ChannelGains:
        gain, factor, output_gain = (
            tf.exp(_of_positions(self._at(table, quality)))
            for table in (self.log_gain, self.log_scale_factor, self.log_output_gain)
        )
        return ChannelGains(gain, gain * factor, tf.math.log(gain * factor), output_gain)

    def coder(self, coder: Coder, gains: ChannelGains | None) -> Coder:
        return VariableRateCoder(coder, gains)

    def apply_output_gain(self, y_hat: tf.Tensor, gains: ChannelGains | None) -> tf.Tensor:
        return y_hat * gains.output_gain

    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        return tf.exp(self._at(np.log(self.lmbdas)[:, None], quality))[..., 0]

    def emphasis(self, quality: tf.Tensor) -> tf.Tensor:
        """Returns one over the root of lmbda, relative to the geometric mean of all.

        At high qualities both rate and weighted distortion are large, and would outweigh the gradients of the others.
        """
        return tf.sqrt(self._typical / self.lmbda(quality))

    @property
    def _typical(self) -> float:
        return float(np.exp(np.mean(np.log(self.lmbdas))))

    def _table(self, name: str, start: np.ndarray) -> tf.Variable:
        rows = np.repeat(start[:, None], self.depth, 1).astype(np.float32)
        return self.add_weight(name=name, shape=rows.shape, initializer=lambda *_, **__: tf.constant(rows))

    def _at(self, table: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Returns rows [..., columns] of a table, interpolated linearly at real qualities [...]."""
        position = tf.clip_by_value(quality - 1.0, 0.0, self.count - 1.0)
        # The weight of a row is one minus its distance from the position, so at most two rows have weight.
        weights = tf.nn.relu(1 - tf.abs(position[..., None] - tf.range(self.count, dtype="float32")))
        return tf.matmul(weights, tf.cast(tf.convert_to_tensor(table), "float32"))


def _of_positions(vectors: tf.Tensor) -> tf.Tensor:
    """Returns vectors [batch, rows, columns, depth] of positions; those of images [batch, depth] get one of each."""
    return vectors[:, None, None] if vectors.shape.rank == 2 else vectors
