"""Image files: reads all formats of Pillow as 8-bit sRGB or grey, and writes images."""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import logging
import os
import pathlib
import warnings
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError

from lic.atomic_write import atomic_write
from lic.errors import ImageError

_log = logging.getLogger(__name__)
_HASHED = 1 << 16  # Bytes of each file that a digest covers.
_BITS_PER_SAMPLE = 258  # The TIFF tag.
# Modes with alpha, palettes or single bits -> the mode without them.
_OPAQUE = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBX": "RGB"}
_MODES = (*_OPAQUE, "L", "RGB", "CMYK", "YCbCr", "LAB", "HSV")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def read_image(
    path: str | os.PathLike,
    *,
    background: str | None = None,
    to_8_bit: bool = False,
    frame: int | None = None,
) -> np.ndarray:
    """Reads an image file: upright, in sRGB, other metadata dropped.

    Args:
      path: The file.
      background: Colour behind transparent pixels, by name or as #rrggbb.
      to_8_bit: Whether images of 16 bits a channel are rounded to 8.
      frame: Number of the frame, from 0, in a file that has several.

    Returns:
      uint8 [height, width, 3], or [height, width] for a grey image.

    Raises:
      ImageError: The file cannot be read, or the image would lose something and the argument that allows it is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _pixels(image, os.fspath(path), background, to_8_bit, frame)
    except FileNotFoundError:
        raise ImageError(f"There is no file {os.fspath(path)!r}.") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not an image that Pillow reads.") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path} cannot be read as an image: {error}.") from error


def sample_image() -> np.ndarray:
    """Returns the photograph that ships with lic: uint8 [512, 768, 3], a dandelion."""
    sample = importlib.resources.files("lic.models") / "sample" / "dandelion.png"
    with importlib.resources.as_file(sample) as path:
        return read_image(path)


def is_image(path: str | os.PathLike) -> bool:
    """Returns whether the suffix of a file's name is one of an image format that Pillow reads."""
    return os.path.splitext(path)[1].lower() in Image.registered_extensions()


def image_files(folder: str | os.PathLike) -> list[pathlib.Path]:
    """Returns the files in a folder and in all folders inside whose names end like those of images, sorted.

    Raises:
      ImageError: There is no such folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ImageError(f"There is no folder {str(folder)!r}.")
    return sorted(path for path in folder.rglob("*") if path.is_file() and is_image(path))


def digest_of(folder: str | os.PathLike, names: Iterable[str]) -> str:
    """Returns the SHA-256, in hexadecimal, of names, sizes and first 64 KiB of files in a folder."""
    digest = hashlib.sha256()
    for name in names:
        path = pathlib.Path(folder) / name
        digest.update(f"{path.stat().st_size}\t{name}\n".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            digest.update(file.read(_HASHED))
    return digest.hexdigest()


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Returns a grey or colour image with three channels, [height, width, 3]."""
    return np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels


def checked_image(image: np.ndarray) -> np.ndarray:
    """Returns an image as an array, or raises an ImageError if no codec takes it."""
    image = np.asarray(image)
    allowed = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not allowed or not image.size:
        raise ImageError(
            "Expected an image as uint8 [height, width, 3], or [height, width] for grey, of at least 1x1. "
            f"Received: {image.dtype} {list(image.shape)}. Convert it, for example with "
            "np.asarray(PIL.Image.open(path).convert('RGB'))."
        )
    return image


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


def _pixels(image: Image.Image, path: str, background: str | None, to_8_bit: bool, frame: int | None) -> np.ndarray:
    image = _one_frame(image, path, frame)
    if _bits(image) > 8 and not to_8_bit:
        raise ImageError(
            f"{path} has 16 bits a channel, a codec takes 8. Pass to_8_bit=True to round them.", "to_8_bit"
        )
    image.load()
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    image = _in_8_bits(image) if image.mode in _DEEP_MODES else image
    if image.mode not in _MODES:
        raise ImageError(f"{path} has pixels of Pillow's mode {image.mode!r}. Convert it to RGB or grey of 8 bits.")
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    # A colour profile applies to the file's own channels, so CMYK and the like are converted by it.
    image = image.convert(_OPAQUE[image.mode]) if image.mode in _OPAQUE else image
    image = _in_srgb(image, profile, path) if profile else image
    image = image if image.mode == "L" else image.convert("RGB")
    return np.asarray(_over(image, alpha, path, background) if alpha else image)


def _one_frame(image: Image.Image, path: str, frame: int | None) -> Image.Image:
    # An MPO file of a camera is one photograph followed by a preview or a second view.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frame is None and frames > 1:
        raise ImageError(f"{path} has {frames} frames. Pass the number of one as frame, from 0.", "frame")
    if frame is not None:
        if not 0 <= frame < frames:
            raise ImageError(f"{path} has no frame {frame}: it has {frames}, counted from 0.")
        image.seek(frame)
    return image


def _bits(image: Image.Image) -> int:
    """The bits a channel in the file; Pillow opens some deep files as if they had 8."""
    if image.mode in _DEEP_MODES:
        return 16
    if image.format == "PNG" and getattr(image, "filename", ""):
        with open(image.filename, "rb") as file:
            return file.read(25)[24]
    return max(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,)))


def _in_8_bits(image: Image.Image) -> Image.Image:
    """A grey image of 16 bits rounded to 8, with alpha if the file declares one value to be transparent."""
    values, transparent = np.asarray(image, np.float64), image.info.get("transparency")
    rounded = Image.fromarray(np.rint(np.clip(values, 0, 65535) / 257).astype(np.uint8))
    if transparent is not None:
        rounded.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return rounded


def _over(image: Image.Image, alpha: Image.Image, path: str, background: str | None) -> Image.Image:
    """Lays an image over a background, which an image without transparent pixels does not need."""
    if alpha.getextrema()[0] == 255:
        return image
    if background is None:
        raise ImageError(f"{path} has transparent pixels. Pass the colour behind them as background.", "background")
    colour = _colour(background)
    grey = image.mode == "L" and len(set(colour)) == 1
    behind = Image.new("RGB", image.size, colour)
    behind.paste(image.convert("RGB"), mask=alpha)
    return behind.convert("L") if grey else behind


def _colour(text: str) -> tuple[int, int, int]:
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError:
        raise ImageError(
            f"Expected background to be a colour, such as white or #rrggbb. Received: {text!r}.", "background"
        ) from None


def _in_srgb(image: Image.Image, profile: bytes, path: str) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        _log.warning("%s: its colour profile cannot be used (%s); its colours are taken as sRGB", path, error)
        return image
    return converted.convert("L") if image.mode == "L" else converted
