"""Makes the codec file that ships from a training, and prints the figures of the model card on a page of text.

lic train --preset default --data PHOTOGRAPHS --out RUN
python training/default/ship.py --run RUN --photographs PHOTOGRAPHS --out src/lic/models/weights/default.codec
lic eval KODAK --model default --codec jpeg webp avif jpegxl jpeg2000 --out RESULTS
"""

import argparse
import io
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import lic
from lic.evaluation.inspect.pictures import beside_jpeg
from lic.images import image_files, read_image

TEXT = "Sphinx of black quartz, judge my vow: 0123456789, twelve boxing wizards jump quickly over the lazy dog."


def text_page() -> np.ndarray:
    """Returns a page of small black text on white, uint8 [512, 768, 3]."""
    page = Image.new("RGB", (768, 512), "white")
    for line in range(32):
        ImageDraw.Draw(page).text((8, 16 * line), TEXT[line:] + TEXT[:line], "black", ImageFont.load_default(13))
    return np.asarray(page)


def calibration(folder: pathlib.Path) -> list[np.ndarray]:
    """Returns about a dozen photographs from all over a folder, uint8, each cut to at most 512x768."""
    paths = image_files(folder)
    return [read_image(path)[:512, :768] for path in paths[:: max(1, len(paths) // 12)]]


def main() -> None:
    """Makes the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--photographs", type=pathlib.Path, required=True, help="some of them calibrate the networks")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    model, photographs = lic.load(arguments.run / "final.codec").model, calibration(arguments.photographs)
    codec = lic.Codec(model, stored="float16", deterministic=True, calibration=photographs)
    codec.save(arguments.out)
    page = text_page()
    stream = codec.compress(page)
    _, ours, jpeg = beside_jpeg(page, stream, codec.decompress(stream))
    print(f"page of text: {ours.figures}; {jpeg.name}: {jpeg.figures}")
    png = io.BytesIO()
    Image.fromarray(page).save(png, "PNG", optimize=True)
    print(f"PNG: {len(png.getvalue()):,} bytes")


if __name__ == "__main__":
    main()
