"""Measures regions of interest: PSNR inside and outside of a region, beside one quality for the whole image.

    python benchmarks/bench_regions.py --images KODAK --figure docs/regions.png

Both streams have the same number of bytes: the one with a quality map, and the one of the highest quality that takes no
more. Regions are boxes around what one would look at in four images of Kodak, and in the photograph that ships.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from document import table
from results import Row

import lic
from lic.codec import Stream
from lic.evaluation.plots.theme import new_figure, theme
from lic.evaluation.run import psnr
from lic.images import read_image, sample_image

# Top, left, height and width in pixels.
REGIONS = {
    "kodim04": (200, 100, 360, 330),
    "kodim15": (40, 360, 400, 350),
    "kodim20": (180, 70, 210, 510),
    "kodim23": (100, 390, 220, 250),
}
SAMPLE = (80, 110, 170, 200)
SHOWN = {
    "image": "image",
    "share": "region, % of the pixels",
    "bytes": "bytes",
    "map_bytes": "bytes of the map",
    "quality": "one quality of as many bytes",
    "inside": "inside, dB",
    "inside_uniform": "inside with one quality",
    "outside": "outside, dB",
    "outside_uniform": "outside with one quality",
}


class Pair(NamedTuple):
    """An image, coded with a map and with one quality."""

    region: bytes
    uniform: bytes
    decoded: np.ndarray
    decoded_uniform: np.ndarray


def pair(codec: lic.Codec, image: np.ndarray, box: tuple[int, ...], background: float, quality: float) -> Pair:
    """Returns both streams of an image, and what they decode to."""
    region = codec.compress(image, quality={"background": background, "boxes": [(*box, quality)]})
    uniform = codec.compress_to(image, len(region))
    return Pair(region, uniform, codec.decompress(region), codec.decompress(uniform))


def measure(name: str, image: np.ndarray, box: tuple[int, ...], coded: Pair) -> Row:
    """Returns the row of an image."""
    top, left, height, width = box
    inside = np.zeros(image.shape[:2], bool)
    inside[top : top + height, left : left + width] = True
    parsed, uniform = Stream.parse(coded.region), Stream.parse(coded.uniform)

    def at(decoded: np.ndarray, where: np.ndarray) -> str:
        return f"{psnr(image[where][None], decoded[where][None]):.2f}"

    return {
        "image": name,
        "share": f"{100 * inside.mean():.0f}",
        "bytes": f"{len(coded.region):,}",
        "map_bytes": f"{len(parsed.quality_map)}",
        "quality": f"{uniform.quality:.2f}",
        "inside": at(coded.decoded, inside),
        "inside_uniform": at(coded.decoded_uniform, inside),
        "outside": at(coded.decoded, ~inside),
        "outside_uniform": at(coded.decoded_uniform, ~inside),
    }


def draw(path: pathlib.Path, image: np.ndarray, box: tuple[int, ...], coded: Pair) -> None:
    """Draws the whole image and the region of both streams."""
    from matplotlib.patches import Rectangle

    top, left, height, width = box
    columns = [
        ("original", image),
        (f"region at a higher quality, {len(coded.region):,} bytes", coded.decoded),
        (f"one quality, {len(coded.uniform):,} bytes", coded.decoded_uniform),
    ]
    with theme():
        figure = new_figure(13.2, 7.0, dpi=75)
        axes = figure.subplots(2, len(columns), height_ratios=(image.shape[0] / image.shape[1], height / width))
        for (whole, enlarged), (title, pixels) in zip(axes.T, columns):
            whole.imshow(pixels)
            whole.set_title(title, fontsize=11)
            whole.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor="white", linewidth=1.5))
            enlarged.imshow(pixels[top : top + height, left : left + width])
        for each in axes.flat:
            each.set_xticks([])
            each.set_yticks([])
        figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of all images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=pathlib.Path, help="the folder of Kodak's images")
    parser.add_argument("--model", default="default", help="a codec of several qualities that ships, or a codec file")
    parser.add_argument("--background", type=float, default=2, help="quality outside of the region")
    parser.add_argument("--quality", type=float, default=6, help="quality inside")
    parser.add_argument("--figure", type=pathlib.Path, help="draws the photograph that ships")
    given = parser.parse_args(arguments)
    codec, rows = lic.load(given.model), []
    pictures = [("the sample", sample_image(), SAMPLE)]
    if given.images:
        found = [(name, read_image(given.images / f"{name}.png"), box) for name, box in REGIONS.items()]
        pictures = [*found, *pictures]
    for name, image, box in pictures:
        coded = pair(codec, image, box, given.background, given.quality)
        rows.append(measure(name, image, box, coded))
    print(table(rows, SHOWN))
    if given.figure:
        draw(given.figure, image, box, coded)


if __name__ == "__main__":
    main()
