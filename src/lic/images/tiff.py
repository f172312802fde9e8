"""TIFF with tifffile: whatever has not 8 bits or fewer, and what Pillow does not open."""

from __future__ import annotations

import io
import logging
from typing import Any, BinaryIO

import numpy as np

from lic.errors import ImageError
from lic.images.exif import upright
from lic.images.extra import needed
from lic.images.picture import Picture, Request

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLE_FORMAT, IMAGE_DEPTH = 258, 259, 262, 274, 339, 32997
WEBP = 50001  # A compression, which libtiff in Pillow lacks.
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _SEPARATED, _CIELAB = 0, 1, 2, 5, 8
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _SEPARATED: 4}
_PROFILE = 34675
_PREMULTIPLIED, _ALPHA = 1, 2
_SIGNED, _FLOAT, _COMPLEX = 2, (3, 6), 5


# Without a handler, what tifffile logs about a damaged file would go to the standard error.
_UNHEARD = logging.NullHandler()


def check_format(formats: tuple[int, ...], photometric: int, depth: int, request: Request) -> None:
    """Raises an ImageError if samples are not whole numbers from 0 on, or those of a volume.

    Args:
      formats: Values of the tag SampleFormat.
      photometric: Value of the tag PhotometricInterpretation.
      depth: Value of the tag ImageDepth.
      request: The request, which names the file.
    """
    if set(formats) & {*_FLOAT, _COMPLEX}:
        raise request.refused("its samples are floating-point numbers, so that black and white are not defined")
    if depth > 1:
        raise request.refused(f"it is a volume of {depth} images")
    if _SIGNED in formats and photometric != _CIELAB:
        raise request.refused("its samples are signed, so that black and white are not defined")


def size_of(file: BinaryIO, request: Request) -> tuple[int, int]:
    """Returns width and height of the first page."""
    file.seek(0)
    page = needed("tifffile", "a TIFF file that Pillow does not open", request).TiffFile(file).pages[0]
    return page.imagewidth, page.imagelength


def picture_of(file: BinaryIO, request: Request) -> Picture:
    """Returns the samples of a page.

    Raises:
      ImageError: The samples have no meaning as grey or colour of 8 bits, or of more if that is allowed.
    """
    library = needed("tifffile", "a TIFF file of other than 8 bits", request)
    needed("imagecodecs", "a TIFF file of other than 8 bits", request)
    logging.getLogger("tifffile").addHandler(_UNHEARD)
    file.seek(0)
    with library.TiffFile(file) as opened:
        page = opened.pages[request.checked_frame(len(opened.pages))]
        page = page.aspage() if hasattr(page, "aspage") else page
        request.check_size(page.imagewidth, page.imagelength)
        photometric = int(page.photometric)
        check_format((int(page.sampleformat or 1),), photometric, page.imagedepth, request)
        depths = page.bitspersample if isinstance(page.bitspersample, tuple) else (page.bitspersample,)
        request.check_bits(max(depths))
        if photometric not in _CHANNELS or len(set(depths)) > 1 or not (depths[0] <= 16 or depths[0] in (32, 64)):
            raise request.refused(f"samples of {max(depths)} bits with the photometric interpretation {photometric}")
        return _picture(page, photometric, depths[0], request)


def samples_of(file: BinaryIO, channels: int, request: Request) -> np.ndarray:
    """Returns the samples of a page as they are [height, width, channels], upright; or one channel from each page.

    Raises:
      ImageError: The file has other channels, or samples that are no whole numbers from 0 to 65535.
    """
    library = needed("tifffile", f"a TIFF file of {channels} channels", request)
    logging.getLogger("tifffile").addHandler(_UNHEARD)
    with library.TiffFile(file) as opened:
        pages = [page.aspage() if hasattr(page, "aspage") else page for page in opened.pages]
        pages = [page for page in pages if not page.is_reduced]  # Smaller copies of the image, for viewers.
        if request.frame is None and len(pages) == channels and all(page.samplesperpixel == 1 for page in pages):
            if len({page.shape for page in pages}) > 1:
                raise request.refused("its pages have different sizes")
            return np.concatenate([_samples(page, 1, request) for page in pages], -1)
        return _samples(pages[request.checked_frame(len(pages))], channels, request)


