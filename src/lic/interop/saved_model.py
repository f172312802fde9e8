"""A codec as a SavedModel, whose streams are the codec's own; serving it needs TensorFlow and no `lic`.

The graphs map images to coded symbols and back. The container around the symbols is plain Python: a copy of
`lic.codec.bitstream` is written beside the graphs.
"""

from __future__ import annotations

import inspect
import os
import pathlib
from typing import Any

from lic import errors
from lic.codec import bitstream
from lic.codec.bitstream import QUALITY_STEPS, StreamFormat
from lic.codec.codec import Codec
from lic.codec.codec_file import restored_tables
from lic.codec.graphs import Graphs
from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.calibration import units_of
from lic.codec.integer.gains import IntegerGains, integer_gains
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.errors import LicError, check_kind, check_path
from lic.layers.padding import pad

CONTAINER = "lic_stream.py"
_CONTAINER_HEAD = '''"""The container of a codec's streams, as lic has it; this module needs the standard library only.

`CODEC.pack` takes what the signature `encode` returns, and `CODEC.parse` returns what the signature `decode` takes.
"""

from __future__ import annotations
'''


def export_saved_model(codec: Codec, folder: str | os.PathLike) -> None:
    """Writes a codec as a SavedModel with the signatures `encode` and `decode`, and lic_stream.py beside it.

    `encode` maps `image`, uint8 [height, width, 3] or for grey [height, width, 1], to `payload`, a string of
    range-coder bytes; `symbols`, int32 [count]; and `height`, `width`, `channels`, int32. `decode` maps `payload`,
    `height`, `width` and `channels` to `image` and `symbols`. Where the codec has several qualities, both take
    `quality`, float32, and `encode` returns it as streams carry it. The module lic_stream packs and parses streams,
    with the codec's own checks.

    Args:
      codec: The codec; a deterministic one makes and reads deterministic streams, another one all others.
      folder: The folder that is written.

    Raises:
      LicError: The range coder runs in numba here, or for this codec, which TensorFlow alone cannot run, or the codec
        is not one for colour and grey of 8 bits.
    """
    check_path("export_saved_model", "folder", folder)
    check_kind("export_saved_model", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    if codec.channels != 3 or codec.bit_depth != 8:
        raise LicError(
            f"A SavedModel maps images of 3 channels and 8 bits. This codec takes {codec.channels} channels of "
            f"{codec.bit_depth} bits: serve it with lic."
        )
    if any(source.mixture_size for source in codec.model.entropy.sources.values()):
        raise LicError(
            "A SavedModel needs the range coder's TensorFlow operations, which code by tables only. The likelihood of "
            "this codec makes mixtures, which no table can hold: serve it with lic, or take a likelihood with tables."
        )
    if coder_name() == "numba":
        raise LicError(
            "A SavedModel needs the range coder's TensorFlow operations, from tensorflow-compression or "
            "tensorflow-compression-ops, and lic codes with numba here. Export it on Python 3.10, 3.11 or 3.12."
        )
    served, holder = ServedCodec(codec), tf.Module()
    holder.captured = served.captured
    tf.saved_model.save(holder, os.fspath(folder), {"encode": served.encode, "decode": served.decode})
    downscale = codec.model.transform.downscale
    streams = StreamFormat(codec.fingerprint, codec.deterministic, len(codec.qualities), downscale, maps=False)
    (pathlib.Path(folder) / CONTAINER).write_text(container_source(streams))


def container_source(streams: StreamFormat) -> str:
    """Returns the source of a module that holds errors and container of `lic`, and a codec's format as `CODEC`."""
    copied = "\n".join(map(inspect.getsource, (errors, bitstream))).splitlines()
    lines = [line for line in copied if not line.startswith(("from __future__ ", "from lic."))]
    return "\n".join([_CONTAINER_HEAD, *lines, "", "", f"CODEC = {streams!r}", ""])


class ServedCodec:
    """A codec as graphs that need no Python to run.

    Args:
      codec: The codec.

    Attributes:
      encode: Maps an image, and a quality where there are several, to symbols and range-coder bytes.
      decode: Maps range-coder bytes, sizes, and a quality where there are several, to an image and symbols.
      captured: The variables that both read.
    """

    def __init__(self, codec: Codec):
        graphs, self._downscale = _graphs(codec), codec.model.transform.downscale
        self._qualities, self._default = len(codec.qualities), codec.model.rate.default
        self._analyse, self._encode_latent = _called_alone(graphs.analyse), _called_alone(graphs.encode)
        self._decode_latent, self._synthesise = _called_alone(graphs.decode), _called_alone(graphs.synthesise)
        image, payload = tf.TensorSpec((None, None, None), tf.uint8, "image"), tf.TensorSpec((), tf.string, "payload")
        sizes = [tf.TensorSpec((), tf.int32, name) for name in ("height", "width", "channels")]
        quality = [tf.TensorSpec((), tf.float32, "quality")] if codec.qualities else []
        self.encode = tf.function(self._encode, [image, *quality], autograph=False).get_concrete_function()
        self.decode = tf.function(self._decode, [payload, *sizes, *quality], autograph=False).get_concrete_function()
        self.captured = [*_captured_by(self.encode), *_captured_by(self.decode)]

    def _encode(self, image: tf.Tensor, quality: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        height, width, channels = tf.unstack(tf.shape(image))
        is_image = (height > 0) & (width > 0) & ((channels == 1) | (channels == 3))
        expected = "Expected an image as uint8 [height, width, 3], or [height, width, 1] for grey, of at least 1x1."
        with tf.control_dependencies([tf.debugging.Assert(is_image, [expected, "Received:", tf.shape(image)])]):
            image = tf.ensure_shape(tf.broadcast_to(image, (height, width, 3)), (None, None, 3))
        quality, given = self._rounded(quality)
        padded = pad(image[None], self._downscale)[0]
        coded = self._encode_latent(self._analyse(tf.cast(padded, tf.float32)), quality)
        message = "The latent, a mean or the side information is not finite, so nothing was coded."
        with tf.control_dependencies([tf.debugging.Assert(coded.finite, [message])]):
            payload = tf.identity(coded.string)
        sizes = {"height": height, "width": width, "channels": channels}
        return {"payload": payload, "symbols": coded.symbols, **sizes, **given}

    def _decode(
        self,
        payload: tf.Tensor,
        height: tf.Tensor,
        width: tf.Tensor,
        channels: tf.Tensor,
        quality: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        rows, columns = (-(-size // self._downscale) for size in (height, width))
        y_hat, symbols, _ = self._decode_latent(payload, rows, columns, self._rounded(quality)[0])
        pixels = tf.clip_by_value(self._synthesise(y_hat)[:height, :width], 0, 255)
        pixels = tf.cond(channels == 1, lambda: _mean_of_three(pixels), lambda: pixels)
        return {"image": tf.cast(tf.round(pixels), tf.uint8), "symbols": symbols}

    def _rounded(self, quality: tf.Tensor | None) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns a quality as streams carry it, the default of a single rate, and the signature's output for it."""
        if quality is None:
            return tf.constant(self._default), {}
        holds = (quality >= 1) & (quality <= self._qualities)
        message = f"Expected quality from 1 to {self._qualities}. Received:"
        with tf.control_dependencies([tf.debugging.Assert(holds, [message, quality])]):
            quality = tf.round(quality * QUALITY_STEPS) / QUALITY_STEPS
        return quality, {"quality": quality}


class _TabledArithmetic(IntegerArithmetic):
    """Arithmetic that looks up the gains of every quality, which a codec computes in decimal arithmetic."""

    def _gains(self, quality: tf.Tensor) -> IntegerGains:
        number = tf.cast(tf.round(quality[0] * QUALITY_STEPS), tf.int32) - QUALITY_STEPS
        return IntegerGains(*tf.unstack(tf.gather(self._every_gain(), number)[:, None, None, None]))

    def _every_gain(self) -> tf.Tensor:
        """Returns the gains of each quality that a stream can carry [qualities, 5, depth]."""
        if not hasattr(self, "_table"):
            rate = self._model.rate
            numbers = range(QUALITY_STEPS, QUALITY_STEPS * rate.count + 1)
            with tf.init_scope():  # The table is a constant of both graphs, so it must belong to neither.
                self._table = tf.stack([integer_gains(rate, number / QUALITY_STEPS) for number in numbers])
        return self._table


def _graphs(codec: Codec) -> Graphs:
    tables = restored_tables(codec._file, codec.model)
    arithmetic = _TabledArithmetic(codec.model, units_of(codec._file.integer)) if codec.deterministic else None
    return Graphs(codec.model, tables, arithmetic, codec.skip_below)


def _called_alone(function: Any) -> Any:
    """Returns the same function, optimised as if it were called alone: inlined it could round differently."""
    attributes = {"_noinline": True}
    return tf.function(
        function.python_function, function.input_signature, autograph=False, experimental_attributes=attributes
    )


def _captured_by(traced: Any) -> list[tf.Variable]:
    """Returns the variables that a graph reads when it runs, without those that it read only when it was traced."""
    handles = {id(tensor) for tensor in traced.captured_inputs}
    return [variable for variable in traced.variables if id(variable.handle) in handles]


def _mean_of_three(pixels: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the channels [height, width, 1], rounded as numpy rounds it."""
    red, green, blue = tf.split(pixels, 3, -1)
    # In float32 TensorFlow may multiply by a third instead, with another result; in float64 both agree.
    return tf.cast(tf.cast(red + green + blue, tf.float64) / 3, tf.float32)
