"""Evaluations with curves that are known, without any codec."""

import pytest

from lic.evaluation.results import Results
from lic.evaluation.row import Row

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
