"""JPEG 2000: depth and colours of the file, and samples that have not 8 bits. Source: ISO/IEC 15444-1."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from lic.images.boxes import boxes, inner
from lic.images.extra import needed
from lic.images.picture import Picture, Request

_CODESTREAM = b"\xff\x4f\xff\x51"
_ENUMERATED = {12: "CMYK", 16: "sRGB", 17: "grey", 18: "sYCC"}


class _Header(NamedTuple):
    codestream: bytes
    size: tuple[int, int]
    bits: set[int]
    signed: bool
    subsampled: bool
    enumerated: int | None
    profile: bytes | None
    palette: bool


def picture_of(image: Image.Image, file: BinaryIO, request: Request) -> Picture | None:
    """Returns the samples of a file that Pillow would not read right; None if it does, and its profile.

    Raises:
      ImageError: Samples have more than 8 bits, or no meaning here.
    """
    file.seek(0)
    data = file.read()
    header = _header_of(data)
    if header.signed:
        raise request.refused("its samples are signed, so that black and white are not defined")
    if header.enumerated is not None and header.enumerated not in _ENUMERATED:
        raise request.refused(
            f"its colour space has the number {header.enumerated} of JPEG 2000, which lic does not know"
        )
    request.check_size(*header.size)
    request.check_bits(max(header.bits))
    if header.profile:
        image.info["icc_profile"] = header.profile
    if header.bits == {8}:
        return None
    if (
        len(header.bits) > 1
        or header.palette
        or header.subsampled
        or header.enumerated in (12, 18)
        or image.mode not in _CHANNELS
    ):
        raise request.refused(f"channels of {sorted(header.bits)} bits in mode {image.mode!r} are not read")
    # Given the boxes too, imagecodecs would apply a profile.
    samples = needed("imagecodecs", "JPEG 2000 of other than 8 bits", request).jpeg2k_decode(header.codestream)
    return _picture(samples, (1 << max(header.bits)) - 1, header.profile, _CHANNELS[image.mode], request)


# Mode that Pillow opens a file in -> number of channels.
_CHANNELS = {"L": 1, "I;16": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def _picture(samples: np.ndarray, white: int, profile: bytes | None, channels: int, request: Request) -> Picture:
    found = samples.shape[2] if samples.ndim == 3 else 1
    if samples.dtype not in (np.uint8, np.uint16) or found != channels:
        raise request.refused(f"it holds {samples.dtype} of {found} channels")
    samples = samples.reshape(*samples.shape[:2], channels)
    alpha = samples[..., -1] if channels in (2, 4) else None
    samples = samples[..., 0] if channels < 3 else samples[..., :3]
    return Picture(samples, white, alpha, profile=profile)


def _header_of(data: bytes) -> _Header:
    codestream = data if data.startswith(_CODESTREAM) else inner(data, b"jp2c")
    (count,) = struct.unpack_from(">H", codestream, 40)
    depths = codestream[42 : 42 + 3 * count : 3]
    enumerated = profile = None
    header = inner(data, b"jp2h") if codestream is not data else b""
    kinds = list(boxes(header))
    for kind, contents in kinds:
        if kind == b"colr" and enumerated is None and profile is None:
            if contents[0] == 1:
                (enumerated,) = struct.unpack_from(">I", contents, 3)
            elif contents[0] in (2, 3):
                profile = contents[3:]
    bits = {1 + (depth & 127) for depth in depths}
    right, bottom, left, top = struct.unpack_from(">4I", codestream, 8)
    size = right - left, bottom - top
    palette = any(kind == b"pclr" for kind, _ in kinds)
    signed = any(depth & 128 for depth in depths)
    steps = codestream[43 : 42 + 3 * count : 3] + codestream[44 : 42 + 3 * count : 3]
    return _Header(codestream, size, bits, signed, set(steps) != {1}, enumerated, profile, palette)
