"""`make demo`: the sample photograph through the codec `default`, beside JPEG at the same size."""

from __future__ import annotations

import logging
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lic.codec.codec import load
from lic.evaluation.inspect.pictures import beside_jpeg
from lic.images import sample_image, write_image

_log = logging.getLogger("lic.cli.demo")
CROP = (130, 60, 322, 188)  # Left, top, right and bottom of the enlarged crop.
MARGIN, LABEL = 12, 34


def main(out: str = "demo.png") -> None:
    """Compresses and decodes the sample, logs bytes and PSNR, and draws the images side by side.

    Args:
      out: The image file to write.
    """
    image = sample_image()
    codec = load("default")
    stream = codec.compress(image)
    _, ours, jpeg = beside_jpeg(image, stream, codec.decompress(stream))
    lines = [f"lic default: {ours.figures}", f"{jpeg.name}: {jpeg.figures}"]
    _log.info("dandelion.png, %dx%d pixels\n%s", image.shape[1], image.shape[0], "\n".join(lines))
    write_image(out, draw([("original", image), (lines[0], ours.pixels), (lines[1], jpeg.pixels)]))
    _log.info("Side by side: %s", os.path.abspath(out))


def draw(pictures: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Returns an image of labelled pictures side by side, with an enlarged crop below each, as wide as the picture.

    Args:
      pictures: Label and pixels, uint8 [height, width, 3], of each picture; all have one size.
    """
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


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stdout)
    _log.setLevel(logging.INFO)
    main(*sys.argv[1:])
