"""Classical codecs (JPEG, WebP, AVIF, JPEG 2000, JPEG XL) with the methods of `lic.Codec`, and with their settings."""

from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, features

from lic.argument_types import check_argument
from lic.errors import ImageError, RegistryError
from lic.registry import suggestion


class ClassicalCodec(NamedTuple):
    """A classical codec.

    Attributes:
      name: Name of the codec.
      settings: The settings of the encoder beside the quality, and its version.
      qualities: Qualities that sample its rate-distortion curve.
      bounds: The least and the largest quality that it takes.
      whole: Whether qualities are whole numbers.
      encode: Maps uint8 [height, width, 3] or [height, width] and a quality to bytes.
      decode: Maps bytes to such an image.
      available: Returns True if this machine has the codec.
    """

    name: str
    settings: str
    qualities: tuple[float, ...]
    bounds: tuple[float, float]
    whole: bool
    encode: Callable[[np.ndarray, float], bytes]
    decode: Callable[[bytes], np.ndarray]
    available: Callable[[], bool]

    def compress(self, image: np.ndarray, *, quality: float) -> bytes:
        """Returns the file of an image, uint8 [height, width, 3] or [height, width].

        Raises:
          ImageError: The codec does not have the quality, or cannot encode the image.
        """
        self.check_quality(quality)
        try:
            return self.encode(image, quality)
        except (OSError, ValueError, RuntimeError) as error:
            raise ImageError(f"{self.name} cannot encode {image.shape} at quality {quality}: {error}.") from error

    def check_quality(self, quality: float) -> None:
        """Raises an ImageError if the codec does not have a quality, and a ValueError if it is no number."""
        check_argument(self.name, "quality", quality, float)
        least, most = self.bounds
        if not least <= quality <= most:
            raise ImageError(f"{self.name}: expected quality from {least:g} to {most:g}. Received: {quality:g}.")
        if self.whole and quality != int(quality):
            raise ImageError(f"{self.name}: expected a whole number as quality. Received: {quality:g}.")

    def decompress(self, stream: bytes) -> np.ndarray:
        """Returns the image of a file."""
        return self.decode(stream)

    def __reduce__(self) -> tuple:
        """Pickles the name, because the functions cannot be pickled."""
        return classical_codec, (self.name,)


def classical_codec(name: str) -> ClassicalCodec:
    """Returns the classical codec with a name: jpeg, webp, avif, jpegxl or jpeg2000.

    Raises:
      RegistryError: No classical codec has the name, or this machine lacks it; the message names what to install.
    """
    if name not in CLASSICAL:
        raise RegistryError(f"There is no classical codec named {name!r}. {suggestion(name, CLASSICAL)}")
    codec = CLASSICAL[name]
    if not codec.available():
        raise RegistryError(
            f"{name} is missing here. Install what it needs, pip install 'keras-lic[eval]', or leave it out."
        )
    return codec


def _pillow(
    form: str,
    feature: str,
    qualities: tuple[float, ...],
    bounds: tuple[float, float] = (0, 100),
    argument: str = "quality",
    **options: object,
) -> ClassicalCodec:
    whole = argument == "quality"

    def encode(image: np.ndarray, quality: float) -> bytes:
        file = io.BytesIO()
        # JPEG 2000 takes a list of qualities, one for each layer of the file.
        value = int(quality) if whole else [quality]
        Image.fromarray(image).save(file, form, **{argument: value}, **options)
        return file.getvalue()

    def decode(stream: bytes) -> np.ndarray:
        image = Image.open(io.BytesIO(stream))
        return np.asarray(image if image.mode == "L" else image.convert("RGB"))

    settings = ", ".join(f"{name}={value!r}" for name, value in options.items())
    version = f"Pillow {Image.__version__}, {form}"
    return ClassicalCodec(
        form.lower(),
        f"{version}, {settings}",
        qualities,
        bounds,
        whole,
        encode,
        decode,
        lambda: features.check(feature),
    )


_JPEGXL_EFFORT = 7


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _encode_jpegxl(image: np.ndarray, quality: float) -> bytes:
    import imagecodecs

    return imagecodecs.jpegxl_encode(image, distance=quality, effort=_JPEGXL_EFFORT)


def _decode_jpegxl(stream: bytes) -> np.ndarray:
    import imagecodecs

    return imagecodecs.jpegxl_decode(stream)


def _has_jpegxl() -> bool:
    try:
        import imagecodecs
    except ImportError:
        return False
    return bool(imagecodecs.JPEGXL.available)


CLASSICAL = {
    "jpeg": _pillow("JPEG", "jpg", (5, 10, 15, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95), optimize=True),
    "webp": _pillow("WebP", "webp", (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95), method=6),
    "avif": _pillow("AVIF", "avif", (20, 35, 50, 60, 70, 80, 90), subsampling="4:4:4", speed=6),
    "jpeg2000": _pillow(
        "JPEG2000",
        "jpg_2000",
        (24, 26, 28, 30, 32, 34, 36, 38, 40),
        bounds=(1, 100),  # PSNR in dB.
        argument="quality_layers",
        quality_mode="dB",
        irreversible=True,
        mct=1,  # Without the colour transform R, G and B are coded apart, in about twice the bytes.
    ),
    "jpegxl": ClassicalCodec(
        "jpegxl",
        f"imagecodecs {_version_of('imagecodecs')}, effort={_JPEGXL_EFFORT}; the quality is the distance",
        (15, 10, 7, 5, 3.5, 2.5, 1.75, 1.2, 0.8),
        (0.01, 25),
        False,
        _encode_jpegxl,
        _decode_jpegxl,
        _has_jpegxl,
    ),
}
