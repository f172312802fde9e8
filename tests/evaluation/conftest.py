"""Evaluations with curves that are known, and what there is to see of an image, made up without any codec."""

import numpy as np
import pytest

from lic.evaluation.bit_map import BitMap
from lic.evaluation.pictures import Picture, decoded_picture
from lic.evaluation.results import Results
from lic.evaluation.row import Row
from lic.evaluation.show import Box, Shown
from tests.conftest import random_images

DECIBELS = (28.0, 31.0, 33.5, 35.8, 37.5)
RATES = (0.1, 0.25, 0.5, 0.9, 1.4)
IMAGES = ("a.png", "b.png")


def rows(codec, factor=1.0, points=5, seconds=(0.2, 0.1), similarity=True):
    """Rows of a codec that needs `factor` times the rate, over images of 400 x 500 pixels, a fifth of a megapixel."""
    return [
        Row(
            *(codec, image, float(quality) if points > 1 else None, 400, 500, 1000, RATES[quality] * factor),
            *(DECIBELS[quality], 0.9 if similarity else None, DECIBELS[quality] - 16 if similarity else None),
            *(seconds[0], None, seconds[1], None, 1000),
        )
        for quality in ([2] if points == 1 else range(points))
        for image in IMAGES
    ]


@pytest.fixture
def results():
    """Jpeg, one with 20 % less rate, one with 10 % more, and one with a single rate."""
    every = [*rows("jpeg"), *rows("better", 0.8, seconds=(2.0, 0.4)), *rows("worse", 1.1), *rows("single", 0.7, 1)]
    return Results(every, (), {"images": {"sha256": "0"}, "codecs": {"jpeg": {"settings": "made up"}}})


@pytest.fixture
def run_folder(results, tmp_path):
    """The folder of these results."""
    folder = tmp_path / "run"
    folder.mkdir()
    results.write(folder)
    return folder


def made_up(height=96, width=160, parts=2, grey=False):
    image = random_images(height, width, 3)
    image = image[..., 0] if grey else image
    noise = np.random.default_rng(1).normal(0, 9, image.shape)
    decoded, jpeg = (np.clip(image + scale * noise, 0, 255).astype(np.uint8) for scale in (1, 2))
    rows, columns = -(-height // 16), -(-width // 16)
    positions = np.random.default_rng(2).uniform(5, 80, (rows, columns))
    names = [f"channels {32 * number}-{32 * number + 31}" for number in range(parts)]
    bits = BitMap(positions, tuple((name, 1000.0 * (each + 1)) for each, name in enumerate(names)), 321.0, 16)
    many = range(parts + 1) if parts > 2 else ()
    return Shown(
        Picture("original", image, 8.0 * image.size, float("inf")),
        decoded_picture("decoded", image, decoded, 9_000),
        decoded_picture("JPEG quality 12", image, jpeg, 8_800),
        bits,
        tuple(decoded_picture(f"{each} of {parts} parts", image, decoded, 500.0 * each) for each in many),
        Box(0, 0, max(1, width // 4), max(1, height // 4)),
    )


@pytest.fixture(scope="session")
def shown():
    return made_up()
