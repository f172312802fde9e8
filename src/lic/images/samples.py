"""Image files as the samples that a codec of any channels and bits takes.

A codec of more channels than 3, or of more than 8 bits, takes samples as they stand in the file, upright: no colours
are converted, since nothing defines them.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np

from lic.array_archive import npy_header
from lic.errors import ImageError
from lic.images import tiff
from lic.images.advice import read_or_advise
from lic.images.arrays import checked_image
from lic.images.exif import upright
from lic.images.picture import Picture, Request, pixels_of
from lic.images.reading import name_of, opened, picture_in

_NPY = b"\x93NUMPY"
_DEEP = 16  # Bits of a sample in a file of more than 8.


def read_samples(
    path: str | os.PathLike | BinaryIO,
    *,
    channels: int = 3,
    bit_depth: int = 8,
    background: str | None = None,
    to_8_bit: bool = False,
    frame: int | None = None,
) -> np.ndarray:
    """Reads an image file as a codec of a number of channels and bits takes it.

    For 3 channels or 1 of 8 bits it is read as by `read_image`. Other samples come from TIFF files, and those of 3
    channels or 1 from any format that has as many bits, such as PNG of 16. A .npy file holds the array itself.

    Args:
      path: The file, or an open binary file.
      channels: Channels that the codec takes.
      bit_depth: Bits of a channel that the codec takes.
      background: As for `read_image`.
      to_8_bit: As for `read_image`.
      frame: As for `read_image`. Without it, a TIFF file of as many pages as the codec takes channels has one
        channel in each page.

    Returns:
      uint8, or uint16 above 8 bits, [height, width, channels]; or [height, width] for a grey image.

    Raises:
      ImageError: The file cannot be read, or its image has other channels or bits.
    """
    request = Request(name_of(path), background, to_8_bit, frame, 8 if bit_depth == 8 else _DEEP)
    with opened(path, request.name) as file:
        return read_or_advise(lambda each: _checked_in(file, channels, bit_depth, each), request)


def _checked_in(file: BinaryIO, channels: int, bit_depth: int, request: Request) -> np.ndarray:
    """Returns the image of an open file if a codec of so many channels and bits takes it."""
    file.seek(0)
    head = file.read(len(_NPY))
    file.seek(0)
    if head == _NPY:
        pixels = _array_in(file, request)
    elif channels in (1, 3) and bit_depth == 8:
        pixels = pixels_of(picture_in(file, request), request)
    elif channels in (1, 3):
        pixels = _samples_of(picture_in(file, request), bit_depth, request)
    elif head.startswith(tiff.SIGNATURES):
        pixels = tiff.samples_of(file, channels, request)
    else:
        raise ImageError(
            f"{request.name}: the codec takes {channels} channels, which TIFF and .npy files hold. Convert it, or "
            "take another codec."
        )
    try:
        return checked_image(pixels, channels, bit_depth)
    except ImageError as error:
        raise ImageError(f"{request.name}: {error}") from None


def _samples_of(picture: Picture, bit_depth: int, request: Request) -> np.ndarray:
    """Returns the samples of a picture of more than 8 bits."""
    if picture.alpha is not None and picture.alpha.min() < picture.white:
        raise ImageError(
            f"{request.name} has transparent pixels, a codec of {bit_depth} bits takes none. Lay it over a colour, "
            "and save it without alpha."
        )
    bits = picture.white.bit_length()
    if bits not in (bit_depth, _DEEP):
        raise ImageError(f"{request.name} has {bits} bits a channel, the codec takes {bit_depth}. Convert it.")
    if picture.profile or picture.colours is not None:
        request.warn("its colours are coded as they are, and its profile is dropped")
    return np.ascontiguousarray(upright(picture.samples, picture.orientation))


def _array_in(file: BinaryIO, request: Request) -> np.ndarray:
    """Returns the array of a .npy file, whose size is checked against its header before it is read."""
    shape, is_fortran, dtype = npy_header(file, "it")
    if dtype not in (np.dtype(np.uint8), np.dtype("<u2"), np.dtype(">u2")) or len(shape) not in (2, 3):
        raise ImageError(
            f"{request.name} holds {dtype} {list(shape)}, expected uint8 or uint16 [height, width] or "
            "[height, width, channels]."
        )
    request.check_size(shape[1], shape[0])
    data = file.read()
    if len(data) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError(f"it has {len(data)} bytes of samples, which are not those of {list(shape)}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
    return np.ascontiguousarray(array, dtype.newbyteorder("="))
