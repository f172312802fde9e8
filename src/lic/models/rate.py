"""One model for a range of rates: each channel of the latent is quantised in steps of the quality."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from lic.entropy.coders.coder import Coder
from lic.entropy.coders.variable_rate import Gained
from lic.environment import keras, tf


class Gains(keras.layers.Layer):
    """The steps that each quality quantises the channels of a latent in, learnt with the rest.

    A channel is scaled by its gain, quantised, and scaled back; the walk of the entropy model sees it as the analysis
    made it. The spread is a factor of its scales, since coarser steps tell less of what comes next; the remainder is a
    last factor for what the synthesis takes.

    Quality 1 is the lowest rate. Between two qualities the logarithms of their vectors, and of their lmbda, are
    interpolated, so that every real quality from 1 to `count` is one that training knows.

    Source: Cui et al., Asymmetric Gained Deep Image Compression, CVPR 2021, section 3.

    Args:
      depth: Channels of the latent.
      lmbdas: The lmbda of each quality, rising.

    Raises:
      ValueError: There are less than two, or they are not positive and rising.
    """

    def __init__(self, depth: int, lmbdas: Sequence[float], **kwargs):
        super().__init__(**kwargs | {"dtype": "float32"})
        lmbdas = tuple(float(lmbda) for lmbda in lmbdas)
        rising = all(low < high for low, high in itertools.pairwise(lmbdas))
        if len(lmbdas) < 2 or not lmbdas[0] > 0 or not rising:
            raise ValueError(
                f"Gains: expected two or more numbers for lmbda, over 0 and rising. Received: lmbda={lmbdas!r}. "
                "Give one number for a model of one rate."
            )
        self.depth, self.lmbdas = depth, lmbdas
        # At high rates the best step of a quantiser falls with the root of lmbda.
        start = 0.5 * np.log(np.array(lmbdas) / self._typical)
        self.log_gain = self._table("log_gain", start)
        self.log_spread = self._table("log_spread", np.zeros_like(start))
        self.log_remainder = self._table("log_remainder", np.zeros_like(start))
        self.built = True

    @property
    def count(self) -> int:
        """Number of qualities."""
        return len(self.lmbdas)

    @property
    def middle(self) -> int:
        """The quality that stands where none is given."""
        return (self.count + 1) // 2

    def scale(self, latent: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Returns latents [batch, height, width, depth] as they are quantised at qualities [batch]."""
        return latent * self._factor(self.log_gain, quality)[:, None, None]

    def coder(self, coder: Coder, quality: tf.Tensor) -> Gained:
        """Returns a coder for a walk on unscaled latents, where `coder` is one of latents at qualities [batch]."""
        return Gained(coder, self._factor(self.log_gain, quality), self._factor(self.log_spread, quality))

    def finish(self, y_hat: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Returns what such a walk returned [batch, height, width, depth] as the synthesis takes it."""
        return y_hat * self._factor(self.log_remainder, quality)[:, None, None]

    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        """Returns the lmbda [batch] of qualities [batch]."""
        return tf.exp(self._at(np.log(self.lmbdas)[:, None], quality))[:, 0]

    def emphasis(self, quality: tf.Tensor) -> tf.Tensor:
        """Returns what the losses [batch] at qualities [batch] are multiplied by in training.

        At high qualities both rate and weighted distortion are large, and would outweigh the others' gradients.
        """
        return tf.sqrt(self._typical / self.lmbda(quality))

    def _table(self, name: str, start: np.ndarray) -> tf.Variable:
        rows = np.repeat(start[:, None], self.depth, 1).astype(np.float32)
        return self.add_weight(name=name, shape=rows.shape, initializer=lambda *_, **__: tf.constant(rows))

    @property
    def _typical(self) -> float:
        return float(np.exp(np.mean(np.log(self.lmbdas))))

    def _factor(self, table: tf.Variable, quality: tf.Tensor) -> tf.Tensor:
        return tf.exp(self._at(table, quality))

    def _at(self, table: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Rows [batch, columns] of a table, between two of them by distance."""
        position = tf.clip_by_value(quality - 1.0, 0.0, self.count - 1.0)
        shares = tf.nn.relu(1 - tf.abs(position[:, None] - tf.range(self.count, dtype="float32")))
        return tf.matmul(shares, tf.cast(tf.convert_to_tensor(table), "float32"))

    def get_config(self) -> dict:
        return super().get_config() | {"depth": self.depth, "lmbdas": self.lmbdas}
