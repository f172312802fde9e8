"""The three walks of an entropy model, each as one call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.entropy.base import EntropyModel
from lic.entropy.coders import Decode, Encode, Estimate, Recorder
from lic.environment import tf


class Walked(NamedTuple):
    """The results of one walk.

    Attributes:
      y_hat: The latent that the walk returned.
      z_hat: The quantised side information, or None.
      symbols: The coded symbols, or None where it estimated.
      string: The coded string, or None where it did not encode.
    """

    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    symbols: tf.Tensor | None = None
    string: tf.Tensor | None = None


class Walks:
    """The walks of an entropy model with the weights and tables that it has now.

    Args:
      entropy: An entropy model that has its variables.
    """

    def __init__(self, entropy: EntropyModel):
        self.entropy, self.tables = entropy, entropy.make_tables()
        depth = entropy.latent_depth
        latent = tf.TensorSpec((1, None, None, depth))
        self.traced_encode = tf.function(self.encode, [latent], autograph=False)
        self.traced_decode = tf.function(self.decode, [tf.TensorSpec((), tf.string), latent], autograph=False)
        self.traced_estimate = tf.function(self.estimate, [latent], autograph=False)

    def estimate(self, latent: tf.Tensor) -> Walked:
        """Estimates a latent [1, height, width, depth]."""
        coder = Estimate(latent)
        return Walked(self.entropy.walk(coder), coder.z_hat)

    def encode(self, latent: tf.Tensor) -> Walked:
        """Encodes a latent [1, height, width, depth]."""
        coder = Encode(latent, self.tables)
        y_hat = self.entropy.walk(coder)
        coded = coder.finish()
        return Walked(y_hat, coder.z_hat, coded.symbols, coded.string)

    def decode(self, string: tf.Tensor, zeros: tf.Tensor) -> Walked:
        """Decodes a string into a latent of the shape of `zeros`."""
        coder = Decode(string, zeros, self.tables)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, coder.finish()[0])

    def drawn(self, height: int, width: int, seed: int = 0) -> tf.Tensor:
        """Returns a latent [1, height, width, depth] drawn from the model's own distributions, part after part.

        A decoder that is given random bits draws symbols with the probabilities of the coder's tables.
        """
        zeros = tf.zeros((1, height, width, self.entropy.latent_depth))
        string = tf.constant(np.random.default_rng(seed).bytes(4 * int(tf.size(zeros))))
        recorder = Recorder(Decode(string, zeros, self.tables))
        self.entropy.walk(recorder)
        for record in recorder.records:
            zeros = record.part.put(zeros, record.values)
        return zeros

    def recorded(self, latent: tf.Tensor, side: tf.Tensor | None = None) -> Recorder:
        """Estimates a latent with a coder that records the parts.

        Args:
          latent: A latent [1, height, width, depth].
          side: Side information that replaces what the hyper analysis makes of the latent.
        """
        recorder = Recorder(Estimate(latent, side=side))
        self.entropy.walk(recorder)
        return recorder
