"""Makes the codec file that ships from a trained model, and prints figures of the model card.

lic import OUT/weights.safetensors next.codec
python training/default/ship.py --model next.codec --calibration PHOTOGRAPHS --out src/lic/models/weights/default.codec
python training/default/ship.py --figures PHOTOGRAPHS
lic eval KODAK --model default --codec jpeg webp avif jpegxl jpeg2000 --out RESULTS
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import lic
from lic.evaluation.run import psnr
from lic.evaluation.run.classical import classical_codec
from lic.images import image_files, read_image
from lic.images.arrays import coloured

TEXT = "Sphinx of black quartz, judge my vow: 0123456789, twelve boxing wizards jump quickly over the lazy dog."
MEGAPIXELS = 4  # Larger photographs are measured at a quarter of their sides.


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


def photographs(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the photographs of a folder by name, uint8, grey ones without channels; large ones are made smaller."""
    images = {}
    for path in image_files(folder):
        image = Image.fromarray(read_image(path))
        if image.width * image.height > 1e6 * MEGAPIXELS:
            image = image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS)
        images[path.name] = np.asarray(image)
    return images


def above(codec: lic.Codec, image: np.ndarray, other: str) -> list[float]:
    """Returns how many dB the codec's PSNR is above that of a classical codec at equal bytes, for each quality.

    The other's PSNR lies on straight lines between its qualities, over the logarithm of bytes.
    """
    classical, points = classical_codec(other), []
    for quality in range(1, 101, 3):
        stream = classical.compress(image, quality=quality)
        points.append((len(stream), psnr(coloured(image), coloured(classical.decompress(stream)))))  # WebP has no grey.
    sizes, values = np.array(sorted(points)).T
    streams = [codec.compress(image, quality=quality) for quality in codec.qualities]
    expected = np.interp(np.log([len(stream) for stream in streams]), np.log(sizes), values)
    return [psnr(image, codec.decompress(stream)) - value for stream, value in zip(streams, expected)]


def main() -> None:
    """Makes the file that the command line names, or prints the figures of the one that ships."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, help="the codec file of a training")
    parser.add_argument("--calibration", type=pathlib.Path, help="photographs that calibrate the exact networks")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--figures", type=pathlib.Path, help="photographs to measure against WebP")
    arguments = parser.parse_args()
    if arguments.model and not (arguments.calibration and arguments.out):
        parser.error("--model needs --calibration, the photographs that calibrate, and --out, the file to write.")
    if arguments.model:
        images = calibration(arguments.calibration)
        model = lic.load(arguments.model).model
        lic.Codec(model, stored="float16", deterministic=True, calibration=images).save(arguments.out)
    if arguments.figures:
        codec = lic.load("default")
        images = {"page of text": text_page(), **photographs(arguments.figures)}
        for name, image in images.items():
            other = "jpeg" if name == "page of text" else "webp"
            values = " ".join(f"{value:+.2f}" for value in above(codec, image, other))
            print(f"{name}: over {other} by {values} dB at the qualities 1 to 8")


if __name__ == "__main__":
    main()
