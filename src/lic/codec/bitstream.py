"""A stream is a header, coded bytes and two checksums. Numbers are little-endian.

`lic.interop.saved_model` copies this file and `lic.errors` beside the models that it exports, so both need the standard
library only.

| bytes | field |
|---|---|
| 4 | `93 4C 49 43` |
| 1 | format version |
| 1 | flags |
| 4 | fingerprint of the codec that made it |
| 1 to 5 each | height, width (LEB128) |
| 2 | quality times 256, only with flag 4 |
| 1 to 5 | number of bytes of the quality map (LEB128), only with flag 8 |
| any | quality map, only with flag 8 |
| any | range-coder bytes |
| 4 | CRC-32 of all coded symbols as int32, in coding order |
| 4 | CRC-32 of everything before |
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable
from typing import NamedTuple

from lic.errors import BitstreamError, DesyncError, WrongModelError

MAX_PIXELS = 1 << 28  # Larger images are refused unless the caller allows them.
QUALITY_STEPS = 256  # A stream carries its quality in steps of 1/256.
MOST_QUALITIES = (1 << 16) // QUALITY_STEPS - 1  # The field of the quality has 16 bits.
MAP_STEPS = 16  # A quality map has steps of 1/16.
MAGIC = b"\x93LIC"
VERSION = 1
_FIXED = 10  # Magic, version, flags and fingerprint take these bytes.
_CHECKSUMS = 8
_SHORTEST = _FIXED + 2 + _CHECKSUMS  # Height and width take at least a byte each.


class Flag(enum.IntFlag):
    """The properties of a stream, one bit each; any other bit is an error."""

    GREY = 1  # The image has no axis of channels.
    DETERMINISTIC = 2
    QUALITY = 4
    QUALITY_MAP = 8  # The quality varies over the image, and the quality field is the lowest one.


class Stream(NamedTuple):
    """The fields of a stream.

    Attributes:
      fingerprint: The 4 bytes that name the codec.
      height: Height of the image in pixels.
      width: Width of the image in pixels.
      payload: Range-coder bytes.
      symbols_crc: CRC-32 of the coded symbols.
      flags: The properties of the stream.
      quality: The quality that the image was coded at, the lowest of a map, or None for a codec with a single rate.
      quality_map: How far the quality of each position of the latent lies above `quality`, in steps of 1/16, a byte for
        each position, row after row, compressed by DEFLATE (RFC 1951); None for an image of one quality.
    """

    fingerprint: bytes
    height: int
    width: int
    payload: bytes
    symbols_crc: int
    flags: Flag = Flag(0)
    quality: float | None = None
    quality_map: bytes | None = None

    def pack(self) -> bytes:
        """Returns the stream as bytes."""
        flags = self.flags & ~(Flag.QUALITY | Flag.QUALITY_MAP)
        flags |= Flag.QUALITY if self.quality is not None else Flag(0)
        quality = b"" if self.quality is None else round(self.quality * QUALITY_STEPS).to_bytes(2, "little")
        if self.quality_map is not None:
            flags |= Flag.QUALITY_MAP
            quality += _leb128(len(self.quality_map)) + self.quality_map
        head = MAGIC + bytes([VERSION, flags]) + self.fingerprint + _leb128(self.height) + _leb128(self.width)
        checked = head + quality + self.payload + self.symbols_crc.to_bytes(4, "little")
        return checked + zlib.crc32(checked).to_bytes(4, "little")

    @classmethod
    def parse(cls, data: bytes) -> Stream:
        """Returns the fields of a stream, after checks of magic, version, checksum and flags.

        Raises:
          BitstreamError: The bytes are not a stream, have another version, or are damaged.
          ValueError: The argument is not bytes.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise ValueError(
                f"Expected a stream as bytes. Received: {type(data).__name__}. Read a file by "
                "pathlib.Path(path).read_bytes()."
            )
        data = bytes(data)
        if data[:4] != MAGIC:
            raise BitstreamError(f"Not a stream of lic: it starts with {data[:4]!r}, expected {MAGIC!r}.")
        if len(data) < _SHORTEST:
            raise BitstreamError(
                f"The stream is cut off: it has {len(data)} bytes, expected {_SHORTEST} at least. Get it anew."
            )
        if data[4] != VERSION:
            raise BitstreamError(f"The stream has format version {data[4]}, this lic reads {VERSION}. Update lic.")
        # The checksum comes before the fields, so that damage is never reported as a strange field.
        if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
            raise BitstreamError("The stream is damaged or cut off: its checksum does not fit. Get it anew.")
        if data[5] & ~sum(Flag):
            raise BitstreamError(f"The stream has unknown flags ({data[5]:#04x}). Update lic.")
        flags = Flag(data[5])
        height, position = _read_leb128(data, _FIXED)
        width, position = _read_leb128(data, position)
        if not height or not width:
            raise BitstreamError(f"The stream is of an image of {height}x{width} pixels. Get it anew.")
        quality = None
        if Flag.QUALITY in flags:
            quality = int.from_bytes(data[position : position + 2], "little") / QUALITY_STEPS
            position += 2
        quality_map = None
        if Flag.QUALITY_MAP in flags:
            length, position = _read_leb128(data, position, "quality map's length")
            quality_map = data[position : position + length]
            position += length
        # Fields of variable length may reach into the checksums, which come last.
        if position > len(data) - _CHECKSUMS:
            raise BitstreamError("The stream is cut off inside its header. Get it anew.")
        symbols_crc = int.from_bytes(data[-8:-4], "little")
        return cls(data[6:10], height, width, data[position:-8], symbols_crc, flags, quality, quality_map)

    @property
    def channels(self) -> int:
        """Channels of an image that a codec of 3 channels has coded: 1 for grey, otherwise 3."""
        return 1 if Flag.GREY in self.flags else 3

    def check_symbols(self, symbols: bytes) -> None:
        """Raises a DesyncError unless the decoded symbols are the coded ones.

        Args:
          symbols: All decoded symbols in coding order, an array of little-endian int32 or its bytes.
        """
        if zlib.crc32(symbols) != self.symbols_crc:
            raise desync_error()


