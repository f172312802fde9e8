"""Measuring one image with one codec at one quality: bytes, distortion, seconds and memory."""

from __future__ import annotations

import logging
import math
import pathlib
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from lic.codec.coder_timing import coder_times
from lic.evaluation.run.metrics import in_decibels, ms_ssim, psnr
from lic.evaluation.run.results import Row
from lic.images.arrays import coloured
from lic.models.distortion import LEAST_SIZE

_log = logging.getLogger(__name__)
CONVENTIONS = {
    "bytes": "the whole file or stream, headers included",
    "bpp": "8 * bytes / (height * width)",
    "psnr": "dB against the codec's peak, 255 for 8 bits, over all values of the decoded image, channels alike",
    "ms_ssim": "five scales, mean over the channels; ms_ssim_db is -10 log10(1 - ms_ssim)",
    "seconds": "wall clock from pixels to bytes and back; coder is the range coder alone, networks is all the rest",
    "peak_memory": "largest number of bytes resident in the whole process while it encoded and decoded",
}
LOSSLESS = "lossless: PSNR is infinite"
TOO_SMALL = f"too small for the five scales of MS-SSIM, which need {LEAST_SIZE}x{LEAST_SIZE} pixels"
_PROCESS = pathlib.Path("/proc/self")


class Compressor(Protocol):
    """Anything that can be measured: a `lic.Codec`, a classical codec, or any object with these two methods.

    One for images of other channels than 3, or of more than 8 bits, has `channels` and `bit_depth`, too.
    """

    def compress(self, image: np.ndarray, *, quality: float | None) -> bytes:
        """Returns the stream of an image, uint8 [height, width, 3] or [height, width]."""

    def decompress(self, stream: bytes) -> np.ndarray:
        """Returns the image of a stream."""


def measure(codec: Compressor, name: str, image: str, pixels: np.ndarray, quality: float | None = None) -> Row:
    """Compresses and decompresses an image, and returns its figures.

    Args:
      codec: The codec.
      name: Name of the codec in the row.
      image: Name of the image in the row.
      pixels: An image such as the codec takes, uint8 [height, width, 3] or [height, width] unless it has other channels
        or bits.
      quality: A quality of the codec; None if it has a single rate.

    Raises:
      ImageError: The codec cannot code the image, or the decoded image has another shape.
    """
    reset_peak_memory()
    stream, encode_seconds, encode_coder_seconds = _timed(lambda: codec.compress(pixels, quality=quality))
    decoded, decode_seconds, decode_coder_seconds = _timed(lambda: codec.decompress(stream))
    memory = peak_memory()
    bit_depth = getattr(codec, "bit_depth", 8)
    # Formats without grey, such as WebP, give three channels for a grey image, and all of them count.
    original = coloured(pixels) if pixels.ndim == 2 and decoded.ndim == 3 else pixels
    decibels, similarity = psnr(original, decoded, bit_depth), ms_ssim(original, decoded, bit_depth)
    notes = [LOSSLESS] * (decibels == math.inf) + [TOO_SMALL] * (similarity is None)
    height, width = pixels.shape[:2]
    return Row(
        codec=name,
        image=image,
        quality=quality,
        height=height,
        width=width,
        bytes=len(stream),
        bpp=8 * len(stream) / (height * width),
        psnr=_finite(decibels),
        ms_ssim=similarity,
        ms_ssim_db=_finite(in_decibels(similarity)),
        encode_seconds=encode_seconds,
        encode_coder_seconds=encode_coder_seconds,
        decode_seconds=decode_seconds,
        decode_coder_seconds=decode_coder_seconds,
        peak_memory=memory,
        notes="; ".join(notes),
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float | None]:
    """Returns the result of work, its seconds, and the seconds of the range coder, None if no range coder ran."""
    with coder_times() as collected:
        began = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - began
    coder = sum(each.seconds for each in collected) if collected else None
    return result, seconds - sum(each.measuring for each in collected), coder


def _finite(value: float | None) -> float | None:
    return None if value == math.inf else value


def reset_peak_memory() -> None:
    """Sets the peak to the memory that the process holds now; where the system forbids it, the peak stays."""
    try:
        # Linux resets VmHWM, the peak of resident memory, when a process writes 5 here (man 5 proc).
        (_PROCESS / "clear_refs").write_text("5")
    except OSError as error:
        _log.info("peak memory counts from the start of the process: %s", error)


def peak_memory() -> int | None:
    """Returns the peak of resident memory in bytes since `reset_peak_memory`, or None if the system has none."""
    try:
        status = (_PROCESS / "status").read_text()
    except OSError:
        return None
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024 * int(sizes[0]) if sizes else None
