"""Images that a codec is given, as arrays."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from lic.errors import ImageError
from lic.images.failures import as_image_errors
from lic.images.picture import Picture, Request, pixels_of
from lic.images.pillow import picture_of, picture_of_image


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Returns a grey or colour image with three channels, [height, width, 3]."""
    return np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels


def checked_image(image: np.ndarray | Image.Image) -> np.ndarray:
    """Returns an image as an array, or raises an ImageError if no codec takes it.

    An image of Pillow is converted by its mode, profile and orientation, as a file is.
    """
    if isinstance(image, Image.Image):
        return _pixels_of_image(image)
    if isinstance(image, (str, os.PathLike)):
        raise ImageError(
            f"Expected an image as uint8 [height, width, 3], or [height, width] for grey. Received: the path "
            f"{os.fspath(image)!r}. Read it, for example with lic.images.read_image(path)."
        )
    image = np.asarray(image)
    allowed = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not allowed or not image.size:
        raise ImageError(
            "Expected an image as uint8 [height, width, 3], or [height, width] for grey, of at least 1x1. "
            f"Received: {image.dtype} {list(image.shape)}. Convert it, for example with "
            "np.asarray(PIL.Image.open(path).convert('RGB'))."
        )
    return image


def _pixels_of_image(image: Image.Image) -> np.ndarray:
    request = Request("The image")
    if 0 in image.size:
        raise ImageError(f"Expected an image of at least 1x1. Received: {image.width}x{image.height}.")
    with as_image_errors(request.name):
        picture = _picture_of(image, request)
        if picture.alpha is not None and picture.alpha.min() < picture.white:
            raise ImageError(
                "The image has transparent pixels, a codec takes none. Paste it over a colour, or read its file with "
                "lic.images.read_image(path, background='white')."
            )
        return pixels_of(picture, request)


def _picture_of(image: Image.Image, request: Request) -> Picture:
    """The samples of an image; its file knows better what they are, if they have not been read yet."""
    file = getattr(image, "fp", None)
    if file is None or not getattr(image, "tile", None) or getattr(image, "n_frames", 1) > 1:
        return picture_of_image(image, request)
    # Pillow closes a file that it opened itself as soon as it has read the samples, so the bytes are kept.
    position = file.tell()
    file.seek(0)
    content = io.BytesIO(file.read())
    file.seek(position)
    try:
        return picture_of(image, content, request)
    except ImageError as error:
        if error.argument is None:
            raise
        raise ImageError(f"{error} It is an argument of lic.images.read_image.") from None
