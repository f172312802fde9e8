"""The three walks of an entropy model: estimating, encoding and decoding, each as one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lic.entropy.base import EntropyModel
from lic.entropy.coders import Decode, Encode, Estimate, Record, Recorder
from lic.entropy.coders.base import Coder, HyperAnalysis, Latent, LatentCoder
from lic.entropy.distributions import Distribution
from lic.entropy.noise import drawn_from
from lic.entropy.parts import Part
from lic.entropy.range_coding.cdf_tables import TOTAL, Cdfs, CdfTables
from lic.environment import tf
from lic.transforms.base import HyperTransform


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

    def estimate(self, latent: tf.Tensor, sides: Sequence[tf.Tensor] = ()) -> Walked:
        """Estimates a latent [1, height, width, depth]; `sides` replace its side information, if they are given."""
        coder = _Estimate(latent).taking(sides)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, bits=tf.add_n(list(coder.bits.values()))[0])

    def encode(self, latent: tf.Tensor, sides: Sequence[tf.Tensor] = ()) -> Walked:
        """Encodes a latent [1, height, width, depth]; `sides` replace its side information, if they are given."""
        coder = _Encode(latent, self.tables).taking(sides)
        y_hat = self.entropy.walk(coder)
        coded = coder.finish()
        return Walked(y_hat, coder.z_hat, coded.symbols, coded.string)

    def decode(self, string: tf.Tensor, zeros: tf.Tensor) -> Walked:
        """Decodes a string into a latent of the shape of `zeros`."""
        coder = Decode(string, zeros, self.tables)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, coder.finish()[0])

    def drawn(self, height: int, width: int, seed: int = 0) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns a latent [1, height, width, depth] and all side information, drawn from the model's distributions."""
        latent = tf.zeros((1, height, width, self.entropy.latent_depth))
        recorder = Recorder(coder := _Draw(latent, self.tables, np.random.default_rng(seed)))
        self.entropy.walk(recorder)
        for record in recorder.records:
            latent = record.part.put(latent, record.values)
        return latent, list(coder.sides.values())

    def recorded(
        self, latent: tf.Tensor, sides: Sequence[tf.Tensor] = (), training: bool = False
    ) -> tuple[list[Record], list[tf.Tensor]]:
        """Estimates a latent, and returns the record of each part and all side information.

        Args:
          latent: A latent [1, height, width, depth].
          sides: Side information in place of that of the hyper transforms, as an earlier call returned it.
          training: Whether rounding has gradients, as in training.
        """
        recorder = Recorder(coder := _Estimate(latent, training, "ste/ste").taking(sides))
        with drawn_from(0, tf.constant(0)):  # A context may see noise in training.
            self.entropy.walk(recorder)
        return recorder.records, list(coder.sides.values())


class _KeepsSides(Coder):
    """Keeps all side information, quantised, by the names of its latents in the order in which they were made."""

    sides: dict[str, tf.Tensor]

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        further = super()._further(latent, name, hyper, analysis)
        self.sides[name] = further.zeros
        return further

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        values = super()._code(latent, part, distribution)
        if latent.is_further:
            self.sides[latent.name] = part.put(self.sides[latent.name], values)
        return values


class _TakesSides(_KeepsSides, LatentCoder):
    """Takes the side information of each hyper transform, and keeps it."""

    def taking(self, sides: Sequence[tf.Tensor]) -> _TakesSides:
        """Returns the coder, which takes the given side information as long as there is some."""
        self._given, self.sides = iter(sides), {}
        return self

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        further, given = super()._further(latent, name, hyper, analysis), next(self._given, None)
        return further if given is None else further._replace(values=given)


class _Estimate(_TakesSides, Estimate):
    """Estimates with given side information."""


class _Encode(_TakesSides, Encode):
    """Encodes with given side information."""


class _Draw(_KeepsSides, Decode):
    """Draws symbols with the probabilities of the coder's tables in place of reading them; no symbol is an escape."""

    def __init__(self, zeros: tf.Tensor, tables: CdfTables, random: np.random.Generator):
        super().__init__(tf.constant(b""), zeros, tables)
        self._random, self.sides = random, {}

    def _decoded(self, cdfs: Cdfs, distribution: Distribution) -> tf.Tensor:
        draw = self._drawn_by_tables if cdfs.mixtures is None else self._drawn_of_mixtures
        return distribution.restore(tf.constant(draw(cdfs), tf.float32))

    def _drawn_of_mixtures(self, cdfs: Cdfs) -> np.ndarray:
        from lic.entropy.range_coding.numba_coder import quantiles

        shares = tf.constant(self._random.integers(1, TOTAL + 1, tf.size(cdfs.index).numpy()))
        first, length = cdfs.first_and_length(self._tables.cdf_offset, self._tables.cdf_length)
        drawn = tf.reshape(quantiles(cdfs.flat().mixtures, shares), tf.shape(first))
        return np.minimum(drawn, first + length - 1)

    def _drawn_by_tables(self, cdfs: Cdfs) -> np.ndarray:
        indexes = np.asarray(cdfs.index)
        counts = np.split(self._tables.counts, np.cumsum(self._tables.cdf_length[:-1] + 1))
        symbols = np.zeros(indexes.shape)
        for index in np.unique(indexes):
            here, held = indexes == index, counts[index][:-1]
            drawn = self._random.choice(len(held), here.sum(), p=held / held.sum())
            symbols[here] = drawn + self._tables.cdf_offset[index]
        return symbols
