"""`make demo`: the sample photograph through the codec `default`, beside JPEG at the same size."""

from __future__ import annotations

import importlib.resources
import io
import logging
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lic.codec.codec import load
from lic.codec.images import read_image, write_image
from lic.evaluation.metrics import psnr

_log = logging.getLogger("lic.demo")
CROP = (130, 60, 322, 188)  # left, top, right, bottom of what is drawn large
MARGIN, LABEL = 12, 34


def main(out: str = "demo.png") -> None:
    """Compresses and decodes the sample, says what came of it, and draws it."""
    with importlib.resources.as_file(importlib.resources.files("lic.models") / "sample" / "dandelion.png") as path:
        image = read_image(path)
    codec = load("default")
    stream = codec.compress(image)
    decoded = codec.decompress(stream)
    quality, jpeg = jpeg_of_size(image, len(stream))
    jpeg_decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
    lines = [
        describe("lic default", stream, image, decoded),
        describe(f"JPEG quality {quality}", jpeg, image, jpeg_decoded),
    ]
    _log.info("dandelion.png, %dx%d pixels\n%s", image.shape[1], image.shape[0], "\n".join(lines))
    write_image(out, draw([("original", image), (lines[0], decoded), (lines[1], jpeg_decoded)]))
    _log.info("Side by side: %s", os.path.abspath(out))


def jpeg_of_size(image: np.ndarray, size: int) -> tuple[int, bytes]:
    """Returns the best JPEG that has at most `size` bytes, or the smallest one, and its quality."""
    best = (1, _jpeg(image, 1))
    for quality in range(2, 96):
        data = _jpeg(image, quality)
        if len(data) > size:
            break
        best = (quality, data)
    return best


def describe(name: str, data: bytes, image: np.ndarray, decoded: np.ndarray) -> str:
    """Returns bytes, bits per pixel and PSNR as one line."""
    return f"{name}: {len(data):,} bytes, {8 * len(data) / image[..., 0].size:.3f} bpp, {psnr(image, decoded):.2f} dB"


def draw(pictures: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Draws labelled pictures side by side, and a crop of each below, as wide as the picture."""
    left, top, right, bottom = CROP
    height, width = pictures[0][1].shape[:2]
    zoom = width // (right - left)
    sheet_height = LABEL + height + MARGIN + zoom * (bottom - top) + MARGIN
    sheet = Image.new("RGB", (len(pictures) * (width + MARGIN) + MARGIN, sheet_height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (label, pixels) in enumerate(pictures):
        x, picture = MARGIN + number * (width + MARGIN), Image.fromarray(pixels)
        pen.text((x, 5), label, "black", ImageFont.load_default(22))
        sheet.paste(picture, (x, LABEL))
        pen.rectangle((x + left, LABEL + top, x + right, LABEL + bottom), outline="white", width=2)
        size = (zoom * (right - left), zoom * (bottom - top))
        sheet.paste(picture.crop(CROP).resize(size, Image.Resampling.NEAREST), (x, LABEL + height + MARGIN))
    return np.asarray(sheet)


def _jpeg(image: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stdout)
    _log.setLevel(logging.INFO)
    main(*sys.argv[1:])
