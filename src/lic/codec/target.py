"""The quality that meets a target: the highest whose stream is small enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lic.codec.stream import QUALITY_STEPS
from lic.errors import LicError

STEP = 1 / QUALITY_STEPS


def highest_quality(encode: Callable[[float], bytes], qualities: Sequence[int], max_bytes: int) -> tuple[float, bytes]:
    """Returns the highest quality whose stream has at most `max_bytes`, and the stream.

    Streams are taken to grow with quality, so that some ten are made; of those made, the best that fits is returned.

    Args:
      encode: Makes the stream of a quality.
      qualities: The codec's qualities, rising.
      max_bytes: Bytes of the whole stream.

    Raises:
      LicError: There is one rate only, or the lowest quality's stream is larger.
    """
    if not qualities:
        raise LicError(
            "This codec has a single rate, so no quality can meet a number of bytes. "
            "Take one with several: train a model with a tuple as lmbda."
        )
    least, most = qualities[0], qualities[-1]
    stream = encode(least)
    if len(stream) > max_bytes:
        raise LicError(
            f"The image takes {len(stream)} bytes at the lowest quality, more than the {max_bytes} that are allowed. "
            "Allow more, or make the image smaller."
        )
    best, low, high = (float(least), stream), 0, round((most - least) / STEP) + 1
    while high - low > 1:
        middle = (low + high) // 2
        quality = least + middle * STEP
        stream = encode(quality)
        if len(stream) <= max_bytes:
            best, low = (quality, stream), middle
        else:
            high = middle
    return best
