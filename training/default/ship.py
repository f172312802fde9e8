"""Makes the codec file that ships from a training, and measures it.

    lic train --recipe default --data PHOTOGRAPHS --out RUN
    python training/default/ship.py --run RUN --kodak KODAK --out src/lic/models/weights/default.codec

With `--keep FOLDER` the last checkpoint goes there with all that `lic train --out FOLDER` needs to go on from it.
Bytes are those of whole streams, PSNR is over RGB and the mean over the images, BD-rates are by piecewise cubic
interpolation (the package `bjontegaard`, in the extra `test`). The tables are those of the model card.
"""

import argparse
import io
import os
import pathlib
import shutil
import statistics
import time
import warnings
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import bjontegaard
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import lic
from lic.demo import describe, jpeg_of_size

# Pillow over the 24 Kodak images: bits per pixel -> PSNR. JPEG with optimize=True, WebP with method=6, AVIF 4:4:4.
CLASSICAL = {
    "JPEG": {
        0.1408: 23.852, 0.2555: 26.672, 0.3587: 28.145, 0.4491: 29.145, 0.6101: 30.491, 0.7433: 31.422, 0.8692: 32.174,
        1.0049: 32.908, 1.2130: 33.917, 1.3443: 34.522, 1.5490: 35.370, 1.8356: 36.462, 2.3154: 38.034, 3.3061: 40.560,
    },
    "WebP": {
        0.1545: 26.981, 0.2174: 28.109, 0.2744: 28.932, 0.3775: 30.194, 0.4762: 31.228, 0.5772: 32.202, 0.6727: 33.009,
        0.7687: 33.732, 0.8773: 34.481, 1.1543: 36.184, 1.9297: 39.446, 2.7982: 41.660,
    },
    "AVIF": {
        0.1681: 28.238, 0.3172: 30.536, 0.6165: 33.537, 0.9156: 35.594, 1.2824: 37.673, 1.7029: 39.438, 2.6067: 42.292,
    },
}  # fmt: skip
TEXT = "Sphinx of black quartz, judge my vow: 0123456789, twelve boxing wizards jump quickly over the lazy dog."


def pictures(folder: pathlib.Path) -> Iterator[np.ndarray]:
    """Yields the images of a folder."""
    for file in sorted(folder.glob("*.png")):
        yield np.asarray(Image.open(file).convert("RGB"))


def text_page() -> np.ndarray:
    """Returns a page of small black text on white, 768x512."""
    page = Image.new("RGB", (768, 512), "white")
    for line in range(32):
        ImageDraw.Draw(page).text((8, 16 * line), TEXT[line:] + TEXT[:line], "black", ImageFont.load_default(13))
    return np.asarray(page)


def psnr(image: np.ndarray, decoded: np.ndarray) -> float:
    """Returns the PSNR in dB of two images on 0..255."""
    return 10 * np.log10(255**2 / np.mean((image - decoded.astype(np.float64)) ** 2))


def measure(codec: lic.Codec, image: np.ndarray, quality: float) -> tuple[float, float, float, float, float]:
    """Returns bits per pixel, PSNR, coded bits over estimated bits, seconds to compress, seconds to decompress."""
    times = [time.perf_counter()]
    stream = codec.compress(image, quality=quality)
    times.append(time.perf_counter())
    decoded = codec.decompress(stream)
    times.append(time.perf_counter())
    estimated = sum(codec.estimate(image, quality=quality).values())
    return 8 * len(stream) / image[..., 0].size, psnr(image, decoded), 8 * len(stream) / estimated, *np.diff(times)


def bd_rate(anchor: list[tuple[float, float]], curve: list[tuple[float, float]]) -> float:
    """Returns the change of rate in percent at equal PSNR, of curves of (bits per pixel, dB)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The classical curves reach further at both ends.
        return bjontegaard.bd_rate(*zip(*anchor), *zip(*curve), method="pchip", require_matching_points=False)


def report(codec: lic.Codec, folder: pathlib.Path) -> None:
    """Prints what the codec does over a folder of images, at each quality."""
    codec.decompress(codec.compress(next(pictures(folder))))
    curve, seconds = [], []
    print("| quality | bpp | PSNR, dB | over JPEG, dB | over WebP, dB | bytes / estimate |\n|---|---|---|---|---|---|")
    for quality in codec.qualities:
        rows = np.array([measure(codec, image, quality) for image in pictures(folder)])
        bpp, decibels = np.mean(rows[:, :2], 0)
        curve.append((bpp, decibels))
        seconds += rows[:, 3:].tolist()
        gains = [
            f"{decibels - np.interp(np.log(bpp), np.log(list(other)), list(other.values())):+.2f}"
            for other in (CLASSICAL["JPEG"], CLASSICAL["WebP"])
        ]
        shares = f"{rows[:, 2].min():.4f} to {rows[:, 2].max():.4f}"
        print(f"| {quality} | {bpp:.4f} | {decibels:.3f} | {' | '.join(gains)} | {shares} |", flush=True)
    for name, other in CLASSICAL.items():
        print(f"BD-rate against {name}: {bd_rate(list(other.items()), curve):+.2f} %")
    print("median seconds to compress and decompress:", *(f"{statistics.median(each):.3f}" for each in zip(*seconds)))


def keep(run: pathlib.Path, folder: pathlib.Path) -> None:
    """Copies a run with its last checkpoint, whose numbers are rounded so that they compress to half of their size."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    for name in ("run.json", "data.txt", "metrics.jsonl"):
        shutil.copyfile(run / name, folder / name)
    last = max((run / "checkpoints").glob("step-*.npz"))
    with np.load(last) as arrays:
        state = {
            name: rounded(array, 6 if "moment" in name or "veloc" in name else 10) for name, array in arrays.items()
        }
    np.savez_compressed(folder / "checkpoints" / last.name, **state)


def rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """Returns an array whose float32 numbers keep so many bits of their fraction."""
    if array.dtype != np.float32:
        return array
    unit = np.uint64(1 << (23 - bits))
    return ((array.view(np.uint32) + unit // 2) // unit * unit).astype(np.uint32).view(np.float32)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--kodak", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.keep:
        keep(arguments.run, arguments.keep)
    codec = lic.Codec(lic.load(arguments.run / "final.codec").model, stored="float16")
    codec.save(arguments.out)
    report(codec, arguments.kodak)
    page = text_page()
    stream = codec.compress(page)
    jpeg = jpeg_of_size(page, len(stream))[1]
    print(describe("page of text", stream, page, codec.decompress(stream)))
    print(describe("JPEG", jpeg, page, np.asarray(Image.open(io.BytesIO(jpeg)))))


if __name__ == "__main__":
    main()
