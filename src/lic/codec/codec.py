"""The codec: a snapshot of a model that turns images into streams and back."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np

from lic.argument_types import check_argument
from lic.codec.bitstream import MAX_PIXELS, MOST_QUALITIES, Flag, Stream, StreamFormat, desync_error
from lic.codec.codec_file import (
    ADDED_SETTINGS,
    STORED,
    CodecFile,
    as_stored,
    restored_model,
    restored_tables,
    weights_of,
)
from lic.codec.coder_timing import collect
from lic.codec.float32 import check_float32
from lic.codec.graphs import Graphs
from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.calibration import arrays_of, calibrate, units_of
from lic.codec.quality import Quality, QualityLike, checked_quality
from lic.codec.rate_search import Progress, highest_quality, refine_to_size
from lic.codec.refinement import STEPS, check_effort
from lic.codec.shipped import codec_path, name_of
from lic.codec.tiling import Tile, check_tile, in_tiles
from lic.entropy.coders import Encoded, Estimate, part_names, skipping
from lic.entropy.range_coding.range_coder import TOO_SHORT, coder_seconds
from lic.environment import POLICIES, Precision, compute_in, tf
from lic.errors import BitstreamError, CheckpointError, LicError, as_checkpoint_error, check, check_path
from lic.images import sample_image
from lic.images.arrays import checked_image, coloured, peak_of
from lic.layers.padding import pad
from lic.layers.tracing import check_clusters, check_process
from lic.models.base import CompressionModel
from lic.weights import get_tensors

_CODED = ("transform", "entropy", "rate")  # The attributes of a model that a codec takes.
_COMPUTED = ("analyse", "walk", "synthesise")  # Methods of a model that a codec's own copy has as the base class does.


class Codec:
    """A snapshot of a model: later training does not change it, and saving and loading give the same streams.

    Weights are rounded to the type that they are stored in, and the coder's tables are made from them, when the codec
    is made. The codec's own model cannot be trained; a copy of it can. All methods may be called from several threads.

    Args:
      model: The model.
      precision: The type that analysis and synthesis compute in. With "bfloat16", on processors that have it, they are
        faster and quality is a little lower. The entropy path is float32 in any case, and streams are interchangeable.
      tile: Height and width in pixels of the tiles that analysis and synthesis run on, so that memory hardly grows with
        the image; "auto" uses tiles in large images only; None never does. Streams are interchangeable.
      deterministic: Whether the parameter networks compute in whole numbers, which are the same on every machine, so
        that streams decode everywhere. A codec that holds such networks decodes both kinds of streams.
      stored: The type that weights are stored in; "float16" halves the file. Weights of whole numbers stay as they are.
      calibration: Images, from which the units of deterministic networks are chosen; default: the photograph that
        ships.
      bit_depth: Bits of a channel, 8 to 16. Above 8 images are uint16 of that range. The model sees them on 0..255 in
        any case, so that lmbda means the same.
      skip_below: Numbers of the latent whose scale is below it are not coded, and stand at their means, which takes
        less time and fewer bits, and changes the image a little. A scale is one of the likelihood's table, such as
        0.12, under the gain of the quality. None codes all numbers. Streams carry another fingerprint.

    Attributes:
      model: The codec's own copy of the model.

    Raises:
      CheckpointError: Weights do not fit the type or are not finite.
      RegistryError: A part of the model is not registered.
      ImageError: An image of `calibration` is not one that the codec takes.
      LicError: The parameter networks cannot be deterministic; the message names what they compute. Or `skip_below` is
        given and a part is coded under a distribution without scales. Or the model has a rate control, an analysis, a
        walk or a synthesis of its own, which no codec file holds, or more qualities than streams hold.
      ValueError: An argument is not one of those above.
    """

    def __init__(
        self,
        model: CompressionModel,
        *,
        precision: Precision = "float32",
        tile: Tile = "auto",
        deterministic: bool = False,
        stored: Literal["float32", "float16"] = "float32",
        calibration: Iterable[np.ndarray] | None = None,
        bit_depth: int = 8,
        skip_below: float | None = None,
    ):
        if not isinstance(model, CompressionModel):
            is_name = isinstance(model, (str, os.PathLike))
            advice = f"Load a codec by lic.load({str(model)!r})." if is_name else "Make one by lic.create_model."
            advice = "It is a codec already; its model is codec.model." if isinstance(model, Codec) else advice
            raise ValueError(f"Codec: expected a lic.CompressionModel. Received: {type(model).__name__}. {advice}")
        check_argument("Codec", "deterministic", deterministic, bool)
        if stored not in STORED:
            raise ValueError(f"Codec: expected stored to be 'float32' or 'float16'. Received: {stored!r}.")
        own = [name for name in _COMPUTED if getattr(type(model), name) is not getattr(CompressionModel, name)]
        if own:
            raise LicError(
                f"Codec: expected the method {own[0]} of lic.CompressionModel. Received: a {type(model).__name__}, "
                "which overrides it. A codec file holds no methods of a model: write a transform or an entropy model."
            )
        if calibration is not None:
            if not deterministic:
                raise ValueError(
                    "Codec: expected calibration to be None without deterministic=True. Received: "
                    f"{type(calibration).__name__}. Leave it out, or pass deterministic=True."
                )
            calibration = list(_as_images("calibration", calibration))
            check("Codec", "calibration", bool(calibration), "one image at least, or None", calibration)
        check("Codec", "bit_depth", _is_bit_depth(bit_depth), "a whole number from 8 to 16", bit_depth)
        limit = None if skip_below is None else _checked_limit(skip_below)
        settings = {"channels": model.transform.channels, "bit_depth": int(bit_depth), "skip_below": limit}
        # Weights that are too large for float16 become infinite, which is checked below, and very small ones zero.
        with np.errstate(over="ignore", under="ignore"):
            # Without weights that a subclass adds for its training, such as those of a discriminator.
            tensors = {name: each for name, each in get_tensors(model).items() if name.partition("/")[0] in _CODED}
            weights = {f"weights/{name}": as_stored(array, stored) for name, array in tensors.items()}
        self._open(CodecFile(model.configuration(), stored, {}, weights, settings=settings), precision, tile)
        if type(model.rate) is not type(self.model.rate):
            raise LicError(
                f"Codec: expected the model's rate to be {type(self.model.rate).__name__}, as its lmbda makes it. "
                f"Received: {type(model.rate).__name__}. A codec file does not hold other rate controls."
            )
        if deterministic:
            images = [sample_image(self.channels, self.bit_depth)] if calibration is None else calibration
            self._file = self._file._replace(integer=self._calibrated(images))
            self._choose(deterministic)

    def compress(
        self,
        image: np.ndarray,
        *,
        quality: QualityLike | None = None,
        effort: int = 0,
        verify: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> bytes:
        """Compresses an image into a stream.

        Args:
          image: uint8 [height, width, channels], or uint16 for a codec of more than 8 bits. A codec of 3 channels takes
            [height, width] for grey, which stays grey, and one of 1 channel takes it as [height, width, 1]. An image
            of Pillow is converted by its mode, profile and orientation.
          quality: Where the codec has several, one of `qualities` or any number between; default: the middle one. A map
            gives each region of the image a quality of its own: an array [rows, columns] of any size, which spans the
            image, or {"background": 2, "boxes": [(top, left, height, width, 6)]}, in pixels. Maps are rounded to the
            positions of the latent and to steps of 1/16.
          effort: 0 to 9. From 1 on the latents of this image are refined by gradient descent. That takes time when
            compressing and none when decoding, and memory that grows with the image, even with tiles. The loss of the
            stream is never higher than with 0.
          verify: Whether the stream is checked by `verify` before it is returned.
          progress: Called with the completed fraction of the refinement, 0 to 1.

        Raises:
          ImageError: The array is of another type or shape, or has values over the range of the codec's bits.
          ValueError: `quality` or `effort` is not one that this codec has, or the image is too small for the distortion
            that refinement measures.
          DesyncError: With `verify`, the stream does not decode here.
          LicError: The latent, a mean or the side information is not finite.
        """
        image = self._checked(image)
        chosen = self._quality(quality, image.shape)
        _check_choices(effort, verify, progress)
        latent = self._latent(image)
        stream = self._coded_at(image, latent, chosen)
        return self._verified(self._refined(image, latent, chosen, stream, effort, progress), verify)

    def compress_to(
        self,
        image: np.ndarray,
        max_bytes: int,
        *,
        quality: QualityLike | None = None,
        effort: int = 0,
        verify: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> bytes:
        """Compresses an image at the highest quality whose stream has at most `max_bytes`.

        Args:
          image: As for `compress`.
          max_bytes: Bytes of the whole stream.
          quality: A map, as for `compress`, whose differences are kept, up to the highest quality; default: one quality
            for the whole image.
          effort: As for `compress`; the image is refined twice, so that the saved bytes are spent on quality.
          verify: As for `compress`.
          progress: As for `compress`.

        Raises:
          ImageError: The array is of another type or shape.
          ValueError: As for `compress`.
          LicError: The codec has one rate only, or the lowest quality's stream is larger.
        """
        _check_choices(effort, verify, progress)
        check_argument("Codec", "max_bytes", max_bytes, int)
        if quality is not None and not isinstance(quality, Mapping) and not np.ndim(quality):
            raise ValueError(f"Codec: expected quality as a map, since the bytes choose it. Received: {quality!r}.")
        image = self._checked(image)
        if not self.qualities:
            raise LicError(
                "This codec has a single rate, so no quality can meet a number of bytes. "
                "Take one with several: train a model with a tuple as lmbda."
            )
        differences, latent = self._quality(quality, image.shape), self._latent(image)

        def encode(value: float) -> bytes:
            return self._coded_at(image, latent, differences.moved_to(value))

        def refine(value: float, stream: bytes, progress: Progress) -> bytes:
            return self._refined(image, latent, differences.moved_to(value), stream, effort, progress)

        value, stream = highest_quality(encode, self.qualities, max_bytes, is_map=differences.steps is not None)
        if effort:
            stream = refine_to_size(encode, refine, self.qualities, max_bytes, value, stream, progress)
        return self._verified(stream, verify)

    @property
    def fingerprint(self) -> bytes:
        """The 4 bytes that every stream carries.

        They start a hash of configuration, weights, tables and settings that are not the default, and of the integer
        units if the codec is deterministic.
        """
        return self._fingerprint_of(self._deterministic)

    @property
    def deterministic(self) -> bool:
        """True if streams are made by parameter networks in whole numbers."""
        return self._deterministic

    @property
    def precision(self) -> Precision:
        """The type that analysis and synthesis compute in."""
        return self._precision

    @property
    def tile(self) -> Tile:
        """Height and width in pixels of the tiles that analysis and synthesis run on, "auto", or None for no tiles."""
        return self._tile

    @property
    def channels(self) -> int:
        """Channels of the images that the codec takes."""
        return self.model.transform.channels

    @property
    def bit_depth(self) -> int:
        """Bits of a channel of the images that the codec takes."""
        return self._bit_depth

    @property
    def skip_below(self) -> float | None:
        """Numbers of the latent whose scale is below it are not coded; None if all are."""
        return self._file.settings.get("skip_below")

    @property
    def settings(self) -> dict[str, Any]:
        """Those arguments of `Codec` that its file holds beside the model: bit_depth, skip_below and stored."""
        return {"bit_depth": self.bit_depth, "skip_below": self.skip_below, "stored": self._file.stored}

    @property
    def qualities(self) -> tuple[int, ...]:
        """The qualities, one for each lmbda of training, from the lowest rate up; empty for a single rate."""
        count = self.model.rate.count
        return tuple(range(1, count + 1)) if count > 1 else ()

    @functools.cached_property
    def parts(self) -> tuple[str, ...]:
        """The names of the latent's parts, in the order in which they are coded and `decompress` counts them."""
        return part_names(self.model.entropy)

    def decompress(self, stream: bytes, *, parts: int | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Decodes a stream into an image of the type and the shape that was compressed.

        Args:
          stream: A stream from `compress`.
          parts: The number of parts to decode, for a preview; all other numbers are set to the medians of their
            distributions. Without all parts, the symbols' checksum cannot be checked.
          max_pixels: Larger images, padded to multiples of the transform's `downscale`, are refused before anything is
            allocated.

        Raises:
          BitstreamError: The bytes are not a stream, damaged, or of an image that is too large.
          WrongModelError: Another codec has made the stream.
          DesyncError: The decoded symbols are not those that were coded.
          ValueError: `parts` is no number of parts.
        """
        self._check_parts(parts)
        return self._image_of(stream, parts, max_pixels)

    def _image_of(self, stream: bytes, parts: int | None, max_pixels: int) -> np.ndarray:
        parsed, y_hat = self._decoded(stream, parts, max_pixels)
        pixels = self._synthesised(y_hat)
        pixels = np.clip(pixels[: parsed.height, : parsed.width], 0, 255)
        pixels = pixels.mean(-1) if Flag.GREY in parsed.flags else pixels
        if self._bit_depth == 8:
            return np.rint(pixels).astype(np.uint8)
        return np.rint(pixels * np.float32(peak_of(self._bit_depth) / 255)).astype(np.uint16)

    def analyse(self, image: np.ndarray) -> np.ndarray:
        """Returns the latent of an image, float32 [rows, columns, depth], as the analysis gives it.

        Args:
          image: As for `compress`.

        Raises:
          ImageError: As for `compress`.
        """
        return self._latent(self._checked(image))

    def encode_latent(
        self, y: np.ndarray, *, quality: QualityLike | None = None, size: tuple[int, int] | None = None
    ) -> bytes:
        """Encodes a latent into a stream, which `decompress` and `decode_latent` read.

        Args:
          y: The latent [rows, columns, depth], such as an edited result of `analyse`.
          quality: As for `compress`.
          size: Height and width in pixels of the image that the stream decodes to; default: those of the latent times
            the transform's `downscale`.

        Raises:
          ValueError: The latent does not have the transform's depth, is not finite, or is not the one of an image of
            this size, or the codec does not have the quality.
          LicError: A mean or the side information is not finite.
        """
        y, downscale = self._checked_latent("y", y), self.model.transform.downscale
        rows, columns = y.shape[:2]
        if size is None:
            size = (rows * downscale, columns * downscale)
        pair = isinstance(size, (tuple, list)) and len(size) == 2
        whole = pair and all(isinstance(each, (int, np.integer)) for each in size)
        fits = whole and tuple(-(-each // downscale) for each in size) == (rows, columns)
        check("Codec", "size", fits, f"height and width of a latent of {rows}x{columns} positions", size)
        height, width = map(int, size)
        chosen = self._quality(quality, (height, width))
        return self._pack((height, width, 3), chosen, self._graphs_at(chosen).encode(y, chosen.at_positions()))

    def decode_latent(self, stream: bytes, *, parts: int | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Decodes a stream into y_hat, float32 [rows, columns, depth], which `synthesise` takes.

        Arguments and errors are those of `decompress`.
        """
        self._check_parts(parts)
        return self._decoded(stream, parts, max_pixels)[1]

    def synthesise(self, y_hat: np.ndarray) -> np.ndarray:
        """Returns the image [rows x downscale, columns x downscale, channels] of a latent, on 0..255 and not clipped.

        Args:
          y_hat: The latent [rows, columns, depth], such as an edited result of `decode_latent`.

        Raises:
          ValueError: The latent does not have the transform's depth, or is not finite.
        """
        return self._synthesised(self._checked_latent("y_hat", y_hat))

    def verify(self, stream: bytes, *, max_pixels: int = MAX_PIXELS) -> None:
        """Checks that a stream is whole and decodes here to what was coded, without making the image of it.

        Args:
          stream: A stream from `compress`.
          max_pixels: As for `decompress`.

        Raises:
          BitstreamError: As for `decompress`.
          WrongModelError: As for `decompress`.
          DesyncError: As for `decompress`.
        """
        self._decoded(stream, None, max_pixels)

    def compress_batch(self, images: Iterable[np.ndarray], **options: Any) -> list[bytes]:
        """Compresses images, whose sizes may differ, one by one; options and streams are those of `compress`.

        Raises:
          ValueError: `images` is one image, and no list of images. Other errors are those of `compress`.
        """
        return [self.compress(image, **options) for image in _as_images("images", images)]

    def decompress_batch(self, streams: Iterable[bytes], **options: Any) -> list[np.ndarray]:
        """Decodes streams one by one; options are those of `decompress`.

        Raises:
          ValueError: `streams` is one stream, and no list of streams. Other errors are those of `decompress`.
        """
        if not isinstance(streams, Iterable) or isinstance(streams, (bytes, str)):
            raise ValueError(
                f"Codec: expected streams to be a list of streams. Received: {type(streams).__name__}. Give one stream "
                "as [stream]."
            )
        return [self.decompress(stream, **options) for stream in streams]

    def estimate(self, image: np.ndarray, *, quality: QualityLike | None = None) -> dict[str, float]:
        """Returns the estimated bits of each part of an image's stream, without header, quality map and checksums.

        A deterministic codec estimates with the networks in float32.

        Args:
          image: As for `compress`.
          quality: As for `compress`.

        Raises:
          ImageError: As for `compress`.
          ValueError: As for `compress`.
        """
        image = self._checked(image)
        chosen, latent = self._quality(quality, image.shape), self._latent(image)
        graphs = self._float_graphs if chosen.steps is None else self._float_graphs.with_maps()
        bits = graphs.estimate(latent, chosen.at_positions())
        return {name: float(each) for name, each in bits.items()}

    def save(self, path: str | os.PathLike) -> None:
        """Writes the codec to a file that `lic.load` reads; by custom its name ends in .codec."""
        check_path("Codec.save", "path", path)
        self._file.write(path)

    def __repr__(self) -> str:
        parts = " + ".join((type(self.model.transform).__name__, type(self.model.entropy).__name__))
        rates = f"{len(self.qualities)} qualities" if self.qualities else "one rate"
        return f"<{type(self).__name__} {self.fingerprint.hex()}: {parts}, {rates}>"

    def __reduce__(self) -> tuple:
        """Pickles the codec file's content and what a subclass added, so that a copy elsewhere is the same codec."""
        added = {name: value for name, value in vars(self).items() if name not in self._opened}
        return type(self)._from_file, (self._file, self._precision, self._tile, self._deterministic), added

    @classmethod
    def _from_file(
        cls, file: CodecFile, precision: Precision = "float32", tile: Tile = "auto", deterministic: bool = False
    ) -> Codec:
        codec = cls.__new__(cls)
        with as_checkpoint_error("The codec file's skip_below is not valid", "Get the codec file anew."):
            if file.settings.get("skip_below") is not None:
                _checked_limit(file.settings["skip_below"])
        if not file.tables:  # Tables that are made here might differ in a count, and take long.
            raise CheckpointError("The codec file lacks its tables. Get the codec file anew.")
        codec._open(file, precision, tile)
        if codec._file.tables != file.tables or codec._file.arrays.keys() != file.arrays.keys():
            # Its streams would carry another fingerprint than the file.
            raise CheckpointError(
                "The codec file's tables are not those of its configuration, or it holds arrays that such a codec does "
                "not have. Get the codec file anew."
            )
        if deterministic and not file.integer:
            raise CheckpointError(
                "The codec holds no networks for deterministic=True. Write one that does by `lic export CODEC "
                "OUT.codec --format codec --deterministic`. Or load it without, and make one that does: "
                "lic.Codec(codec.model, deterministic=True, **codec.settings)."
            )
        codec._choose(deterministic)
        return codec

    def _open(self, file: CodecFile, precision: Precision, tile: Tile) -> None:
        if precision not in POLICIES:
            raise ValueError(f"Codec: expected precision to be one of {(*POLICIES,)}. Received: {precision!r}.")
        check_tile(tile)
        before = set(vars(self))
        self._precision, self._tile = precision, tile
        # Tables that are made here are kept in the file: made anew elsewhere, they might differ in a count.
        self.model = restored_model(file)
        if self.model.rate.count > MOST_QUALITIES:
            raise LicError(
                f"Codec: expected a model of at most {MOST_QUALITIES} qualities, as many as a stream tells apart. "
                f"Received: one of {self.model.rate.count}. Pass fewer lmbda: streams have the qualities between too."
            )
        self._bit_depth = _bit_depth_of(file, self.model)
        tables = restored_tables(file, self.model)
        self._file = file._replace(tables=tables.described(), arrays=weights_of(file.arrays) | tables.arrays())
        self.model.is_of_a_codec = True
        compute_in(self.model.transform, POLICIES[precision])
        self._fingerprint_of = functools.cache(lambda deterministic: self._file.fingerprint(deterministic))
        if self.skip_below is not None:
            _check_scales(self.model, self.skip_below)
        self._tables, self._float_graphs = tables, Graphs(self.model, tables, None, self.skip_below)
        self._lock, self._made_integer_graphs = threading.Lock(), None
        self._choose(False)
        self._opened = {*vars(self), "_opened"} - before  # All other attributes are a subclass's.

    def _integer_graphs(self) -> Graphs:
        """Returns the graphs in whole numbers, which the first thread that needs them makes."""
        with self._lock:
            if self._made_integer_graphs is None:
                arithmetic = IntegerArithmetic(self.model, units_of(self._file.integer))
                graphs = Graphs(self.model, self._tables, arithmetic, self.skip_below)
                _, symbols, _ = graphs.decode.get_concrete_function().structured_outputs
                arithmetic.check(symbols)
                self._made_integer_graphs = graphs
            return self._made_integer_graphs

    def _choose(self, deterministic: bool) -> None:
        """Chooses the graphs that make streams."""
        self._deterministic = deterministic
        self._graphs = self._integer_graphs() if deterministic else self._float_graphs

    def _calibrated(self, images: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the units of the networks in whole numbers, from their inputs on images at all qualities."""
        latents = [self._latent(self._checked(image)) for image in images]
        pairs = itertools.product(latents, map(float, self.qualities or [1]))
        return arrays_of(calibrate(self.model, pairs))

    def _check_process(self) -> None:
        """Raises a LicError where nothing can be computed: in a graph, and in a forked process."""
        if not tf.executing_eagerly():
            raise LicError(
                "A codec computes at once, and this call is inside a function that TensorFlow traces. Call the codec "
                "outside of tf.function and Dataset.map, or by tf.py_function."
            )
        check_process()
        check_float32()
        check_clusters()

    def _checked(self, image: np.ndarray) -> np.ndarray:
        self._check_process()
        return checked_image(image, self.channels, self._bit_depth)

    def _on_255(self, pixels: np.ndarray) -> np.ndarray:
        """Returns pixels in float32 on 0..255, the scale that the model computes on."""
        values = pixels.astype(np.float32)
        return values if self._bit_depth == 8 else values * np.float32(255 / peak_of(self._bit_depth))

    def _latent(self, image: np.ndarray) -> np.ndarray:
        self._check_process()
        transform = self.model.transform
        padded = pad(tf.constant(coloured(image, self.channels)[None]), transform.downscale)[0].numpy()
        return in_tiles(
            lambda tile: self._graphs.analyse(self._on_255(tile)), padded, transform, "analysis", self._tile
        )

    def _synthesised(self, y_hat: np.ndarray) -> np.ndarray:
        return in_tiles(self._graphs.synthesise, y_hat, self.model.transform, "synthesis", self._tile)

    def _checked_latent(self, name: str, latent: np.ndarray) -> np.ndarray:
        self._check_process()
        depth = self.model.transform.depth
        expected = f"a latent of the shape [rows, columns, {depth}], of real numbers that float32 holds"
        try:
            latent = np.asarray(latent)
        except ValueError:
            check("Codec", name, False, expected, "rows of different lengths")
        check("Codec", name, latent.ndim == 3 and latent.shape[-1] == depth and latent.size, expected, latent.shape)
        check("Codec", name, np.can_cast(latent.dtype, np.float32, "same_kind"), expected, latent.dtype)
        with np.errstate(over="ignore", under="ignore"):
            latent = latent.astype(np.float32)
        infinite = int(np.sum(~np.isfinite(latent)))
        check("Codec", name, not infinite, expected, f"{infinite} numbers that are NaN, infinite or too large")
        return latent

    def _verified(self, stream: bytes, verify: bool) -> bytes:
        if verify:
            self._decoded(stream, None, sys.maxsize)  # This process made the stream, so its size needs no limit.
        return stream

    def _quality(self, quality: QualityLike | None, shape: tuple[int, ...]) -> Quality:
        """Returns the checked quality for an image of a shape."""
        return checked_quality(quality, self.model.rate, shape[:2], self.model.transform.downscale)

    def _graphs_at(self, quality: Quality) -> Graphs:
        return self._graphs if quality.steps is None else self._graphs.with_maps()

    def _coded_at(self, image: np.ndarray, latent: np.ndarray, quality: Quality) -> bytes:
        """Returns the stream of an image at a quality, without refinement."""
        return self._pack(image.shape, quality, self._graphs_at(quality).encode(latent, quality.at_positions()))

    def _pack(self, shape: tuple[int, ...], quality: Quality, coded: Encoded) -> bytes:
        """Returns the stream of an image of a shape; the image is grey if it has no axis of channels."""
        collect(lambda: coder_seconds(self._tables, coded.string, coded.cdfs)[0])
        if not coded.finite:
            raise LicError(
                "The latent, a mean or the side information is not finite (NaN or infinite), so nothing was coded. "
                "The model's weights have diverged: go back to earlier ones."
            )
        channels = 1 if len(shape) == 2 else 3  # A stream states whether the image has an axis of channels.
        fields = (quality.value, quality.packed_steps()) if self.qualities else (None, None)
        streams = self._streams(self._deterministic)
        return streams.pack(coded.string.numpy(), _bytes_of(coded.symbols), *shape[:2], channels, *fields)

    def _streams(self, deterministic: bool) -> StreamFormat:
        downscale = self.model.transform.downscale
        return StreamFormat(self._fingerprint_of(deterministic), deterministic, len(self.qualities), downscale)

    def _refined(
        self,
        image: np.ndarray,
        latent: np.ndarray,
        quality: Quality,
        stream: bytes,
        effort: int,
        progress: Callable[[float], None] | None,
    ) -> bytes:
        """Returns the stream of the refined latents, or `stream` if its loss is lower or there is no effort."""
        if not effort:
            return stream
        original = self._on_255(coloured(image, self.channels))
        graphs, positions = self._graphs_at(quality), quality.at_positions()
        refined, *side = graphs.optimizer.refine(original, latent, positions, STEPS[effort], progress)
        coded = graphs.encode_optimized(refined, tf.constant(positions), *side)
        # Refinement lowers an estimate of the loss; the real loss may still be higher.
        return self._better(image, quality, stream, self._pack(image.shape, quality, coded))

    def _better(self, image: np.ndarray, quality: Quality, *streams: bytes) -> bytes:
        """Returns the stream of the lowest loss, measured by its bytes and its decoded image."""
        positions = tf.constant(quality.at_positions())[None]
        original = self._on_255(coloured(image, self.channels))[None]

        def loss(stream: bytes) -> float:
            pixels = self._image_of(stream, None, sys.maxsize)  # As in `_verified`.
            decoded = self._on_255(coloured(pixels, self.channels))[None]
            distortion = float(self.model.weighted_distortion(original, decoded, positions)[0])
            return 8 * len(stream) / (image.shape[0] * image.shape[1]) + distortion

        return min(streams, key=loss)

    def _check_parts(self, parts: int | None) -> None:
        if parts is None:  # The parts are found by a walk, which takes longer than it takes to decode a small image.
            return
        most = len(self.parts)
        try:
            fits = not isinstance(parts, bool) and 0 <= operator.index(parts) <= most
        except TypeError:
            fits = False
        expected = f"None for all, or an integer from 0 to {most}, the number of `codec.parts`"
        check("Codec", "parts", fits, expected, parts)

    def _decoded(self, stream: bytes, parts: int | None, max_pixels: int) -> tuple[Stream, np.ndarray]:
        """Returns the fields of a stream, and the latent that its first parts, or all parts, decode to."""
        self._check_process()
        check_argument("Codec", "max_pixels", max_pixels, int)
        parsed = Stream.parse(stream)
        # The stream, and not the codec's own choice, decides which networks decode it.
        deterministic = Flag.DETERMINISTIC in parsed.flags and bool(self._file.integer)
        streams = self._streams(deterministic)
        streams.check(parsed, max_pixels, name_of)
        if Flag.GREY in parsed.flags and self.channels not in (1, 3):
            raise BitstreamError(
                f"The stream is of a grey image, and this codec's have {self.channels} channels. Get it anew."
            )
        downscale = self.model.transform.downscale
        rows, columns = (-(-size // downscale) for size in (parsed.height, parsed.width))
        whole = parts is None or parts == len(self.parts)
        graphs = self._integer_graphs() if deterministic else self._float_graphs
        graphs.check_length(parsed.payload, rows, columns)
        quality = self._quality(parsed.quality, (parsed.height, parsed.width))
        steps = streams.steps_of(parsed)
        if steps is not None:
            quality = quality._replace(steps=np.frombuffer(steps, np.uint8).reshape(rows, columns))
            graphs = graphs.with_maps()
        decode = graphs.decode if whole else graphs.preview(int(parts))
        try:
            y_hat, symbols, cdfs = decode(parsed.payload, rows, columns, quality.at_positions())
        except tf.errors.InvalidArgumentError as error:
            if TOO_SHORT not in str(error):
                raise
            raise desync_error() from None
        collect(lambda: coder_seconds(self._tables, parsed.payload, cdfs)[1])
        if whole:
            parsed.check_symbols(_bytes_of(symbols))
        return parsed, y_hat.numpy()


def load(
    name_or_path: str | os.PathLike,
    *,
    precision: Precision = "float32",
    tile: Tile = "auto",
    deterministic: bool = False,
) -> Codec:
    """Loads a codec: one that ships, by its name, or one from a file.

    Args:
      name_or_path: Name of a model whose weights ship, such as "default", path of a codec file, or the folder of a
        training that is finished.
      precision: As for `Codec`.
      tile: As for `Codec`.
      deterministic: As for `Codec`.

    Raises:
      RegistryError: No model has this name.
      CheckpointError: The file is missing or damaged, or no weights ship for this model.
      ValueError: An argument is of another type.
    """
    check_argument("load", "deterministic", deterministic, bool)
    return Codec._from_file(CodecFile.read(codec_path(name_or_path)), precision, tile, deterministic)


def _check_choices(effort: int, verify: bool, progress: Progress) -> None:
    check_effort(effort)
    check_argument("Codec", "verify", verify, bool)
    expected = "None, or a function of the completed fraction"
    check("Codec", "progress", progress is None or callable(progress), expected, progress)


def _as_images(name: str, images: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    """Returns images, or raises a ValueError if they are a path, or one image, whose rows would be taken for images."""
    no_list = not isinstance(images, Iterable) or isinstance(images, (str, bytes, os.PathLike, Mapping))
    if no_list or getattr(images, "ndim", 4) < 4:
        received = f"{type(images).__name__} of the shape {images.shape}" if hasattr(images, "shape") else repr(images)
        raise ValueError(
            f"Codec: expected {name} to be a list of images, or an array [count, height, width, channels]. Received: "
            f"{received}. Give one image as [image], and a folder's as map(lic.images.read_image, "
            "lic.images.image_files(folder))."
        )
    return images


def _is_bit_depth(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 8 <= value <= 16


def _bit_depth_of(file: CodecFile, model: CompressionModel) -> int:
    """Returns the bits of a channel that a codec file states, or raises a CheckpointError if it is damaged."""
    settings = ADDED_SETTINGS | dict(file.settings)
    if not _is_bit_depth(settings["bit_depth"]) or settings["channels"] != model.transform.channels:
        raise CheckpointError(
            f"Codec file: expected bit_depth from 8 to 16, and channels={model.transform.channels}, those of the "
            f"transform. Received: {settings}. Get the codec file anew."
        )
    return settings["bit_depth"]


def _checked_limit(skip_below: float) -> float:
    check_argument("Codec", "skip_below", skip_below, float)
    check("Codec", "skip_below", 0 < skip_below < math.inf, "None, or a scale over 0", skip_below)
    return float(skip_below)


def _check_scales(model: CompressionModel, skip_below: float) -> None:
    """Raises a LicError if a part of a model's latent is coded under a distribution without scales."""
    entropy = model.entropy
    entropy.walk(skipping(Estimate(tf.zeros((1, 1, 1, entropy.latent_depth))), skip_below))


def _bytes_of(symbols: tf.Tensor) -> bytes:
    return symbols.numpy().astype("<i4").tobytes()
