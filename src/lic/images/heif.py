"""HEIF, such as HEIC of telephones, with pillow-heif, which turns pictures upright."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from lic.images.boxes import of_heif
from lic.images.colour import TELEVISION, Colours, colours_of_code_points
from lic.images.extra import needed
from lic.images.picture import Picture, Request

_BRANDS = {b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1", b"msf1"}


def is_heif(head: bytes) -> bool:
    """Returns whether a file that begins with these 32 bytes is HEIF; AVIF, which is HEIF too, is Pillow's."""
    brands = {head[8:12], *(head[place : place + 4] for place in range(16, 32, 4))}
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS and not brands & {b"avif", b"avis"}


def size_of(file: BinaryIO, request: Request) -> tuple[int, int]:
    """Returns width and height."""
    return needed("pillow_heif", "HEIF", request).open_heif(file).size


def picture_of(file: BinaryIO, request: Request) -> Picture:
    """Returns the samples of a file.

    Raises:
      ImageError: Samples have more than 8 bits and that is not allowed, there are several images, or pillow-heif is
        not installed.
    """
    library = needed("pillow_heif", "HEIF", request)
    file.seek(0)
    data = file.read()
    declared = of_heif(data)
    images = library.open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    chosen = request.checked_frame(len(images))
    image = images[chosen]
    request.check_size(*image.size)
    bits = max(declared.bits, int(image.info.get("bit_depth", 8)))
    request.check_bits(bits)
    colours = colours_of_declared(declared.code_points, image.info.get("icc_profile"), request)
    samples = np.asarray(image)
    white = 255 if samples.dtype == np.uint8 else (1 << int(image.info["bit_depth"])) - 1
    channels = samples.shape[2] if samples.ndim == 3 else 1
    alpha = samples[..., -1] if channels in (2, 4) else None
    if channels in (2, 4):
        samples = samples[..., 0] if channels == 2 else samples[..., :3]
    premultiplied = image.mode.startswith(("RGBa", "La"))
    return Picture(samples, white, alpha, premultiplied, image.info.get("icc_profile"), colours)


def colours_of_declared(code_points: tuple[int, int] | None, profile: bytes | None, request: Request) -> Colours | None:
    """Returns the colours that code points of an AVIF or HEIF file declare, if there is no profile.

    Many encoders write television's code points for pictures that are sRGB, and viewers show them so.

    Raises:
      ImageError: The colours are of high dynamic range.
    """
    if code_points is None or profile:
        return None
    primaries, transfer = code_points
    try:
        return colours_of_code_points(primaries, 13 if transfer in TELEVISION else transfer)
    except ValueError as error:
        raise request.refused(str(error)) from None
