"""Images written to files, in formats that hold every pixel, and in JPEG at a stated quality."""

from __future__ import annotations

import io
import os
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from lic.atomic_write import atomic_write
from lic.errors import ImageError, check_path
from lic.images import tiff
from lic.images.arrays import checked_image
from lic.images.picture import Request
from lic.images.png import encoded_in_16_bits

JPEG_QUALITY = 95


class Format(NamedTuple):
    """A format of image files.

    Attributes:
      name: Pillow's name of the format.
      most: The largest height and width in pixels.
      options: Options of Pillow's writer that make it keep every pixel.
      grey_only: Whether it holds no colour.
      any_channels: Whether it holds any number of channels, of up to 16 bits.
    """

    name: str
    most: int = 1 << 31
    options: dict[str, Any] = {}  # noqa: RUF012 - it is never changed
    grey_only: bool = False
    any_channels: bool = False


_JPEG = Format("JPEG", 65500, {"subsampling": "4:4:4"})
PNG, TIFF = Format("PNG"), Format("TIFF", any_channels=True)
FORMATS = {
    ".png": PNG,
    ".tif": TIFF,
    ".tiff": TIFF,
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
    ".npy": Format("NPY", any_channels=True),
}
ENDINGS = ", ".join(FORMATS)


def write_image(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes an image to a file in the format of its suffix; the file appears when it is complete.

    Args:
      path: The file.
      pixels: uint8 [height, width, 3] or [height, width]; TIFF and .npy also hold other channels and uint16,
        and PNG holds grey and colour of uint16.

    Raises:
      ImageError: No format with this suffix holds every pixel, or none of this size.
    """
    check_path("write_image", "path", path)
    format = format_of(path)
    deep = getattr(pixels, "dtype", None) == np.uint16
    channels = pixels.shape[2] if isinstance(pixels, np.ndarray) and pixels.ndim == 3 else 1 if deep else 3
    pixels = checked_image(pixels, channels, 16 if deep else 8)
    check_picture(path, format, *pixels.shape[:2], pixels.ndim == 2, channels, 16 if deep else 8)
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


def check_picture(
    path: str | os.PathLike,
    format: Format,
    height: int,
    width: int,
    grey: bool,
    channels: int = 3,
    bit_depth: int = 8,
) -> None:
    """Raises an ImageError if a format cannot hold a picture.

    Args:
      path: The file, for the message.
      format: The format.
      height: Height of the picture in pixels.
      width: Width of the picture in pixels.
      grey: Whether the picture has no axis of channels.
      channels: Channels of the picture, if it is not grey.
      bit_depth: Bits of a channel.
    """
    if not format.any_channels and not grey and channels not in (1, 3):
        raise ImageError(
            f"{os.fspath(path)}: the picture has {channels} channels, {format.name} holds grey and colour. End the "
            "name in .tif or .npy."
        )
    if not format.any_channels and bit_depth > 8 and (format != PNG or bit_depth < 16):
        held = "8 or 16" if format == PNG else "8"
        raise ImageError(
            f"{os.fspath(path)}: the picture has {bit_depth} bits a channel, {format.name} holds {held}. End the name "
            "in .tif or .npy."
        )
    if max(height, width) > format.most:
        raise ImageError(
            f"{os.fspath(path)}: the picture has {height}x{width} pixels, {format.name} holds {format.most} a side at "
            "most. End the name in .png."
        )
    if format.grey_only and not grey and channels != 1:
        raise ImageError(f"{os.fspath(path)}: the picture has colours, this format holds grey only. End it in .ppm.")


def encoded(pixels: np.ndarray, format: Format, jpeg_quality: int = JPEG_QUALITY) -> bytes:
    """Returns the file of a picture.

    Args:
      pixels: As for `write_image`.
      format: The format.
      jpeg_quality: Quality of JPEG, 1 to 100.

    Raises:
      ImageError: This installation of Pillow does not write the format, or not a picture of this size.
    """
    if format.name == "NPY":
        return _npy(pixels)
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    if pixels.dtype == np.uint16 and format == PNG:
        return encoded_in_16_bits(pixels)
    if pixels.dtype == np.uint16 or (pixels.ndim == 3 and pixels.shape[2] != 3):
        return tiff.encoded(pixels, Request("The picture"))
    options = format.options | ({"quality": jpeg_quality} if format.name == "JPEG" else {})
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(file, format.name, **options)
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise ImageError(
            f"This picture cannot be written as {format.name} ({error}). Take another format, such as PNG."
        ) from error
    return file.getvalue()


def _npy(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, pixels, allow_pickle=False)
    return file.getvalue()
