"""A codec as a SavedModel, whose streams are the codec's own; nothing of `lic` is needed where it is served."""

from __future__ import annotations

import os
from typing import Any

from lic.codec.bitstream import QUALITY_STEPS
from lic.codec.codec import MAX_PIXELS, Codec
from lic.codec.codec_file import restored_tables
from lic.codec.graphs import Graphs
from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.calibration import units_of
from lic.codec.integer.scaling import IntegerScaling, integer_scaling
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.errors import LicError
from lic.interop.crc32 import crc32_of_integers
from lic.interop.stream import Fields, StreamFormat, checked
from lic.layers.padding import pad

_GRAPHS = ("analyse", "encode", "decode", "synthesise")


def export_saved_model(codec: Codec, folder: str | os.PathLike) -> None:
    """Writes a codec as a SavedModel with the signatures `compress` and `decompress`.

    `compress` maps `image`, uint8 [height, width, 3] or for grey [height, width, 1], and where the codec has several
    qualities `quality`, float32, to `stream`, a string; `decompress` maps `stream` to `image`. What cannot be coded or
    decoded ends in a `tf.errors.InvalidArgumentError` that says why.

    Args:
      codec: The codec; a deterministic one makes and reads deterministic streams, another one all others.
      folder: Where the SavedModel is written.

    Raises:
      LicError: The coder is the one in numba here, which TensorFlow alone cannot run.
    """
    if coder_name() == "numba":
        raise LicError(
            "A SavedModel needs the coder's TensorFlow operations, from tensorflow-compression or "
            "tensorflow-compression-ops, and lic codes with numba here. Export it on Python 3.10, 3.11 or 3.12."
        )
    served, holder = Served(codec), tf.Module()
    holder.captured = served.captured
    tf.saved_model.save(holder, os.fspath(folder), {"compress": served.compress, "decompress": served.decompress})