def _samples(page: Any, channels: int, request: Request) -> np.ndarray:
    photometric = int(page.photometric)
    check_format((int(page.sampleformat or 1),), photometric, page.imagedepth, request)
    request.check_size(page.imagewidth, page.imagelength)
    if page.samplesperpixel != channels:
        found = f"{page.samplesperpixel} channel{'s' * (page.samplesperpixel != 1)}"
        raise ImageError(f"{request.name} has {found}, the codec takes {channels}. Take a codec for as many.")
    depths = page.bitspersample if isinstance(page.bitspersample, tuple) else (page.bitspersample,)
    request.check_bits(max(depths))
    if photometric not in _CHANNELS or len(set(depths)) > 1:
        raise request.refused(f"samples of {max(depths)} bits with the photometric interpretation {photometric}")
    samples = page.asarray()
    samples = np.moveaxis(samples, 0, -1) if page.axes.startswith("S") else samples
    samples, white = _in_16_bits(samples.reshape(page.imagelength, page.imagewidth, channels), max(depths))
    samples = white - samples if photometric == _WHITE_IS_ZERO else samples
    if request.bits == 8 and white > 255:
        samples = np.rint(samples * (255 / white)).astype(np.uint8)
    orientation = int(page.tags[ORIENTATION].value) if ORIENTATION in page.tags else 1
    return np.ascontiguousarray(upright(samples, orientation))


def encoded(pixels: np.ndarray, request: Request) -> bytes:
    """Returns the TIFF file of samples of any channels.

    Args:
      pixels: uint8 or uint16 [height, width] or [height, width, channels].
      request: The request, which names the file.
    """
    library, file = needed("tifffile", "a TIFF file of many channels or 16 bits", request), io.BytesIO()
    kind = "rgb" if pixels.ndim == 3 and pixels.shape[2] == 3 else "minisblack"
    planes = {"planarconfig": "contig"} if pixels.ndim == 3 else {}
    library.imwrite(file, pixels, photometric=kind, compression="zlib", predictor=True, metadata=None, **planes)
    return file.getvalue()


def _picture(page: Any, photometric: int, bits: int, request: Request) -> Picture:
    samples = page.asarray()
    if page.axes.startswith("S"):
        samples = np.moveaxis(samples, 0, -1)
    samples = samples.reshape(page.imagelength, page.imagewidth, -1)
    channels = _CHANNELS[photometric]
    extra = [int(kind) for kind in page.extrasamples]
    if samples.shape[2] < channels or samples.dtype.kind not in "bu":
        raise request.refused(f"it holds {samples.dtype} of {samples.shape[2]} channels")
    if channels == 1 and extra.count(0) > 1:
        raise request.refused(f"it has {samples.shape[2]} channels, none of them colours")
    samples, white = _in_16_bits(samples, bits)
    alphas = [place for place, kind in enumerate(extra, channels) if kind in (_PREMULTIPLIED, _ALPHA)]
    alpha = samples[..., alphas[0]] if alphas else None
    premultiplied = bool(alphas) and extra[alphas[0] - channels] == _PREMULTIPLIED
    samples = samples[..., 0] if channels == 1 else samples[..., :channels]
    samples = white - samples if photometric == _WHITE_IS_ZERO else samples
    tags = page.tags
    profile = bytes(tags[_PROFILE].value) if _PROFILE in tags else None
    orientation = int(tags[ORIENTATION].value) if ORIENTATION in tags else 1
    return Picture(samples, white, alpha, premultiplied, profile, orientation=orientation)


def _in_16_bits(samples: np.ndarray, bits: int) -> tuple[np.ndarray, int]:
    """Returns samples of at most 16 bits, and their white."""
    if bits <= 16:
        return samples.astype(np.uint8 if bits <= 8 else np.uint16), (1 << bits) - 1
    return np.rint(samples * (65535 / ((1 << bits) - 1))).astype(np.uint16), 65535
