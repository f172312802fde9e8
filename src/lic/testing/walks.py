"""The three walks of an entropy model: estimating, encoding and decoding, each as one call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.entropy.base import EntropyModel
from lic.entropy.coders import Decode, Encode, Estimate, Recorder
from lic.entropy.distributions import Distribution
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import tf


class Walked(NamedTuple):
    """The results of one walk.

    Attributes:
      y_hat: The latent that the walk returned.
      z_hat: The quantised side information, or None.
      symbols: The coded symbols, or None if the walk estimated.
      string: The coded string, or None unless the walk encoded.
      bits: The bits of the whole latent and its side information, or None unless the walk estimated.
    """

    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    symbols: tf.Tensor | None = None
    string: tf.Tensor | None = None
    bits: tf.Tensor | None = None


class Walks:
    """The walks of an entropy model with the weights and tables that it has now.

    Args:
      entropy: An entropy model that has its variables.
    """

    def __init__(self, entropy: EntropyModel):
        self.entropy, self.tables = entropy, entropy.make_tables()
        depth = entropy.latent_depth
        latent = tf.TensorSpec((1, None, None, depth))
        self.traced_encode = tf.function(lambda latent: self.encode(latent), [latent], autograph=False)
        self.traced_decode = tf.function(self.decode, [tf.TensorSpec((), tf.string), latent], autograph=False)
        self.traced_estimate = tf.function(lambda latent: self.estimate(latent), [latent], autograph=False)

    def estimate(self, latent: tf.Tensor, side: tf.Tensor | None = None) -> Walked:
        """Estimates a latent [1, height, width, depth]; `side` replaces its side information, if it is given."""
        coder = Estimate(latent, side=side)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, bits=tf.add_n(list(coder.bits.values()))[0])

    def encode(self, latent: tf.Tensor, side: tf.Tensor | None = None) -> Walked:
        """Encodes a latent [1, height, width, depth]; `side` replaces its side information, if it is given."""
        coder = Encode(latent, self.tables, side)
        y_hat = self.entropy.walk(coder)
        coded = coder.finish()
        return Walked(y_hat, coder.z_hat, coded.symbols, coded.string)

    def decode(self, string: tf.Tensor, zeros: tf.Tensor) -> Walked:
        """Decodes a string into a latent of the shape of `zeros`."""
        coder = Decode(string, zeros, self.tables)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, coder.finish()[0])

    def drawn(self, height: int, width: int, seed: int = 0) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Returns a latent [1, height, width, depth] and its side information, drawn from the model's distributions."""
        zeros = tf.zeros((1, height, width, self.entropy.latent_depth))
        recorder = Recorder(_Draw(zeros, self.tables, np.random.default_rng(seed)))
        self.entropy.walk(recorder)
        for record in recorder.records:
            zeros = record.part.put(zeros, record.values)
        return zeros, recorder.z_hat

    def recorded(self, latent: tf.Tensor, side: tf.Tensor | None = None) -> Recorder:
        """Estimates a latent with a coder that records the parts.

        Args:
          latent: A latent [1, height, width, depth].
          side: Side information in place of that of the hyper analysis, or None.
        """
        recorder = Recorder(Estimate(latent, side=side))
        self.entropy.walk(recorder)
        return recorder


class _Draw(Decode):
    """Draws symbols with the probabilities of the coder's tables in place of reading them; no symbol is an escape."""

    def __init__(self, zeros: tf.Tensor, tables: CdfTables, random: np.random.Generator):
        super().__init__(tf.constant(b""), zeros, tables)
        self._random = random

    def _decoded(self, name: str, indexes: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        indexes = np.asarray(indexes)
        counts = np.split(self._tables.counts, np.cumsum(self._tables.cdf_length[:-1] + 1))
        symbols = np.zeros(indexes.shape, np.float32)
        for index in np.unique(indexes):
            here, held = indexes == index, counts[index][:-1]
            drawn = self._random.choice(len(held), here.sum(), p=held / held.sum())
            symbols[here] = drawn + self._tables.cdf_offset[index]
        return distribution.restore(tf.constant(symbols))
