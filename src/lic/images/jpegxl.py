"""JPEG XL with imagecodecs, which gives samples only: depth, alpha and colours are read from the header here.

Source: ISO/IEC 18181-1, annexes D and E.
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

import numpy as np

from lic.images.boxes import boxes_in
from lic.images.colour import Chromaticities, Colours, colours_of_chromaticities, colours_of_code_points
from lic.images.extra import needed
from lic.images.picture import Picture, Request

_HEADER = 4096  # Bytes in which the header of a codestream lies.
_CODESTREAM, _CONTAINER = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
# A field is one of four choices; each choice is an offset and the number of bits that are added to it.
_Choices = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
_SIZE: _Choices = ((1, 9), (1, 13), (1, 18), (1, 30))
_ENUM: _Choices = ((0, 0), (1, 0), (2, 4), (18, 6))
_BITS: _Choices = ((8, 0), (10, 0), (12, 0), (1, 6))
_FLOAT_BITS: _Choices = ((32, 0), (16, 0), (24, 0), (1, 6))
_COUNT: _Choices = ((0, 0), (1, 0), (2, 4), (1, 12))
_NAME: _Choices = ((0, 0), (0, 4), (16, 5), (48, 10))
_SHIFT: _Choices = ((0, 0), (3, 0), (4, 0), (1, 3))
_XY: _Choices = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5
_GREY, _UNKNOWN = 1, 3
# White points and primaries by number; 2 stands for numbers in the file.
_WHITES = {1: (0.3127, 0.3290), 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_PRIMARIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}


class _Header(NamedTuple):
    size: tuple[int, int]
    bits: int = 8
    floating: bool = False
    animated: bool = False
    alpha: bool = False
    premultiplied: bool = False
    black: bool = False
    grey: bool = False
    profile: bool = False
    chromaticities: Chromaticities | None = None
    gamma: float | None = None
    transfer: int = 13


def is_jpegxl(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is JPEG XL."""
    return head.startswith((_CODESTREAM, _CONTAINER))


def size_of(file: BinaryIO) -> tuple[int, int]:
    """Returns width and height, before the image is turned upright."""
    return _header_of(file).size


def picture_of(file: BinaryIO, request: Request) -> Picture:
    """Returns the samples of a file, which libjxl turns upright.

    Raises:
      ImageError: Samples have more than 8 bits and that is not allowed, their colours are not known, or imagecodecs is
        not installed.
    """
    library = needed("imagecodecs", "JPEG XL", request)
    header = _header_of(file)
    request.check_size(*header.size)
    if header.floating:
        raise request.refused("its samples are floating-point numbers")
    if header.black:
        raise request.refused("its samples are CMYK")
    if header.profile:
        raise request.refused("its colours are those of an ICC profile, which imagecodecs does not give")
    request.check_bits(header.bits)
    if not header.animated:
        request.checked_frame(1)
    colours = _colours_of(header, request)
    file.seek(0)
    samples = library.jpegxl_decode(file.read())
    if header.animated:  # imagecodecs has an axis of frames if there are several.
        frames = samples if samples.ndim == (3 if header.grey and not header.alpha else 4) else samples[None]
        samples = frames[request.checked_frame(len(frames))]
    channels = (1 if header.grey else 3) + header.alpha
    samples = samples.reshape(*samples.shape[:2], -1)
    if samples.shape[2] != channels or samples.dtype not in (np.uint8, np.uint16):
        raise request.refused(f"it holds {samples.dtype} of {samples.shape[2]} channels")
    alpha = samples[..., -1] if header.alpha else None
    samples = samples[..., 0] if header.grey else samples[..., :3]
    return Picture(samples, (1 << header.bits) - 1, alpha, header.premultiplied, colours=colours)


def _colours_of(header: _Header, request: Request) -> Colours | None:
    try:
        if header.gamma is None and header.chromaticities is None:
            return colours_of_code_points(1, header.transfer)
        return colours_of_chromaticities(header.chromaticities, header.transfer, header.gamma)
    except ValueError as error:
        raise request.refused(str(error)) from None


