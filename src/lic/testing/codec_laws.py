"""The laws of codecs."""

from __future__ import annotations

import concurrent.futures
import functools
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from lic.codec.bitstream import Stream
from lic.codec.codec import Codec, load
from lic.errors import BitstreamError, DesyncError, WrongModelError
from lic.images import sample_image
from lic.images.arrays import peak_of
from lic.testing.copies import computes_in_16_bits
from lic.testing.images import codec_image
from lic.testing.laws import Law, Trial, each, fail, require, require_same, slow

SIZES = ((1, 1), (17, 33), (64, 48))
THREADS = 8


def check_codec(codec: Codec, *, quick: bool = False) -> None:
    """Checks that a codec keeps every law of its kind.

    Args:
      codec: The codec.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: `codec` is no codec.
    """
    trial_of_codec(codec).check(quick=quick)


def trial_of_codec(codec: Codec) -> Trial:
    """Returns the laws of a codec; see `check_codec`."""
    if not isinstance(codec, Codec):
        raise ValueError(f"check_codec: expected a lic.Codec. Received: {type(codec).__name__}.")
    return Trial("The codec", LAWS, codec)


def every_size_comes_back(codec: Codec) -> None:
    """Images of any size are decoded in their size, and grey ones are decoded grey."""
    for where, size in each(SIZES):
        whole = codec_image(codec, *size)
        for image in (whole, whole[..., 0])[: 2 if codec.channels in (1, 3) else 1]:
            decoded = codec.decompress(codec.compress(image))
            require(
                decoded.shape == image.shape and decoded.dtype == image.dtype,
                f"{where}: {decoded.dtype.name} {decoded.shape} comes back for {image.dtype.name} {image.shape}",
            )


def real_bits_do_not_exceed_the_estimate(codec: Codec) -> None:
    """Streams are at most 5 % longer than estimated. They may be shorter, since the coder caps the bits of outliers."""
    image = sample_image(codec.channels, codec.bit_depth)[:256, :384]
    estimated, real = sum(codec.estimate(image).values()), 8 * len(Stream.parse(codec.compress(image)).payload)
    require(
        real <= 1.05 * estimated + 64,
        f"256x384 of a photograph: {real} bits were coded and {estimated:.0f} estimated ({real / estimated - 1:+.1%})",
    )


def the_same_image_gives_the_same_stream(codec: Codec) -> None:
    """An image gives the same stream every time: alone, in a batch, and in several threads at once."""
    images = [codec_image(codec, *size, seed=seed) for seed in range(2) for size in SIZES]
    streams = [codec.compress(image) for image in images]
    require(codec.compress_batch(images) == streams, "compress_batch and compress give other streams")
    require(codec.compress_batch([]) == [], "compress_batch gives something for no image")
    decoded = [codec.decompress(stream) for stream in streams]
    for one, other in zip(decoded, codec.decompress_batch(streams)):
        require_same("decompress and decompress_batch", one, other)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        at_once = list(pool.map(codec.compress, images * 2))
        require(at_once == streams * 2, f"{THREADS} threads at once give other streams than one")
        for one, other in zip(pool.map(codec.decompress, streams * 2), decoded * 2):
            require_same(f"decoded in {THREADS} threads at once and alone", one, other)


def a_saved_codec_is_the_same_codec(codec: Codec) -> None:
    """A codec that is saved and loaded has the same fingerprint, and makes the same streams."""
    image, again = codec_image(codec, 17, 33), _reloaded(codec)
    require(again.fingerprint == codec.fingerprint, "its fingerprint is another")
    require(again.compress(image) == codec.compress(image), "it compresses to another stream")
    require_same("decoded by it", again.decompress(codec.compress(image)), codec.decompress(codec.compress(image)))


@slow
def tiles_do_not_change_the_format(codec: Codec) -> None:
    """Streams that were made in tiles and in one piece decode in either way, and to nearly the same pixels."""
    image, tiled = codec_image(codec, 200, 150), _reloaded(codec, tile=64)
    for name, stream in (("in one piece", codec.compress(image)), ("in tiles", tiled.compress(image))):
        decoded = [decoder.decompress(stream) for decoder in (codec, tiled)]
        for each_decoded in decoded:
            require(each_decoded.shape == image.shape, f"a stream made {name} decodes to {each_decoded.shape}")
        difference = float(np.abs(np.subtract(*decoded, dtype=np.float64)).mean()) * 255 / peak_of(codec.bit_depth)
        require(
            difference < 1, f"a stream made {name} decodes in tiles to pixels that differ by {difference:.2f} levels"
        )


