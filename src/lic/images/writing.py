"""Images written to files."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from lic.atomic_write import atomic_write
from lic.errors import ImageError


def write_image(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes an image to a file in the format of its suffix; the file appears when it is complete.

    Args:
      path: The file.
      pixels: uint8 [height, width, 3] or [height, width].

    Raises:
      ImageError: Pillow writes no format with this suffix.
    """
    ending = os.path.splitext(path)[1].lower()
    name = Image.registered_extensions().get(ending)
    if name not in Image.SAVE:
        raise ImageError(
            f"{path}: no image format that can be written ends in {ending!r}. End it in .png, for example."
        )
    with atomic_write(path) as file:
        Image.fromarray(pixels).save(file, name)
