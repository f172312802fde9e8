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


def measure(codec: lic.Codec, images: Sequence[np.ndarray], quality: float, repeats: int) -> Row:
    """Returns the row of a codec at a quality: means over images, and symbols a second over all of them."""
    bpp, decibels, symbols, kept, *seconds = np.sum([_figures(codec, image, quality, repeats) for image in images], 0)
    speeds = dict(zip(("encode", "decode", "range_encode", "range_decode"), symbols / np.array(seconds) / 1e6))
    shown = {name: f"{speed:.1f}" for name, speed in speeds.items()}
    limit, count = "none" if codec.skip_below is None else f"{codec.skip_below:g}", len(images)
    points = {"coded": f"{100 * kept / count:.1f}", "bpp": f"{bpp / count:.4f}", "psnr": f"{decibels / count:.3f}"}
    return {"quality": f"{quality:g}", "limit": limit, **points, **shown}


def _figures(codec: lic.Codec, image: np.ndarray, quality: float, repeats: int) -> tuple[float, ...]:
    """Returns bpp, PSNR, symbols, the share of the latent's numbers that are coded, and four times in seconds."""
    latent, stream = codec._latent(image), codec.compress(image, quality=quality)
    payload, graphs = Stream.parse(stream).payload, codec._graphs
    coded = graphs.encode(latent, quality)
    _, symbols, indexes = graphs.decode(payload, *latent.shape[:2], quality)
    encode = _least(repeats, lambda: graphs.encode(latent, quality))
    decode = _least(repeats, lambda: graphs.decode(payload, *latent.shape[:2], quality))
    alone = np.min([coder_seconds(codec._tables, coded.string, indexes) for _ in range(repeats)], 0)
    # Each number that is coded has a value and one for its escape. Side information is always coded.
    kept = (len(indexes) / 2 - (len(symbols) - latent.size)) / latent.size
    bpp = 8 * len(stream) / (image.shape[0] * image.shape[1])
    return bpp, psnr(image, codec.decompress(stream)), len(symbols), kept, encode, decode, *alone


def _least(repeats: int, call: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        tf.nest.map_structure(np.asarray, call())
        seconds.append(time.perf_counter() - began)
    return min(seconds)


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
    rows = [measure(codec, images, quality, given.repeats) for quality in given.quality for codec in codecs]
    print(table(rows, SHOWN))


if __name__ == "__main__":
    main()
