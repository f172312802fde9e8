"""Measures rate, distortion and speed of a codec that skips numbers of small scales, beside one that codes all.

    python benchmarks/bench_skipping.py --images KODAK --quality 2 5 8 --skip-below 0.12 0.15 0.2

Seconds are those of the walk over the latent with its networks and the range coder, and of the range coder alone, each
the least of some calls. Let nothing else run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from document import table
from results import Row

import lic
from lic.codec.bitstream import Stream
from lic.entropy.range_coding.range_coder import coder_seconds
from lic.environment import tf
from lic.evaluation.run import psnr
from lic.images import image_files, read_image

SHOWN = {
    "quality": "quality",
    "limit": "`skip_below`",
    "coded": "numbers coded, %",
    "bpp": "bpp",
    "psnr": "PSNR, dB",
    "encode": "encode, million symbols a second",
    "decode": "decode",
    "range_encode": "range coder, encode",
    "range_decode": "decode",
}


def measure(codecs: Sequence[lic.Codec], images: Sequence[np.ndarray], quality: float, repeats: int) -> list[Row]:
    """Returns the row of each codec at a quality: means over images, and symbols a second over all of them."""
    sums = np.zeros((len(codecs), 8))
    for image in images:
        coded = [_Coded(codec, image, quality) for codec in codecs]
        # All codecs take turns, so that what else runs on the machine slows each of them.
        seconds = np.min([[each.seconds() for each in coded] for _ in range(repeats)], 0)
        sums += np.concatenate([[each.figures() for each in coded], seconds], 1)
    return [_row(codec, quality, each, len(images)) for codec, each in zip(codecs, sums)]


def _row(codec: lic.Codec, quality: float, sums: np.ndarray, count: int) -> Row:
    bpp, decibels, kept, symbols, *seconds = sums
    speeds = dict(zip(("encode", "decode", "range_encode", "range_decode"), symbols / np.array(seconds) / 1e6))
    shown = {name: f"{speed:.1f}" for name, speed in speeds.items()}
    limit = "none" if codec.skip_below is None else f"{codec.skip_below:g}"
    points = {"coded": f"{100 * kept / count:.1f}", "bpp": f"{bpp / count:.4f}", "psnr": f"{decibels / count:.3f}"}
    return {"quality": f"{quality:g}", "limit": limit, **points, **shown}


class _Coded:
    """An image that a codec has coded at a quality."""

    def __init__(self, codec: lic.Codec, image: np.ndarray, quality: float):
        self._codec, self._image, self._graphs = codec, image, codec._graphs
        self._latent, self._stream = codec._latent(image), codec.compress(image, quality=quality)
        self._encode = self._latent, quality
        self._decode = Stream.parse(self._stream).payload, *self._latent.shape[:2], quality
        self._coded = self._graphs.encode(*self._encode)
        _, self._symbols, self._cdfs = self._graphs.decode(*self._decode)

    def figures(self) -> list[float]:
        """Returns bpp, PSNR in dB, the share of the latent's numbers that are coded, and the number of symbols."""
        # Each number that is coded has a value and one for its escape. Side information is always coded.
        side = len(self._symbols) - self._latent.size
        kept = (len(self._cdfs.index) / 2 - side) / self._latent.size
        bpp = 8 * len(self._stream) / (self._image.shape[0] * self._image.shape[1])
        return [bpp, psnr(self._image, self._codec.decompress(self._stream)), kept, len(self._symbols)]

    def seconds(self) -> list[float]:
        """Returns the seconds of encoding and decoding the latent, and of the range coder alone in both."""
        times = [_seconds(self._graphs.encode, *self._encode), _seconds(self._graphs.decode, *self._decode)]
        return [*times, *coder_seconds(self._codec._tables, self._coded.string, self._cdfs)]


def _seconds(function: Callable, *arguments: Any) -> float:
    began = time.perf_counter()
    tf.nest.map_structure(np.asarray, function(*arguments))
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of all qualities and limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True, help="a folder of images")
    parser.add_argument("--every", type=int, default=1, help="takes one image in so many")
    parser.add_argument("--model", default="default", help="a codec that ships, or a codec file")
    parser.add_argument("--quality", type=float, nargs="+", default=[2, 5, 8])
    parser.add_argument("--skip-below", type=float, nargs="+", default=[0.12, 0.15, 0.2])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    images = [read_image(path) for path in image_files(given.images)[:: given.every]]
    model = lic.load(given.model).model
    codecs = [lic.Codec(model, stored="float16", skip_below=limit) for limit in (None, *given.skip_below)]
    print(table([row for each in given.quality for row in measure(codecs, images, each, given.repeats)], SHOWN))


if __name__ == "__main__":
    main()
