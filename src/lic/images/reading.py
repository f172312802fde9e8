"""Image files as 8-bit sRGB or grey: formats of Pillow, and those of the extra `keras-lic[formats]`.

Depth, sign, transparency, colours and orientation are those that the file declares, since Pillow opens many files as if
they had 8 bits. What has no meaning in 8 bits of sRGB is refused.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from lic.errors import ImageError, check
from lic.images import heif, jpegxl, pillow, tiff
from lic.images.advice import read_or_advise
from lic.images.arrays import peak_of
from lic.images.failures import as_image_errors
from lic.images.picture import Picture, Request, pixels_of

_HEAD = 32  # Bytes that show the format.


def read_image(
    path: str | os.PathLike | BinaryIO,
    *,
    background: str | None = None,
    to_8_bit: bool = False,
    frame: int | None = None,
) -> np.ndarray:
    """Reads an image file: upright, in sRGB, other metadata dropped.

    Args:
      path: The file, or an open binary file.
      background: Colour behind transparent pixels, by name or as #rrggbb.
      to_8_bit: Whether images of more bits a channel are rounded to 8.
      frame: Number of the frame, from 0, in a file that has several.

    Returns:
      uint8 [height, width, 3], or [height, width] for a grey image.

    Raises:
      ImageError: The file cannot be read, or the image would lose something and the argument that allows it is missing.
    """
    if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
        raise ImageError(
            f"read_image: expected a path or an open binary file. Received: {type(path).__name__}. "
            "A codec takes arrays and images of Pillow as they are."
        )
    request = Request(name_of(path), background, to_8_bit, frame)
    with opened(path, request.name) as file:
        return read_or_advise(lambda each: pixels_of(picture_in(file, each), each), request)


def image_size(path: str | os.PathLike | BinaryIO) -> tuple[int, int]:
    """Returns height and width of an image file without reading its pixels, mostly those before it is turned upright.

    Raises:
      ImageError: The file cannot be read.
    """
    request = Request(name_of(path))
    with opened(path, request.name) as file:
        head = file.read(_HEAD)
        if jpegxl.is_jpegxl(head):
            size = jpegxl.size_of(file)
        elif heif.is_heif(head):
            size = heif.size_of(file, request)
        else:
            file.seek(0)
            try:
                size = Image.open(file).size
            except UnidentifiedImageError as error:
                if not head.startswith(tiff.SIGNATURES):
                    raise ValueError(pillow.reason_of(file)) from error
                size = tiff.size_of(file, request)
    width, height = size
    return height, width


def sample_image(channels: int = 3, bit_depth: int = 8) -> np.ndarray:
    """Returns the photograph that ships with lic: uint8 [512, 768, 3], a dandelion.

    Args:
      channels: Channels of the result; others than 3 are red, green and blue in turn.
      bit_depth: Bits of a channel, 8 to 16; above 8 the result is uint16 of that range.

    Raises:
      ValueError: An argument is out of range.
    """
    check("sample_image", "channels", isinstance(channels, int) and channels >= 1, "an integer of at least 1", channels)
    check("sample_image", "bit_depth", bit_depth in range(8, 17), "from 8 to 16", bit_depth)
    sample = importlib.resources.files("lic.models") / "sample" / "dandelion.png"
    with importlib.resources.as_file(sample) as path:
        pixels = read_image(path)
    pixels = pixels if channels == 3 else pixels[..., np.arange(channels) % 3]
    return pixels if bit_depth == 8 else np.rint(pixels * (peak_of(bit_depth) / 255)).astype(np.uint16)


def name_of(path: str | os.PathLike | BinaryIO) -> str:
    """Returns the name of a file, for messages."""
    return os.fspath(path) if isinstance(path, (str, os.PathLike)) else str(getattr(path, "name", "the image"))


@contextlib.contextmanager
def opened(path: str | os.PathLike | BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Opens a file at its beginning, and turns whatever is raised in the context into an ImageError."""
    with as_image_errors(name), contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "rb")) if isinstance(path, (str, os.PathLike)) else path
        file = file if file.seekable() else io.BytesIO(file.read())
        file.seek(0)
        if not file.read(1):
            raise ImageError(f"{name} is empty: it has 0 bytes. Get the file anew.")
        file.seek(0)
        yield file


def picture_in(file: BinaryIO, request: Request) -> Picture:
    """Returns the samples of an open file, in any format that is read."""
    file.seek(0)
    head = file.read(_HEAD)
    if jpegxl.is_jpegxl(head):
        return jpegxl.picture_of(file, request)
    if heif.is_heif(head):
        return heif.picture_of(file, request)
    file.seek(0)
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        if head.startswith(tiff.SIGNATURES):
            return tiff.picture_of(file, request)
        raise ValueError(pillow.reason_of(file)) from error
    return pillow.picture_of(image, file, request)
