"""Images written to files, in formats that hold every pixel, and in JPEG at a stated quality."""

from __future__ import annotations

import io
import os
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from lic.atomic_write import atomic_write
from lic.errors import ImageError
from lic.images.arrays import checked_image

JPEG_QUALITY = 95


class Format(NamedTuple):
    """A format of image files.

    Attributes:
      name: Pillow's name of the format.
      most: The largest height and width in pixels.
      options: Options of Pillow's writer that make it keep every pixel.
      grey_only: Whether it holds no colour.
    """

    name: str
    most: int = 1 << 31
    options: dict[str, Any] = {}  # noqa: RUF012 - it is never changed
    grey_only: bool = False


_JPEG = Format("JPEG", 65500, {"subsampling": "4:4:4"})
_TIFF = Format("TIFF")
PNG = Format("PNG")
FORMATS = {
    ".png": PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": Format("BMP"),
    ".ppm": Format("PPM"),
    ".pnm": Format("PPM"),
    ".pgm": Format("PPM", grey_only=True),
    ".tga": Format("TGA", 65535),
    ".webp": Format("WEBP", 16383, {"lossless": True}),
    ".jp2": Format("JPEG2000", options={"irreversible": False}),
    ".j2k": Format("JPEG2000", options={"irreversible": False, "no_jp2": True}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".jpe": _JPEG,
    ".jfif": _JPEG,
}
ENDINGS = ", ".join(FORMATS)


def write_image(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes an image to a file in the format of its suffix; the file appears when it is complete.

    Args:
      path: The file.
      pixels: uint8 [height, width, 3] or [height, width].

    Raises:
      ImageError: No format with this suffix holds every pixel, or none of this size.
    """
    format, pixels = format_of(path), checked_image(pixels)
    check_size(path, format, pixels.shape[0], pixels.shape[1], pixels.ndim == 2)
    data = encoded(pixels, format)
    with atomic_write(path) as file:
        file.write(data)


def is_written(path: str | os.PathLike) -> bool:
    """Returns whether images are written under a name with this suffix."""
    return os.path.splitext(path)[1].lower() in FORMATS


def format_of(path: str | os.PathLike) -> Format:
    """Returns the format that the suffix of a name stands for.

    Raises:
      ImageError: It is none that holds every decoded picture.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        wrong = (
            f"no format that ends in {ending!r} holds every picture as it is" if ending else "the name has no ending"
        )
        raise ImageError(
            f"{os.fspath(path)}: {wrong}. End it in {ENDINGS}, or name a folder, which is made if its name ends in /."
        )
    return FORMATS[ending]


def check_size(path: str | os.PathLike, format: Format, height: int, width: int, grey: bool) -> None:
    """Raises an ImageError if a format cannot hold a picture.

    Args:
      path: The file, for the message.
      format: The format.
      height: Height of the picture in pixels.
      width: Width of the picture in pixels.
      grey: Whether the picture has one channel.
    """
    if max(height, width) > format.most:
        raise ImageError(
            f"{os.fspath(path)}: the picture has {height}x{width} pixels, {format.name} holds {format.most} a side at "
            "most. End the name in .png."
        )
    if format.grey_only and not grey:
        raise ImageError(f"{os.fspath(path)}: the picture has colours, this format holds grey only. End it in .ppm.")


def encoded(pixels: np.ndarray, format: Format, jpeg_quality: int = JPEG_QUALITY) -> bytes:
    """Returns the file of a picture.

    Args:
      pixels: uint8 [height, width, 3] or [height, width].
      format: The format.
      jpeg_quality: Quality of JPEG, 1 to 100.

    Raises:
      ImageError: This installation of Pillow does not write the format, or not a picture of this size.
    """
    options = format.options | ({"quality": jpeg_quality} if format.name == "JPEG" else {})
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(file, format.name, **options)
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise ImageError(
            f"This picture cannot be written as {format.name} ({error}). Take another format, such as PNG."
        ) from error
    return file.getvalue()
