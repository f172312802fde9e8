"""The search for a rate: the highest quality whose stream is small enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lic.codec.bitstream import QUALITY_STEPS
from lic.errors import LicError

STEP = 1 / QUALITY_STEPS
SPENT = 0.996  # The share of the bytes that a higher quality gets, since refinement may save a little less there.

Progress = Callable[[float], None] | None


def highest_quality(
    encode: Callable[[float], bytes],
    qualities: Sequence[int],
    max_bytes: int,
    is_map: bool = False,
    known: tuple[float, bytes] | None = None,
) -> tuple[float, bytes]:
    """Returns the highest quality whose stream has at most `max_bytes`, and the stream.

    The search is a bisection, which encodes some ten times. If sizes do not rise with quality throughout, the result is
    the best stream that was made and fits.

    Args:
      encode: Makes the stream of a quality.
      qualities: The codec's qualities, rising.
      max_bytes: Bytes of the whole stream.
      is_map: Whether the quality is the lowest of a map, for the message.
      known: A quality whose stream is small enough, and this stream, at which the search begins.

    Raises:
      LicError: The lowest quality's stream is larger.
    """
    least, most = qualities[0], qualities[-1]
    quality, stream = known or (float(least), encode(least))
    if len(stream) > max_bytes:
        advice = "give a map of smaller differences" if is_map else "make the image smaller"
        raise LicError(
            f"The image takes {len(stream)} bytes at the lowest quality{', with the differences of the map' * is_map}, "
            f"more than the {max_bytes} that are allowed. Allow more, or {advice}."
        )
    best, low, high = (quality, stream), round((quality - least) / STEP), round((most - least) / STEP) + 1
    # In steps from the lowest quality: `low` fits, and `high` does not fit or lies above the highest quality.
    while high - low > 1:
        middle = (low + high) // 2
        quality = least + middle * STEP
        stream = encode(quality)
        if len(stream) <= max_bytes:
            best, low = (quality, stream), middle
        else:
            high = middle
    return best


def refine_to_size(
    encode: Callable[[float], bytes],
    refine: Callable[..., bytes],
    qualities: Sequence[int],
    max_bytes: int,
    quality: float,
    stream: bytes,
    progress: Progress = None,
) -> bytes:
    """Returns a refined stream of at most `max_bytes`: the bytes that refinement saves are spent on quality.

    Args:
      encode: Makes the stream of a quality.
      refine: Makes the refined stream from a quality and its stream, and calls `progress` meanwhile.
      qualities: The codec's qualities, rising.
      max_bytes: Bytes of the whole stream.
      quality: The highest quality whose stream is small enough without refinement.
      stream: That stream.
      progress: Called with the completed fraction, 0 to 1.
    """
    refined = refine(quality, stream, progress=_half(progress, 0.0))
    if len(refined) >= len(stream):
        if progress:
            progress(1.0)
        return refined if len(refined) <= max_bytes else stream
    # At a slightly higher quality, refinement saves about the same share.
    allowed = max(int(SPENT * max_bytes * len(stream) / len(refined)), len(stream))
    higher = highest_quality(encode, qualities, allowed, known=(quality, stream))
    if higher[0] == quality:  # The codec has no higher quality, or its stream is too large.
        if progress:
            progress(1.0)
        return refined
    spent = refine(*higher, progress=_half(progress, 0.5))
    return spent if len(spent) <= max_bytes else refined


def _half(progress: Progress, start: float) -> Progress:
    """Returns a function that reports the progress of one half, which begins at the fraction `start`."""
    return (lambda share: progress(start + share / 2)) if progress else None
