"""PNG: what Pillow leaves out, which is colour of 16 bits and the chunk of code points.

Source: Portable Network Graphics, third edition (W3C).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from lic.images.colour import Colours, colours_of_code_points, colours_of_gamma
from lic.images.failures import words_of
from lic.images.picture import Picture, Request

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 4, 6


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yields the name and the contents of the chunks before the pixels."""
    file.seek(len(SIGNATURE))
    while len(start := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", start)
        if name in (b"IDAT", b"IEND"):
            return
        if size > 1 << 16:
            file.seek(size + 4, 1)
        else:
            yield name, file.read(size)
            file.seek(4, 1)


def bits_of(file: BinaryIO) -> int:
    """Returns the bits of a sample that the header declares."""
    file.seek(24)
    return file.read(1)[0]


def colours_of(file: BinaryIO, request: Request) -> Colours | None:
    """Returns the colours that cICP, or else sRGB, gAMA and cHRM declare; a profile stands between them.

    Raises:
      ImageError: cICP declares colours that 8 bits cannot hold.
    """
    found = dict(chunks(file))
    if len(found.get(b"cICP", b"")) == 4:
        primaries, transfer, _, full = found[b"cICP"]
        try:
            if not full:
                raise ValueError("its colours are of narrow range")
            return colours_of_code_points(primaries, transfer)
        except ValueError as error:
            raise request.refused(str(error)) from None
    if b"sRGB" in found or not found.keys() & {b"gAMA", b"cHRM"}:
        return None
    try:
        gamma = struct.unpack(">I", found[b"gAMA"])[0] / 100000 if b"gAMA" in found else None
        points = [point / 100000 for point in struct.unpack(">8I", found[b"cHRM"])] if b"cHRM" in found else None
        return colours_of_gamma(gamma, points and ((*points[2:4],), (*points[4:6],), (*points[6:8],), (*points[:2],)))
    except (struct.error, ValueError) as error:
        request.warn(f"its gAMA or cHRM cannot be used ({words_of(error)}); its colours are taken as sRGB")
        return None


def has_code_points(file: BinaryIO) -> bool:
    """Returns whether there is a cICP chunk, which goes before a profile."""
    return any(name == b"cICP" and len(contents) == 4 for name, contents in chunks(file))


def scale_transparent_grey(image: Image.Image, bits: int) -> None:
    """Scales the grey that is transparent as Pillow scales samples of 1, 2 and 4 bits."""
    if image.mode in ("1", "L") and isinstance(key := image.info.get("transparency"), int):
        # Some releases of Pillow scale that of one bit themselves, to 255, of which the last bit is 1 too.
        image.info["transparency"] = (key & ((1 << bits) - 1)) * 255 // ((1 << bits) - 1)


def check_palette(image: Image.Image, request: Request) -> None:
    """Raises an ImageError if pixels have numbers that the palette lacks, for which Pillow takes black."""
    colours = len(image.palette.palette) // len(image.palette.mode)
    image.load()
    most = image.getextrema()[1]
    if most >= colours:
        raise request.refused(f"its palette has {colours} colours, but there are pixels of number {most}")


def picture_of_16_bits(image: Image.Image, file: BinaryIO) -> Picture:
    """Returns samples and alpha of a PNG file of 16 bits, as Pillow has opened it."""
    file.seek(25)
    kind = file.read(1)[0]
    if kind == _GREY:
        samples = np.asarray(image).astype(np.uint16)
    elif kind == _GREY_ALPHA:
        # Grey and alpha of 16 bits have four bytes a pixel, which filters treat as those of red, green, blue and alpha.
        samples = np.asarray(_opened(file, 8, _COLOUR_ALPHA)).view(">u2").astype(np.uint16)
    else:
        # Pillow keeps one byte of two: the first here, and the second if it takes the bytes for little-endian.
        high = np.asarray(image)
        low = _opened(file, 16, kind)
        name = "RGB;16L" if kind == _COLOUR else "RGBA;16L"
        low.tile = [(*tile[:3], name) for tile in low.tile]
        samples = high.astype(np.uint16) << 8 | np.asarray(low)
    alpha = samples[..., -1] if kind in (_GREY_ALPHA, _COLOUR_ALPHA) else None
    if alpha is not None:
        samples = samples[..., 0] if kind == _GREY_ALPHA else samples[..., :3]
    elif (key := image.info.get("transparency")) is not None:
        equal = samples == np.array(key, np.uint16)
        alpha = np.where(equal if kind == _GREY else equal.all(-1), 0, 65535).astype(np.uint16)
    return Picture(samples, 65535, alpha)


def encoded_in_16_bits(pixels: np.ndarray) -> bytes:
    """Returns the PNG file of samples of 16 bits, which Pillow writes for grey only.

    Args:
      pixels: uint16 [height, width] or [height, width, 3].
    """
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    # The filter "up" (2): each byte less the one above it.
    filtered = np.full((height, rows.shape[1] + 1), 2, np.uint8)
    filtered[:, 1:] = np.diff(rows, axis=0, prepend=np.uint8(0) * rows[:1])
    header = struct.pack(">IIBBBBB", width, height, 16, _GREY if pixels.ndim == 2 else _COLOUR, 0, 0, 0)
    contents = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in contents)


def _chunk(name: bytes, contents: bytes) -> bytes:
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", zlib.crc32(name + contents))


def _opened(file: BinaryIO, bits: int, kind: int) -> Image.Image:
    """Opens a file with other bits and another kind of colour in its header."""
    file.seek(0)
    data = bytearray(file.read())
    data[24:26] = bits, kind
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return Image.open(io.BytesIO(data), formats=["PNG"])