class Served:
    """A codec as graphs that need no Python to run.

    Args:
      codec: The codec.

    Attributes:
      compress: Maps an image, and a quality where there are several, to a stream.
      decompress: Maps a stream to an image.
      captured: The variables that they read.
    """

    def __init__(self, codec: Codec):
        self._downscale, self._format, graphs = codec.model.transform.downscale, _format_of(codec), _graphs_of(codec)
        self._graphs = {name: _alone(getattr(graphs, name)) for name in _GRAPHS}
        image, stream = tf.TensorSpec((None, None, None), tf.uint8, "image"), tf.TensorSpec((), tf.string, "stream")
        quality = [tf.TensorSpec((), tf.float32, "quality")] if codec.qualities else []
        self.compress = tf.function(self._compress, [image, *quality], autograph=False).get_concrete_function()
        self.decompress = tf.function(self._decompress, [stream], autograph=False).get_concrete_function()
        self.captured = [*_captured_by(self.compress), *_captured_by(self.decompress)]

    def _compress(self, image: tf.Tensor, quality: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        height, width, channels = tf.unstack(tf.shape(image))
        image = checked(image, [_check_image(height, width, channels)])
        if quality is None:
            quality = tf.constant(0.0)
        else:
            quality = checked(tf.round(quality * QUALITY_STEPS) / QUALITY_STEPS, [self._check_quality(quality)])
        coloured = tf.ensure_shape(tf.broadcast_to(image, (height, width, 3)), (None, None, 3))
        padded = pad(coloured[None], self._downscale)[0]
        coded = self._graphs["encode"](self._graphs["analyse"](tf.cast(padded, tf.float32)), quality)
        finite = (coded.finite, "The latent, a mean or the side information is not finite, so nothing was coded.")
        crc = crc32_of_integers(coded.symbols)
        fields = Fields(height, width, checked(coded.string, [finite]), crc, channels == 1, quality)
        return {"stream": self._format.pack(fields)}

    def _decompress(self, stream: tf.Tensor) -> dict[str, tf.Tensor]:
        fields = self._format.parse(stream)
        rows, columns = (-(-size // self._downscale) for size in (fields.height, fields.width))
        y_hat, symbols, _ = self._graphs["decode"](fields.payload, rows, columns, fields.quality)
        y_hat = checked(y_hat, [_check_symbols(crc32_of_integers(symbols) == fields.symbols_crc)])
        pixels = self._graphs["synthesise"](y_hat)[: fields.height, : fields.width]
        pixels = tf.clip_by_value(pixels, 0, 255)
        pixels = tf.cond(fields.grey, lambda: _mean_of_three(pixels), lambda: pixels)
        return {"image": tf.cast(tf.round(pixels), tf.uint8)}

    def _check_quality(self, quality: tf.Tensor) -> tuple[tf.Tensor, Any]:
        last = self._format.qualities
        return (quality >= 1) & (quality <= last), (f"Expected quality from 1 to {last}. Received: ", quality)


class _TabledArithmetic(IntegerArithmetic):
    """Looks up the scaling of every quality, where decimal arithmetic gives it in a codec."""

    def _scaling(self, quality: tf.Tensor) -> IntegerScaling:
        number = tf.cast(tf.round(quality[0] * QUALITY_STEPS), tf.int32) - QUALITY_STEPS
        return IntegerScaling(*tf.unstack(tf.gather(self._every_scaling(), number)[:, None]))

    def _every_scaling(self) -> tf.Tensor:
        """The scaling of each quality that a stream can carry [qualities, 3, depth]."""
        if not hasattr(self, "_table"):
            rate = self._model.rate
            numbers = range(QUALITY_STEPS, QUALITY_STEPS * rate.count + 1)
            with tf.init_scope():  # As numbers, not as operations of the graph that is being traced.
                self._table = tf.stack([integer_scaling(rate, number / QUALITY_STEPS) for number in numbers])
        return self._table


def _graphs_of(codec: Codec) -> Graphs:
    tables = restored_tables(codec._file, codec.model)
    if codec.deterministic:
        return Graphs(codec.model, tables, _TabledArithmetic(codec.model, units_of(codec._file.integer)))
    return Graphs(codec.model, tables)


def _format_of(codec: Codec) -> StreamFormat:
    return StreamFormat(codec.fingerprint, codec.deterministic, len(codec.qualities), MAX_PIXELS)


def _alone(function: Any) -> Any:
    """The same function, optimised as if it were called alone: as part of another it could round in another way."""
    attributes = {"_noinline": True}
    return tf.function(
        function.python_function, function.input_signature, autograph=False, experimental_attributes=attributes
    )


def _captured_by(traced: Any) -> list[tf.Variable]:
    """The variables that a graph reads; those that it was derived from when it was traced are none of them."""
    handles = {id(tensor) for tensor in traced.captured_inputs}
    return [variable for variable in traced.variables if id(variable.handle) in handles]


def _check_image(height: tf.Tensor, width: tf.Tensor, channels: tf.Tensor) -> tuple[tf.Tensor, Any]:
    expected = "Expected an image as uint8 [height, width, 3], or [height, width, 1] for grey, of at least 1x1."
    holds = (height > 0) & (width > 0) & ((channels == 1) | (channels == 3))
    return holds, (f"{expected} Received: [", height, ", ", width, ", ", channels, "].")


def _check_symbols(same: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return same, (
        "The decoded symbols differ from those that were coded: this machine's or library's arithmetic gave "
        "other parameters than the encoder's, or the stream was made up. Decode where it was encoded."
    )


def _mean_of_three(pixels: tf.Tensor) -> tf.Tensor:
    """The mean of the channels [height, width, 1], rounded as numpy's is."""
    red, green, blue = tf.split(pixels, 3, -1)
    # TensorFlow may multiply by a third instead, which in float64 gives the same.
    return tf.cast(tf.cast(red + green + blue, tf.float64) / 3, tf.float32)
