"""Image files in folders."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import re
from collections.abc import Iterable

from PIL import Image

from lic.errors import ImageError, check_path
from lic.visible_files import visible_files

ARRAY = ".npy"
_DECODED = re.compile(r"\.lic(\.parts\d+)?\.\w+$", re.IGNORECASE)
_HASHED = 1 << 16  # Bytes of each file that a digest covers unless it covers whole files.
# Endings that Pillow lacks, of formats that `lic.images.read_image` reads with the extra `keras-lic[formats]`.
_MORE = {".heic", ".heics", ".heif", ".heifs", ".hif", ".jxl"}
# Pillow knows these by their names only, or has no picture to give: weather data, films, drawings and pages.
_NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}


@functools.lru_cache(maxsize=1)
def _endings() -> frozenset[str]:
    known = Image.registered_extensions()  # Fills Image.OPEN.
    formats = Image.OPEN.keys() - _NO_PICTURES
    return frozenset(ending for ending, name in known.items() if name in formats) | _MORE


def is_image(path: str | os.PathLike, arrays: bool = False) -> bool:
    """Returns whether a file's name ends like those of images that `read_image` reads, with or without the extra.

    The files that macOS writes beside others (`._photo.jpg`) are no images, nor is what `lic decompress` names after a
    stream (`photo.lic.png`): decoded images are not to be compressed, trained on or measured with their originals.

    Args:
      path: The file.
      arrays: Whether arrays of numpy, .npy, count as images.
    """
    path = pathlib.PurePath(path)
    ending = path.suffix.lower()
    known = ending in _endings() or (arrays and ending == ARRAY)
    return known and not _DECODED.search(path.name) and not path.name.startswith("._")


def image_files(folder: str | os.PathLike, arrays: bool = False) -> list[pathlib.Path]:
    """Returns the files in a folder and in all folders inside whose names end like those of images, sorted.

    Args:
      folder: The folder.
      arrays: As for `is_image`.

    Raises:
      ImageError: There is no such folder, or it holds no images.
    """
    check_path("image_files", "folder", folder)
    if not os.path.isdir(folder):
        raise ImageError(f"There is no folder {os.fspath(folder)!r}. Give a folder of images, such as PNG files.")
    found = visible_files(folder, functools.partial(is_image, arrays=arrays))
    if not found:
        raise ImageError(f"{os.fspath(folder)} holds no images. Give a folder of images, such as PNG files.")
    return found


def digest_of(folder: str | os.PathLike, names: Iterable[str], whole: bool = False) -> str:
    """Returns the SHA-256, in hexadecimal, of names, sizes and contents of files in a folder.

    Args:
      folder: The folder.
      names: Paths of the files relative to the folder.
      whole: Whether all of a file counts, and not only its first 64 KiB.
    """
    digest = hashlib.sha256()
    for name in names:
        path = pathlib.Path(folder) / name
        digest.update(f"{path.stat().st_size}\t{name}\n".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            while piece := file.read(_HASHED):
                digest.update(piece)
                if not whole:
                    break
    return digest.hexdigest()
