"""Images that a codec is given, as arrays."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from lic.errors import ImageError
from lic.images.advice import read_or_advise
from lic.images.failures import as_image_errors
from lic.images.picture import Picture, Request, pixels_of
from lic.images.pillow import picture_of, picture_of_image

_GIVEN = {"to_8_bit": True, "background": "white"}


def coloured(pixels: np.ndarray, channels: int = 3) -> np.ndarray:
    """Returns an image [height, width, channels]; one without an axis of channels has the same in each of them."""
    return np.stack([pixels] * channels, -1) if pixels.ndim == 2 else pixels


def checked_image(image: np.ndarray | Image.Image, channels: int = 3, bit_depth: int = 8) -> np.ndarray:
    """Returns an image as an array, or raises an ImageError if a codec does not take it.

    An image of Pillow is converted by its mode, profile and orientation, as a file is.

    Args:
      image: The image.
      channels: Channels that the codec takes.
      bit_depth: Bits of a channel that the codec takes.
    """
    expected = f"Expected an image as {_taken(channels, bit_depth)}"
    if isinstance(image, Image.Image):
        if bit_depth > 8 or channels not in (1, 3):
            raise ImageError(f"{expected}. Received: an image of Pillow. Pass its samples as an array.")
        image = _pixels_of_image(image)
    if isinstance(image, (str, os.PathLike)):
        plain = channels == 3 and bit_depth == 8
        call = "read_image(path)" if plain else f"read_samples(path, channels={channels}, bit_depth={bit_depth})"
        raise ImageError(
            f"{expected}. Received: the path {os.fspath(image)!r}. Read it, for example with lic.images.{call}."
        )
    given, image, dtype = image, np.asarray(image), _dtype(bit_depth)
    if image.dtype.newbyteorder("=") == dtype:  # Some formats have the upper byte first.
        image = image.astype(dtype, copy=False)
    allowed = (image.ndim == 3 and image.shape[2] == channels) or (image.ndim == 2 and channels in (1, 3))
    if image.dtype != dtype or not allowed or not image.size:
        received = f"{image.dtype} {list(image.shape)}" if image.dtype.kind in "biufc" else type(given).__name__
        advice = _advice(image, channels, bit_depth)
        raise ImageError(f"{expected}, of at least 1x1. Received: {received}. {advice}")
    if 8 < bit_depth < 16 and image.max() > peak_of(bit_depth):
        raise ImageError(f"{expected}. Received: values up to {image.max()}. Scale them, or take a codec of more bits.")
    return image


def _advice(image: np.ndarray, channels: int, bit_depth: int) -> str:
    """Returns what to do with an array that is no image."""
    if image.ndim == 4:
        return "Pass one image, such as images[0], or all of them to compress_batch."
    if image.ndim == 3 and image.shape[2] != channels:
        if image.shape[0] == channels:
            return "Put the channels last: image.transpose(1, 2, 0)."
        if channels == 3 and image.shape[2] == 1:
            return "Pass image[..., 0]."
        if channels == 3 and image.shape[2] == 4:
            return "Leave out alpha, image[..., :3], or take a codec of 4 channels."
    if image.dtype.kind == "f" and bit_depth == 8 and image.size:
        factor = "255 * " if np.max(image) <= 1 else ""
        return f"Convert it, for example with np.rint({factor}image).clip(0, 255).astype('uint8')."
    if image.dtype == np.uint16 and bit_depth == 8:
        return "Scale it to 8 bits, or take a codec of more bits: lic.Codec(model, bit_depth=16)."
    if image.dtype.kind == "i":
        return "Add an offset if there are numbers below 0, and convert it with astype."
    if channels == 3 and bit_depth == 8:
        return "Convert it, for example with np.asarray(PIL.Image.open(path).convert('RGB'))."
    return "Convert it, or take a codec for such images."


def peak_of(bit_depth: int) -> int:
    """Returns the largest value of a number of bits."""
    return (1 << bit_depth) - 1


def _dtype(bit_depth: int) -> type[np.unsignedinteger]:
    return np.uint16 if bit_depth > 8 else np.uint8


def _taken(channels: int, bit_depth: int) -> str:
    """Returns the type and the shapes of the images that a codec takes, in words."""
    grey = "[height, width] or " if channels == 1 else ""
    ending = ", or [height, width] for grey" if channels == 3 else ""
    numbers = "uint8" if bit_depth == 8 else f"uint16 of {bit_depth} bits (0 to {peak_of(bit_depth)})"
    return f"{numbers} {grey}[height, width, {channels}]{ending}"


def _pixels_of_image(image: Image.Image) -> np.ndarray:
    request = Request("The image")
    if 0 in image.size:
        raise ImageError(f"Expected an image of at least 1x1. Received: {image.width}x{image.height}.")

    def read(each: Request) -> np.ndarray:
        return pixels_of(_picture_of(image, each), each)

    try:
        with as_image_errors(request.name):
            return read_or_advise(read, request)
    except ImageError as error:
        if not error.advice:
            raise
        given = ", ".join(f"{name}={_GIVEN[name]!r}" for name in error.advice)
        paste = "Paste it over a colour, or read" if list(error.advice) == ["background"] else "Read"
        advice = f"{paste} its file with lic.images.read_image(path, {given})."
        raise ImageError(f"{error.reason} {advice}") from None


def _picture_of(image: Image.Image, request: Request) -> Picture:
    """Returns the samples of an image; its file knows better what they are, if they have not been read yet.

    The file is read as an image of its own, so that the given one stays as it is.
    """
    file = getattr(image, "fp", None)
    if file is None or not getattr(image, "tile", None):
        return picture_of_image(image, request)
    position = file.tell()
    file.seek(0)
    content = io.BytesIO(file.read())
    file.seek(position)
    opened = Image.open(content)
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        opened.seek(image.tell())
    if (opened.mode, opened.size) != (image.mode, image.size):  # The image is a draft, or another size of an icon.
        return picture_of_image(image, request)
    opened.info = dict(image.info)
    return picture_of_image(opened, request) if frames > 1 else picture_of(opened, content, request)
