"""What there is to see of an image, made up, so that figures and pages are drawn without a codec."""

import numpy as np
import pytest

from lic.evaluation.bit_map import BitMap
from lic.evaluation.pictures import Picture, decoded_picture
from lic.evaluation.show import Box, Shown
from tests.conftest import random_images


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
