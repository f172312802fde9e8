"""Measuring one image with one codec at one quality."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from lic.codec.coder_timing import coder_seconds
from lic.evaluation.memory import peak_memory, reset_peak_memory
from lic.evaluation.metrics import in_decibels, ms_ssim, psnr
from lic.evaluation.row import Row
from lic.models.distortion import LEAST_SIZE

CONVENTIONS = {
    "bytes": "the whole file or stream, headers included",
    "bpp": "8 * bytes / (height * width)",
    "psnr": "dB against a peak of 255, over all numbers of the decoded 8-bit image: R, G and B alike, or grey",
    "ms_ssim": "five scales, mean over R, G and B; of 1 minus it, -10 log10 is ms_ssim_db",
    "seconds": "wall clock from pixels to bytes and back; coder is the range coder alone, networks all the rest",
    "peak_memory": "bytes resident in the whole process, at most, while it encoded and decoded",
}
LOSSLESS = "lossless: PSNR is infinite"
TOO_SMALL = f"too small for the five scales of MS-SSIM, which need {LEAST_SIZE}x{LEAST_SIZE} pixels"


class Compressor(Protocol):
    """What is measured: a `lic.Codec`, a classical codec, or anything with these two methods."""

    def compress(self, image: np.ndarray, *, quality: float | None) -> bytes:
        """Returns the stream of an image, uint8 [height, width, 3] or [height, width]."""

    def decompress(self, stream: bytes) -> np.ndarray:
        """Returns the image of a stream."""


def measure(codec: Compressor, name: str, image: str, pixels: np.ndarray, quality: float | None = None) -> Row:
    """Compresses and decompresses an image, and returns what came of it.

    Args:
      codec: The codec.
      name: Its name in the row.
      image: The image's name in the row.
      pixels: uint8 [height, width, 3] or [height, width].
      quality: One that the codec has; None where it has a single rate.

    Raises:
      ImageError: The codec cannot code the image, or decodes it in another shape.
    """
    reset_peak_memory()
    stream, encoding = _timed(lambda: codec.compress(pixels, quality=quality))
    decoded, decoding = _timed(lambda: codec.decompress(stream))
    memory = peak_memory()
    decibels, similarity = psnr(pixels, decoded), ms_ssim(pixels, decoded)
    notes = [LOSSLESS] * (decibels == math.inf) + [TOO_SMALL] * (similarity is None)
    height, width = pixels.shape[:2]
    return Row(
        *(name, image, quality, height, width, len(stream), 8 * len(stream) / (height * width)),
        *(_finite(decibels), similarity, _finite(in_decibels(similarity))),
        *(*encoding, *decoding, memory, "; ".join(notes)),
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float | None]]:
    """What work returns, its seconds, and those of range coders in it."""
    with coder_seconds() as collected:
        began = time.perf_counter()
        done = work()
        seconds = time.perf_counter() - began
    return done, (seconds, sum(collected) if collected else None)


def _finite(value: float | None) -> float | None:
    return None if value == math.inf else value
