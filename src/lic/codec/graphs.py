"""The graphs that a codec computes with. Each serves every size, and is traced when it is first called."""

from __future__ import annotations

import functools
import math
from typing import Any, Protocol

from lic.codec.refinement import LatentOptimizer
from lic.entropy.coders import Coder, Decode, Encode, Encoded, Estimate, Preview, skipping
from lic.entropy.coders.decode import LeastBits
from lic.entropy.range_coding.cdf_tables import Cdfs, CdfTables
from lic.entropy.range_coding.range_coder import most_bits
from lic.environment import tf
from lic.errors import BitstreamError
from lic.layers.tracing import snapshot_function, snapshot_weights
from lic.models.base import CompressionModel


class Walker(Protocol):
    """Takes the walk of a model, in floats or in whole numbers. A model is one itself, for floats."""

    def walk(self, coder: Coder, quality: tf.Tensor) -> tf.Tensor:
        """Codes latents as `CompressionModel.walk` does, at qualities [batch], and returns them quantised."""


class Graphs:
    """The graphs of one snapshot, which hold its weights as constants.

    Args:
      model: The model, whose weights stay as they are.
      tables: The coder's tables.
      walker: Takes the walks; default: the model.
      skip_below: Numbers of the latent whose scale is below it are not coded; None codes all.
      maps: Whether the quality varies over an image, and has an entry for each position [height, width].
      derived: The tensors that layers derived from their weights, where other graphs of the snapshot have them; see
        `lic.layers.tracing.snapshot_weights`.

    Attributes:
      analyse: Maps an image [height, width, channels], padded to multiples of the transform's `downscale`, to its
        latent.
      estimate: Maps a latent [height, width, depth] and a quality to the bits of each part.
      encode: Encodes a latent [height, width, depth] at a quality.
      encode_optimized: Encodes a latent [1, height, width, depth] that gains have multiplied, at a quality, with its
        side information if there is any.
      decode: Maps a string, height and width of the latent, and a quality to y_hat, symbols and cdfs.
      preview: Maps a number of parts to a function that decodes as many, and is otherwise like `decode`.
      synthesise: Maps y_hat [height, width, depth] to an image.
      optimizer: Optimises latents.
    """

    def __init__(
        self,
        model: CompressionModel,
        tables: CdfTables,
        walker: Walker | None = None,
        skip_below: float | None = None,
        maps: bool = False,
        derived: dict[int, Any] | None = None,
    ):
        self._model, self._tables, self._walker = model, tables, walker or model
        self._derived = derived = {} if derived is None else derived
        self._skip_below = skip_below
        self._least_bits: LeastBits | None = None
        transform = model.transform
        image, latent = (tf.TensorSpec((None, None, depth)) for depth in (transform.channels, transform.depth))
        integer, quality = tf.TensorSpec((), tf.int32), tf.TensorSpec((None, None) if maps else ())
        coded = [tf.TensorSpec((), tf.string), integer, integer, quality]
        self.analyse = snapshot_function(self._analyse, [image])
        self.estimate = snapshot_function(self._estimate, [latent, quality])
        self.encode = snapshot_function(self._encode, [latent, quality])
        self.encode_optimized = snapshot_function(self._encode_with_gain, reduce_retracing=True)
        self.decode = snapshot_function(self._decode, coded)
        # The walk of a preview differs with the number of parts, so each number has a graph of its own.
        self.preview = functools.cache(
            lambda parts: snapshot_function(functools.partial(self._decode, parts=parts), coded)
        )
        self.synthesise = snapshot_function(self._synthesise, [latent])
        self.optimizer = LatentOptimizer(model, self._derived, skip_below)
        self._with_maps = functools.cache(lambda: Graphs(model, tables, walker, skip_below, True, derived))

    def with_maps(self) -> Graphs:
        """Returns graphs whose quality varies over an image; graphs of one quality for all positions take less time."""
        return self._with_maps()

    def _analyse(self, image: tf.Tensor) -> tf.Tensor:
        with snapshot_weights(self._derived):
            return self._model.analyse(image[None], padded=True)[0]

    def _estimate(self, latent: tf.Tensor, quality: tf.Tensor) -> dict[str, tf.Tensor]:
        latent, quality = (tf.cast(each, tf.float32)[None] for each in (latent, quality))
        bound = self._model.entropy.likelihood_bound
        coder = Estimate(self._model.rate.apply_gain(latent, quality), likelihood_bound=bound)
        self._walk(coder, quality)
        return {name: bits[0] for name, bits in coder.bits.items()}

    def _encode(self, latent: tf.Tensor, quality: tf.Tensor) -> Encoded:
        # If TensorFlow runs functions eagerly, these are numpy arrays and Python numbers.
        latent, quality = (tf.cast(each, tf.float32) for each in (latent, quality))
        return self._encode_with_gain(self._model.rate.apply_gain(latent[None], quality[None]), quality)

    def _encode_with_gain(self, latent: tf.Tensor, quality: tf.Tensor, side: tf.Tensor | None = None) -> Encoded:
        coder = Encode(latent, self._tables, None if side is None else {self._model.entropy.hyper: side})
        self._walk(coder, quality[None])
        return coder.finish()

    def _walk(self, coder: Coder, quality: tf.Tensor) -> tf.Tensor:
        with snapshot_weights(self._derived):
            return self._walker.walk(skipping(coder, self._skip_below), quality)

    def _decode(
        self, payload: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, quality: tf.Tensor, parts: int | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, Cdfs]:
        zeros, quality = tf.zeros((1, rows, columns, self._model.transform.depth)), tf.cast(quality, tf.float32)
        coded = payload, zeros, self._tables
        coder = Decode(*coded) if parts is None else Preview(*coded, parts)
        y_hat = self._walk(coder, quality[None])
        if parts is None:
            self._least_bits = coder.least_bits
        return y_hat[0], *coder.finish()

    @property
    def least_bits(self) -> LeastBits:
        """The fewest bits that a latent of any size can be coded in."""
        if self._least_bits is None:
            self.decode.get_concrete_function()  # Tracing finds them.
        return self._least_bits

    def check_length(self, payload: bytes, rows: int, columns: int) -> None:
        """Checks that range-coder bytes may last for a latent of a size, before anything of that size is made.

        Args:
          payload: The range-coder bytes.
          rows: Height of the latent.
          columns: Width of the latent.

        Raises:
          BitstreamError: Even the cheapest symbols would take more bits.
        """
        bits = self.least_bits.at(rows, columns, self._model.transform.depth)
        if bits > most_bits(len(payload)):
            raise BitstreamError(
                f"The stream holds {len(payload)} coded bytes, and an image of the size in its header takes "
                f"{math.ceil(bits / 8)} at least. It is damaged or made up: get it anew."
            )

    def _synthesise(self, y_hat: tf.Tensor) -> tf.Tensor:
        with snapshot_weights(self._derived):
            return self._model.synthesise(y_hat[None])[0]
