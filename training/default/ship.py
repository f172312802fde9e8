"""Makes the codec file that ships from trained weights, and measures it over a folder of images.

    python training/default/ship.py --weights RUN/weights.npz --kodak FOLDER [--out FILE.codec]

Bytes are those of whole streams, PSNR is over RGB; the gain is that over the JPEG curve at the same bits per pixel.
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

import lic
from lic.models.tensors import set_tensors

# JPEG of Pillow with optimize=True, means over the 24 Kodak images: bits per pixel and PSNR.
JPEG = {
    0.2555: 26.672, 0.3587: 28.145, 0.4491: 29.145, 0.6101: 30.491, 0.7433: 31.422, 0.8692: 32.174,
    1.0049: 32.908, 1.2130: 33.917, 1.3443: 34.522, 1.5490: 35.370,
}  # fmt: skip


def measure(codec: lic.Codec, folder: pathlib.Path) -> None:
    """Prints a row for each image, and the means."""
    rows = []
    for file in sorted(folder.glob("*.png")):
        image = np.asarray(Image.open(file).convert("RGB"))
        stream = codec.compress(image)
        pixels = image.shape[0] * image.shape[1]
        error = np.mean((codec.decompress(stream) - image.astype(np.float64)) ** 2)
        estimated = sum(codec.estimate(image).values())
        rows.append((8 * len(stream) / pixels, 10 * np.log10(255**2 / error), 8 * len(stream) / estimated))
        print(f"{file.name}: {rows[-1][0]:.4f} bpp, {rows[-1][1]:.3f} dB, {rows[-1][2]:.4f} of the estimate")
    bpp, psnr, share = np.mean(rows, 0)
    jpeg = np.interp(np.log(bpp), np.log(list(JPEG)), list(JPEG.values()))
    print(f"mean: {bpp:.4f} bpp, {psnr:.3f} dB, {psnr - jpeg:+.3f} dB against JPEG, {share:.4f} of the estimate")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--kodak", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    model = lic.create_model("default")
    model.make_variables()
    with np.load(arguments.weights) as tensors:
        set_tensors(model, dict(tensors))
    codec = lic.Codec(model, stored="float16")
    if arguments.out:
        codec.save(arguments.out)
    measure(codec, arguments.kodak)


if __name__ == "__main__":
    main()
