"""The stream: header, coded bytes, two checksums. Little-endian; this file needs the standard library only.

| bytes | field |
|---|---|
| 4 | `93 4C 49 43` |
| 1 | format version |
| 1 | flags |
| 4 | fingerprint of the codec that made it |
| 1 to 5 each | height, width (LEB128) |
| 2 | quality times 256, where flagged |
| any | range-coder bytes |
| 4 | CRC-32 of all coded symbols as int32, in coding order |
| 4 | CRC-32 of everything before |
"""

from __future__ import annotations

import enum
import zlib
from typing import NamedTuple

from lic.errors import BitstreamError

QUALITY_STEPS = 256  # A stream carries its quality in steps of 1/256.
MAGIC = b"\x93LIC"
VERSION = 1
_FIXED = 10  # Magic, version, flags and fingerprint.
_CHECKSUMS = 8


class Flag(enum.IntFlag):
    """The properties of a stream, one bit each; any other bit is an error."""

    GREY = 1
    DETERMINISTIC = 2
    QUALITY = 4


class Stream(NamedTuple):
    """The fields of a stream.

    Attributes:
      fingerprint: The 4 bytes that name the codec.
      height: Of the image.
      width: Of the image.
      payload: Range-coder bytes.
      symbols_crc: CRC-32 of the coded symbols.
      flags: The properties of the stream.
      quality: The quality that it was made with, or None.
    """

    fingerprint: bytes
    height: int
    width: int
    payload: bytes
    symbols_crc: int
    flags: Flag = Flag(0)
    quality: float | None = None

    def pack(self) -> bytes:
        """Returns the stream as bytes."""
        flags = self.flags | (Flag.QUALITY if self.quality is not None else Flag(0))
        quality = b"" if self.quality is None else round(self.quality * QUALITY_STEPS).to_bytes(2, "little")
        head = MAGIC + bytes([VERSION, flags]) + self.fingerprint + _leb128(self.height) + _leb128(self.width)
        checked = head + quality + self.payload + self.symbols_crc.to_bytes(4, "little")
        return checked + zlib.crc32(checked).to_bytes(4, "little")

    @classmethod
    def parse(cls, data: bytes) -> Stream:
        """Takes bytes apart, after checking magic, version and checksum.

        Raises:
          BitstreamError: They are not a stream, of another version, or damaged.
        """
        if data[:4] != MAGIC:
            raise BitstreamError(f"Not a stream of lic: it starts with {data[:4]!r}, expected {MAGIC!r}.")
        if len(data) < _FIXED + 2 + _CHECKSUMS:
            raise BitstreamError(f"The stream is cut off: it has {len(data)} bytes, expected 20 at least. Get it anew.")
        if data[4] != VERSION:
            raise BitstreamError(f"The stream has format version {data[4]}, this lic reads {VERSION}. Update lic.")
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
            quality, position = (
                int.from_bytes(data[position : position + 2], "little") / QUALITY_STEPS,
                position + 2,
            )
        if position > len(data) - _CHECKSUMS:
            raise BitstreamError("The stream is cut off inside its header. Get it anew.")
        symbols_crc = int.from_bytes(data[-8:-4], "little")
        return cls(data[6:10], height, width, data[position:-8], symbols_crc, flags, quality)


def _leb128(number: int) -> bytes:
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            break
        byte, position = data[position], position + 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise BitstreamError("The stream's height or width does not end within five bytes. Get it anew.")
