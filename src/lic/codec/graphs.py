"""What a codec computes with, as graphs for every size: each is traced when it is first called."""

from __future__ import annotations

import functools
from typing import Any

from lic.codec.refinement import Refiner
from lic.entropy.coders.coder import Coder, Decode, Encode, Encoded
from lic.entropy.coders.preview import Preview
from lic.entropy.range_coding.cdf_tables import Tables
from lic.environment import tf
from lic.layers.derived import remembering
from lic.models.base import CompressionModel


class Graphs:
    """The functions of one snapshot, whose weights they hold as constants.

    Args:
      model: The model, whose weights stay as they are.
      tables: The coder's tables.

    Attributes:
      analyse: Maps an image [height, width, 3] to its latent.
      encode: Encodes a latent [height, width, depth] at a quality, 0 where there is none.
      encode_refined: Encodes, at a quality, a latent that is scaled already, and its side information.
      decode: Maps a string, height and width of the latent, and a quality to y_hat, symbols, and the coder's seconds.
      preview: Maps a number of parts to a function that decodes as many, and is otherwise like `decode`.
      synthesise: Maps y_hat [height, width, depth] to an image.
      refiner: Refines latents.
    """

    def __init__(self, model: CompressionModel, tables: Tables):
        self._model, self._tables, self._derived = model, tables, {}
        image, latent = (tf.TensorSpec((None, None, depth)) for depth in (3, model.transform.depth))
        integer, real = tf.TensorSpec((), tf.int32), tf.TensorSpec(())
        coded = [tf.TensorSpec((), tf.string), integer, integer, real]
        self.analyse = tf.function(self._analyse, [image], autograph=False)
        self.encode = tf.function(self._encode, [latent, real], autograph=False)
        self.encode_refined = tf.function(self._encode_scaled, autograph=False, reduce_retracing=True)
        self.decode = tf.function(self._decode, coded, autograph=False)
        self.preview = functools.cache(
            lambda parts: tf.function(functools.partial(self._decode, parts=parts), coded, autograph=False)
        )
        self.synthesise = tf.function(self._synthesise, [latent], autograph=False)
        self.refiner = Refiner(model, self._derived)

    def _analyse(self, image: tf.Tensor) -> tf.Tensor:
        with remembering(self._derived):
            return tf.cast(self._model.transform.analysis(image[None])[0], "float32")

    def _encode(self, latent: tf.Tensor, quality: tf.Tensor) -> Encoded:
        latent, quality = (tf.cast(each, tf.float32) for each in (latent, quality))  # Numbers where graphs run eagerly.
        return self._encode_scaled(quality, self._model.scale(latent[None], quality[None]))

    def _encode_scaled(self, quality: tf.Tensor, latent: tf.Tensor, side: tf.Tensor | None = None) -> Encoded:
        coder = Encode(latent, self._tables, self._model.entropy.priors, side)
        self._walk(coder, quality)
        return coder.finish()

    def _decode(
        self, payload: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, quality: tf.Tensor, parts: int | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        zeros, quality = tf.zeros((1, rows, columns, self._model.transform.depth)), tf.cast(quality, tf.float32)
        coded: tuple[Any, ...] = payload, zeros, self._tables, self._model.entropy.priors
        coder = Decode(*coded) if parts is None else Preview(*coded, parts)
        y_hat = self._walk(coder, quality)
        return self._model.finish(y_hat, quality[None])[0], *coder.finish()

    def _walk(self, coder: Coder, quality: tf.Tensor) -> tf.Tensor:
        with remembering(self._derived):
            return self._model.entropy.walk(self._at_quality(coder, quality))

    def _at_quality(self, coder: Coder, quality: tf.Tensor) -> Coder:
        """The coder that the walk is given."""
        return self._model.coder(coder, quality[None])

    def _synthesise(self, y_hat: tf.Tensor) -> tf.Tensor:
        with remembering(self._derived):
            return tf.cast(self._model.transform.synthesis(y_hat[None])[0], "float32")
