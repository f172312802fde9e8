"""The orientation that EXIF declares.

Pillow reads all of EXIF and fails on any damaged entry, and it takes XMP for EXIF where there is none. The orientation
is one entry of the first directory, so that it is read here.
"""

from __future__ import annotations

import struct

import numpy as np

_ORIENTATION = 0x0112
# Types of an entry that holds a whole number: the code for struct.
_TYPES = {1: "B", 3: "H", 4: "I"}
_ENTRY = 12  # Bytes.


def orientation_of(exif: bytes) -> int:
    """Returns the orientation, 1 to 8, that an EXIF block declares; 1 if it declares none.

    Raises:
      ValueError: The block is damaged before an orientation was found.
    """
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if not exif:
        return 1
    if order is None:
        raise ValueError(f"it begins with {exif[:4]!r}, which is no byte order of TIFF")
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for place in range(start + 2, start + 2 + _ENTRY * count, _ENTRY):
            tag, kind, values = struct.unpack_from(order + "HHI", exif, place)
            if tag == _ORIENTATION and kind in _TYPES and values:
                (value,) = struct.unpack_from(order + _TYPES[kind], exif, place + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        raise ValueError("it ends inside its first directory") from None
    return 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Returns an image [height, width, ...] turned and mirrored as its orientation demands."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    pixels = pixels[::-1] if orientation in (3, 4, 7, 8) else pixels
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels
