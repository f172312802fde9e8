"""Evaluations whose curves are known, and inspections that are made without a codec."""

import numpy as np
import pytest

from lic.evaluation.inspect.bit_map import BitMap
from lic.evaluation.inspect.inspection import Box, Inspection
from lic.evaluation.inspect.pictures import Picture, decoded_picture
from lic.evaluation.run.results import Results, Row
from tests.conftest import random_images

DECIBELS = (28.0, 31.0, 33.5, 35.8, 37.5)
RATES = (0.1, 0.25, 0.5, 0.9, 1.4)
IMAGES = ("a.png", "b.png")


def rows(codec, factor=1.0, points=5, seconds=(0.2, 0.1), similarity=True):
    """Returns rows of a codec that needs `factor` times the rate, over images of a fifth of a megapixel."""
    return [
        Row(
            codec=codec,
            image=image,
            quality=float(quality) if points > 1 else None,
            height=400,
            width=500,
            bytes=1000,
            bpp=RATES[quality] * factor,
            psnr=DECIBELS[quality],
            ms_ssim=0.9 if similarity else None,
            ms_ssim_db=DECIBELS[quality] - 16 if similarity else None,
            encode_seconds=seconds[0],
            encode_coder_seconds=None,
            decode_seconds=seconds[1],
            decode_coder_seconds=None,
            peak_memory=1000,
        )
        for quality in ([2] if points == 1 else range(points))
        for image in IMAGES
    ]


@pytest.fixture
def results():
    """Results of JPEG, a codec with 20 % less rate, one with 10 % more, and one with a single rate."""
    every = [*rows("jpeg"), *rows("better", 0.8, seconds=(2.0, 0.4)), *rows("worse", 1.1), *rows("single", 0.7, 1)]
    return Results(every, (), {"images": {"sha256": "0"}, "codecs": {"jpeg": {"settings": "made up"}}})


@pytest.fixture
def run_folder(results, tmp_path):
    """The folder that holds these results."""
    folder = tmp_path / "run"
    folder.mkdir()
    results.write(folder)
    return folder


def make_inspection(height=96, width=160, parts=2, grey=False, maps=False):
    image = random_images(height, width, 3)
    image = image[..., 0] if grey else image
    noise = np.random.default_rng(1).normal(0, 9, image.shape)
    decoded, jpeg = (np.clip(image + scale * noise, 0, 255).astype(np.uint8) for scale in (1, 2))
    rows, columns = -(-height // 16), -(-width // 16)
    positions = np.random.default_rng(2).uniform(5, 80, (rows, columns))
    names = [f"channels {32 * number}-{32 * number + 31}" for number in range(parts)]
    bits = BitMap(positions, tuple((name, 1000.0 * (each + 1)) for each, name in enumerate(names)), 321.0, 16)
    many = range(parts + 1) if parts > 2 else ()
    return Inspection(
        Picture("original", image, 8.0 * image.size, float("inf")),
        decoded_picture("decoded", image, decoded, 9_000),
        decoded_picture("JPEG quality 12", image, jpeg, 8_800),
        bits,
        tuple(decoded_picture(f"{each} of {parts} parts", image, decoded, 500.0 * each) for each in many),
        Box(0, 0, max(1, height // 4), max(1, width // 4)),
        np.round(positions / 10) if maps else None,
    )


@pytest.fixture(scope="session")
def inspection():
    return make_inspection()