class _Fields:
    """Reads fields from the least significant bit of each byte on."""

    def __init__(self, data: bytes):
        self._bits, self._length, self._place = int.from_bytes(data, "little"), 8 * len(data), 0

    def take(self, bits: int) -> int:
        if self._place + bits > self._length:
            raise ValueError("its header is truncated")
        value = self._bits >> self._place & ((1 << bits) - 1)
        self._place += bits
        return value

    def flag(self) -> bool:
        return bool(self.take(1))

    def choose(self, choices: _Choices) -> int:
        offset, bits = choices[self.take(2)]
        return offset + self.take(bits)

    def coordinate(self) -> float:
        packed = self.choose(_XY)
        return (packed >> 1 if packed % 2 == 0 else -(packed + 1 >> 1)) / 1e6

    def pair(self) -> tuple[float, float]:
        return self.coordinate(), self.coordinate()


def _header_of(file: BinaryIO) -> _Header:
    file.seek(0)
    data = file.read(_HEADER)
    if data.startswith(_CONTAINER):
        file.seek(0)
        parts = boxes_in(file, _HEADER, {b"jxlc", b"jxlp"})
        data = b"".join(content if kind == b"jxlc" else content[4:] for kind, content in parts)
    fields = _Fields(data[2:_HEADER])
    header = _Header(_size(fields))
    if fields.flag():
        return header
    extra_fields = fields.flag()
    if extra_fields:
        header = header._replace(animated=_skip_extra_fields(fields))
    floating, bits = _depth(fields)
    header = header._replace(floating=floating, bits=bits)
    fields.flag()
    for _ in range(fields.choose(_COUNT)):
        header = _extra_channel(fields, header)
    fields.flag()
    return _colour_encoding(fields, header)


def _size(fields: _Fields) -> tuple[int, int]:
    small = fields.flag()
    height = 8 * (fields.take(5) + 1) if small else fields.choose(_SIZE)
    ratio = fields.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return (8 * (fields.take(5) + 1) if small else fields.choose(_SIZE)), height


def _skip_extra_fields(fields: _Fields) -> bool:
    """Skips orientation, intrinsic size, preview and animation; returns whether the file is animated."""
    fields.take(3)
    if fields.flag():
        _size(fields)
    if fields.flag():
        divided = fields.flag()
        sizes: _Choices = ((16, 0), (32, 0), (1, 5), (33, 9)) if divided else ((1, 6), (65, 8), (321, 10), (1345, 12))
        fields.choose(sizes)
        if not fields.take(3):
            fields.choose(sizes)
    animated = fields.flag()
    if animated:
        fields.choose(((100, 0), (1000, 0), (1, 10), (1, 30)))
        fields.choose(((1, 0), (1001, 0), (1, 8), (1, 10)))
        fields.choose(((0, 0), (0, 3), (0, 16), (0, 32)))
        fields.flag()
    return animated


def _depth(fields: _Fields) -> tuple[bool, int]:
    floating = fields.flag()
    bits = fields.choose(_FLOAT_BITS if floating else _BITS)
    if floating:
        fields.take(4)
    return floating, bits


def _extra_channel(fields: _Fields, header: _Header) -> _Header:
    if fields.flag():
        return header._replace(alpha=True)
    kind = fields.choose(_ENUM)
    _depth(fields)
    fields.choose(_SHIFT)
    fields.take(8 * fields.choose(_NAME))
    if kind == _ALPHA:
        return header._replace(alpha=True, premultiplied=fields.flag() or header.premultiplied)
    if kind == _SPOT:
        fields.take(64)
    if kind == _CFA:
        fields.choose(((1, 0), (0, 2), (3, 4), (19, 8)))
    return header._replace(black=header.black or kind == _BLACK)


def _colour_encoding(fields: _Fields, header: _Header) -> _Header:
    if fields.flag():
        return header
    profile, space = fields.flag(), fields.choose(_ENUM)
    header = header._replace(grey=space == _GREY, profile=profile or space >= _UNKNOWN)
    if header.profile or space > _GREY:
        return header
    kind = fields.choose(_ENUM)
    white = fields.pair() if kind == 2 else _WHITES[kind]
    primaries = _PRIMARIES[1]
    if space != _GREY:
        kind = fields.choose(_ENUM)
        primaries = (fields.pair(), fields.pair(), fields.pair()) if kind == 2 else _PRIMARIES[kind]
    gamma = fields.take(24) / 1e7 if fields.flag() else None
    transfer = 13 if gamma is not None else fields.choose(_ENUM)
    return header._replace(chromaticities=(*primaries, white), gamma=gamma, transfer=transfer)