class StreamFormat(NamedTuple):
    """The streams that one codec makes and reads.

    Attributes:
      fingerprint: The 4 bytes that name the codec.
      deterministic: Whether the codec's parameter networks compute in integers.
      qualities: Number of qualities that the codec has; 0 for a single rate.
      downscale: Height and width of images are padded to multiples of this number.
      maps: Whether streams with a quality map are read.
    """

    fingerprint: bytes
    deterministic: bool
    qualities: int
    downscale: int = 1
    maps: bool = True

    def pack(
        self,
        payload: bytes,
        symbols: bytes,
        height: int,
        width: int,
        channels: int,
        quality: float | None = None,
        steps: bytes | None = None,
    ) -> bytes:
        """Returns the stream of an image.

        Args:
          payload: Range-coder bytes.
          symbols: All coded symbols in coding order, an array of little-endian int32 or its bytes.
          height: Height of the image in pixels.
          width: Width of the image in pixels.
          channels: 1 for an image [height, width], 3 for any other.
          quality: The quality that the image was coded at, or the lowest of a map; None for a codec with a single rate.
          steps: How far the quality of each position of the latent lies above it, in steps of 1/16, a byte for each
            position, row after row; None for an image of one quality.

        Raises:
          ValueError: The codec has no such quality.
        """
        if not self._has_quality(quality):
            expected = f"from 1 to {self.qualities}" if self.qualities else "None, since this codec has a single rate"
            raise ValueError(f"StreamFormat: expected quality {expected}. Received: {quality!r}.")
        flags = (Flag.GREY if channels == 1 else Flag(0)) | (Flag.DETERMINISTIC if self.deterministic else Flag(0))
        quality_map = None if steps is None else _deflated(steps)
        return Stream(self.fingerprint, height, width, payload, zlib.crc32(symbols), flags, quality, quality_map).pack()

    def parse(self, data: bytes, max_pixels: int = MAX_PIXELS) -> Stream:
        """Returns the fields of a stream that this codec made.

        Args:
          data: The stream.
          max_pixels: Streams of larger images, padded, are refused.

        Raises:
          BitstreamError: The bytes are not a stream, are damaged, or the image is too large.
          WrongModelError: Another codec made the stream.
        """
        stream = Stream.parse(data)
        self.check(stream, max_pixels)
        return stream

    def check(self, stream: Stream, max_pixels: int, name_of: Callable[[bytes], str] = bytes.hex) -> None:
        """Raises an error unless this codec made the stream; the errors are those of `parse`.

        Args:
          stream: The fields of the stream.
          max_pixels: Streams of larger images, padded, are refused.
          name_of: Returns the name of a fingerprint for messages.
        """
        if stream.fingerprint != self.fingerprint:
            raise WrongModelError(
                f"The stream was made by the codec {name_of(stream.fingerprint)}, "
                f"this is {name_of(self.fingerprint)}. Decode it with the codec that made it."
            )
        has_quality = self._has_quality(stream.quality) and (stream.quality or stream.quality_map is None)
        if (Flag.DETERMINISTIC in stream.flags) != self.deterministic or not has_quality:
            raise BitstreamError(
                f"The stream has the flags {stream.flags!r} and quality {stream.quality}, which this codec never "
                "writes. Get it anew."
            )
        if stream.quality_map is not None and not self.maps:
            raise BitstreamError(
                "The stream has a quality map (flag 8), which this reader does not take. Decode it with lic."
            )
        # What decoding takes grows with the padded image: one of a single row is padded to many.
        height, width = (-(-size // self.downscale) * self.downscale for size in (stream.height, stream.width))
        if height * width > max_pixels:
            padded = "" if (height, width) == (stream.height, stream.width) else f", padded to {height}x{width}"
            raise BitstreamError(
                f"The stream is of an image of {stream.height}x{stream.width} pixels{padded}, more than "
                f"max_pixels={max_pixels}. If you trust it, pass a larger max_pixels."
            )

    def steps_of(self, stream: Stream) -> bytes | None:
        """Returns the `steps` that `pack` was given, from a checked stream.

        It unpacks one byte more than the latent has positions at most, whatever the map holds.

        Raises:
          BitstreamError: The quality map has another number of positions than the latent, or is damaged.
        """
        if stream.quality_map is None:
            return None
        rows, columns = (-(-size // self.downscale) for size in (stream.height, stream.width))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            steps = inflate.decompress(stream.quality_map, rows * columns + 1)
        except zlib.error:
            steps = b""
        if len(steps) != rows * columns or not inflate.eof or inflate.unused_data:
            raise BitstreamError(
                f"The stream's quality map is not one of {rows}x{columns} positions: the stream was made up. Get it "
                "anew."
            )
        return steps

    def _has_quality(self, quality: float | None) -> bool:
        return not self.qualities if quality is None else 1 <= quality <= self.qualities


def desync_error() -> DesyncError:
    """Returns the error for a stream that is whole, and whose coded bytes hold other symbols than it states."""
    return DesyncError(
        "The decoded symbols differ from those that were coded: this machine's or library's arithmetic gave "
        "other parameters than the encoder's, or the stream was made up. Decode where it was encoded."
    )


def _deflated(steps: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return deflate.compress(steps) + deflate.flush()


def _leb128(number: int) -> bytes:
    # Seven bits a byte, the lowest first; the highest bit of a byte is set if another byte follows.
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _read_leb128(data: bytes, position: int, name: str = "height or width") -> tuple[int, int]:
    number = 0
    for shift in range(0, 35, 7):  # Five bytes hold 35 bits, enough for any size.
        if position >= len(data):
            break
        byte, position = data[position], position + 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise BitstreamError(f"The stream's {name} does not end within five bytes. Get it anew.")
