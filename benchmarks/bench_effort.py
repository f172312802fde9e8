"""Measures the seconds that effort takes when encoding, and the bytes that it saves at equal PSNR, for each image.

    python benchmarks/bench_effort.py --images KODAK --effort 5
    python benchmarks/bench_effort.py --images KODAK --effort 1 2 3 4 6 7 --every 4

Each row is appended to the CSV file at once. Images and efforts that the file holds are not measured again.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import results
from effort import COLUMNS, FOLDER, SHOWN, means
from results import Row
from suite import machine_name
from tasks import RESULTS, Parser, count

import lic
from lic.images import image_files, read_image
from lic.images.arrays import coloured

if TYPE_CHECKING:
    from lic.codec.codec import Codec

REACH, STEP = 0.75, 0.25  # Qualities around the one that is refined, from which bytes at equal PSNR are interpolated.


class Point(NamedTuple):
    """The bytes of a stream, and the PSNR in dB of its image."""

    bytes: int
    psnr: float


def measure(
    codec: Codec, image: np.ndarray, quality: float, efforts: Sequence[int]
) -> Iterator[tuple[int, float, Point, float]]:
    """Yields for each effort the seconds, the point, and the bytes that effort 0 takes at the same PSNR."""
    least, most = codec.qualities[0], codec.qualities[-1]
    near = np.clip(np.arange(quality - REACH, quality + REACH + STEP, STEP), least, most)
    plain = sorted({point(codec, image, codec.compress(image, quality=float(each))) for each in near})
    for effort in efforts:
        began = time.perf_counter()
        stream = codec.compress(image, quality=quality, effort=effort)
        seconds, refined = time.perf_counter() - began, point(codec, image, stream)
        yield effort, seconds, refined, bytes_at(plain, refined.psnr)


def point(codec: Codec, image: np.ndarray, stream: bytes) -> Point:
    """Returns the point of a stream of an image."""
    from lic.evaluation.run import psnr

    return Point(len(stream), psnr(image, codec.decompress(stream)))


def bytes_at(points: Sequence[Point], psnr: float) -> float:
    """Returns the bytes at a PSNR, whose logarithm is interpolated linearly between points.

    Raises:
      ValueError: The PSNR lies beyond all points.
    """
    sizes, decibels = zip(*points)
    if not min(decibels) <= psnr <= max(decibels):
        raise ValueError(f"{psnr:.3f} dB lies beyond the {min(decibels):.3f} to {max(decibels):.3f} dB of effort 0.")
    return float(np.exp(np.interp(psnr, decibels, np.log(sizes))))


def record(options: argparse.Namespace) -> Iterator[Row]:
    """Measures the images and efforts that the file does not hold yet, and yields their rows."""
    results.check_appendable(options.out, COLUMNS)
    codec = lic.load(options.model)
    common = {"codec": codec.fingerprint.hex(), "quality": f"{options.quality:g}"}
    done = {row_key(row) for row in results.read(options.out, COLUMNS)} if options.out.exists() else set()
    for path in image_files(options.images)[:: options.every]:
        common["image"] = path.name
        wanted = [each for each in options.effort if row_key(common | {"effort": str(each)}) not in done]
        if not wanted:
            continue
        image = coloured(read_image(path))
        for effort, seconds, refined, plain in measure(codec, image, options.quality, wanted):
            figures = {"seconds": f"{seconds:.4g}", "bytes": str(refined.bytes), "psnr": f"{refined.psnr:.4f}"}
            saved = {"bytes_at_equal_psnr": f"{plain:.1f}", "saved": f"{1 - refined.bytes / plain:.5f}"}
            machine = {name: value for name, value in results.machine_columns().items() if name in COLUMNS}
            row = machine | common | {"effort": str(effort)} | figures | saved
            results.append(options.out, [row], COLUMNS)
            yield row


def row_key(row: Row) -> tuple[str, ...]:
    """Returns the key of a measurement: two rows of one key measure the same."""
    return tuple(row[name] for name in ("codec", "quality", "image", "effort"))


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints a line for each effort."""
    parser = Parser(prog="bench_effort", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=pathlib.Path, required=True, metavar="FOLDER", help="folder of photographs")
    parser.add_argument("--effort", type=count, nargs="+", default=[5], metavar="N", help="efforts over 0 (5)")
    parser.add_argument("--model", default="default", help="a name or a codec file (default)")
    parser.add_argument("--quality", type=float, default=4.0, help="the quality that is refined (4)")
    parser.add_argument("--every", type=count, default=1, metavar="N", help="take each N-th image only (1)")
    default = RESULTS / FOLDER / f"{machine_name()}.csv"
    parser.add_argument("--out", type=pathlib.Path, default=default, metavar="CSV", help="rows are appended to it")
    options = parser.parse_args(arguments)
    try:
        for row in record(options):
            print(f"{row['image']} effort {row['effort']}: {row['saved']} in {row['seconds']} s", file=sys.stderr)
        print(results.table(means(results.read(options.out, COLUMNS)), tuple(SHOWN)))
    except (lic.LicError, OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
