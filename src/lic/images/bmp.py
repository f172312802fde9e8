"""Colours that the headers of versions 4 and 5 of BMP declare, which Pillow leaves out.

Source: BITMAPV4HEADER and BITMAPV5HEADER of the Windows API.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import BinaryIO

from lic.images.colour import colours_of_gamma
from lic.images.failures import words_of
from lic.images.picture import Picture, Request

_CALIBRATED, _EMBEDDED = 0, int.from_bytes(b"MBED", "big")


def picture_with_colours(picture: Picture, file: BinaryIO, request: Request) -> Picture:
    """Returns a picture with the profile, or the primaries and the gamma, that the file declares."""
    file.seek(0)
    start = 14 if file.read(2) == b"BM" else 0
    file.seek(start)
    header = file.read(124)
    try:
        (size,) = struct.unpack_from("<I", header)
        if size < 108:
            return picture
        (kind,) = struct.unpack_from("<I", header, 56)
        if kind == _EMBEDDED and size >= 124:
            place, length = struct.unpack_from("<II", header, 112)
            file.seek(start + place)
            return dataclasses.replace(picture, profile=file.read(length))
        if kind == _CALIBRATED:
            ends, gammas = struct.unpack_from("<9i", header, 60), struct.unpack_from("<3I", header, 96)
            # Many writers leave all of this at 0.
            if all(gammas) and len(set(gammas)) == 1 and any(ends):
                red, green, blue = ends[:3], ends[3:6], ends[6:]
                white = [sum(parts) for parts in zip(red, green, blue)]
                points = tuple((x / (x + y + z), y / (x + y + z)) for x, y, z in (red, green, blue, white))
                return dataclasses.replace(picture, colours=colours_of_gamma(65536 / gammas[0], points))
    except (struct.error, ValueError, ZeroDivisionError) as error:
        request.warn(f"the colours in its header cannot be used ({words_of(error)}); they are taken as sRGB")
    return picture