def damaged_streams_are_refused(codec: Codec) -> None:
    """Any flipped bit and any missing byte raises a BitstreamError."""
    stream = codec.compress(codec_image(codec, 17, 33))
    for bit in range(0, 8 * len(stream), max(1, len(stream) // 16)):
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        _require_refused(codec, bytes(damaged), BitstreamError, f"with bit {bit} flipped")
    for length in range(0, len(stream), max(1, len(stream) // 32)):
        _require_refused(codec, stream[:length], BitstreamError, f"cut to {length} of {len(stream)} bytes")


def streams_of_other_codecs_are_refused(codec: Codec) -> None:
    """A stream that carries another fingerprint raises a WrongModelError."""
    stream = Stream.parse(codec.compress(codec_image(codec, 17, 33)))
    other = bytes(byte ^ 255 for byte in codec.fingerprint)
    _require_refused(codec, stream._replace(fingerprint=other).pack(), WrongModelError, "of another codec")


def qualities_are_those_it_has(codec: Codec) -> None:
    """Every quality of the codec is coded and decoded, streams grow with quality, and other qualities are refused."""
    image = sample_image(codec.channels, codec.bit_depth)[:96, :128]
    qualities, lengths = codec.qualities, []
    wanted = (qualities[0], sum(qualities) / len(qualities), qualities[-1]) if qualities else ()
    for quality in wanted:
        stream = codec.compress(image, quality=quality)
        lengths.append(len(stream))
        require_same(f"decoded at quality {quality:g}, twice", codec.decompress(stream), codec.decompress(stream))
    require(lengths == sorted(lengths), f"streams of qualities {wanted} have {lengths} bytes")
    for wrong in (0, 10**6, "best"):
        _require_raises(lambda wrong=wrong: codec.compress(image, quality=wrong), ValueError, f"quality={wrong!r}")


@slow
def a_number_of_bytes_is_not_exceeded(codec: Codec) -> None:
    """`compress_to` makes a stream of at most as many bytes, which decodes."""
    if not codec.qualities:
        return
    image = sample_image(codec.channels, codec.bit_depth)[:96, :128]
    most = (len(codec.compress(image, quality=1)) + len(codec.compress(image, quality=codec.qualities[-1]))) // 2
    stream = codec.compress_to(image, max_bytes=most)
    require(len(stream) <= most, f"{len(stream)} bytes were made where at most {most} were asked for")
    require(codec.decompress(stream).shape == image.shape, "the stream decodes to another size")


def verify_accepts_right_streams_only(codec: Codec) -> None:
    """`verify` takes streams that decode, and raises for damaged ones and for symbols of another checksum."""
    stream = codec.compress(codec_image(codec, 17, 33))
    codec.verify(stream)
    other = Stream.parse(stream)
    changed = other._replace(symbols_crc=other.symbols_crc ^ 1).pack()
    _require_raises(lambda: codec.verify(changed), DesyncError, "symbols of another checksum")
    _require_raises(lambda: codec.verify(stream[:-1]), BitstreamError, "a stream without its last byte")


def large_images_are_refused(codec: Codec) -> None:
    """An image of more than `max_pixels` raises a BitstreamError."""
    stream = codec.compress(codec_image(codec, 17, 33))
    for method in (codec.decompress, codec.verify):
        call = functools.partial(method, stream, max_pixels=500)
        _require_raises(call, BitstreamError, "an image of 561 pixels where 500 are the most")


def previews_have_the_size_of_the_image(codec: Codec) -> None:
    """Every number of parts decodes to the image's size, and all parts decode to the image."""
    image = codec_image(codec, 40, 24)
    stream = codec.compress(image)
    for parts in (0, len(codec.parts) // 2):
        decoded = codec.decompress(stream, parts=parts)
        require(decoded.shape == image.shape, f"{parts} parts decode to {decoded.shape}, expected {image.shape}")
    count = len(codec.parts)
    require_same("all parts and no number of parts", codec.decompress(stream, parts=count), codec.decompress(stream))
    _require_raises(lambda: codec.decompress(stream, parts=count + 1), ValueError, f"{count + 1} of {count} parts")


LAWS: tuple[Law, ...] = (
    every_size_comes_back,
    real_bits_do_not_exceed_the_estimate,
    the_same_image_gives_the_same_stream,
    a_saved_codec_is_the_same_codec,
    tiles_do_not_change_the_format,
    damaged_streams_are_refused,
    streams_of_other_codecs_are_refused,
    qualities_are_those_it_has,
    a_number_of_bytes_is_not_exceeded,
    verify_accepts_right_streams_only,
    large_images_are_refused,
    previews_have_the_size_of_the_image,
)


def _reloaded(codec: Codec, **options: Any) -> Codec:
    """Returns the codec saved and loaded again with other options, and with its own arithmetic and precision."""
    precision = "bfloat16" if computes_in_16_bits(codec.model.transform) else "float32"
    with tempfile.TemporaryDirectory() as folder:
        codec.save(path := pathlib.Path(folder) / "saved.codec")
        return load(path, deterministic=codec.deterministic, precision=precision, **options)


def _require_refused(codec: Codec, stream: bytes, error: type[Exception], what: str) -> None:
    _require_raises(lambda: codec.decompress(stream), error, f"a stream {what}")


def _require_raises(call: Callable[[], object], error: type[Exception], what: str) -> None:
    try:
        call()
    except error:
        return
    fail(f"{what} was taken, expected {error.__name__}")
