"""Images that laws are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lic.images.arrays import peak_of

if TYPE_CHECKING:
    from lic.codec.codec import Codec


def codec_image(codec: Codec, height: int, width: int, seed: int = 0) -> np.ndarray:
    """Returns a random image such as a codec takes: [height, width, channels], uint8 or uint16."""
    pixels = uneven_image(height, width, codec.channels, seed=seed)
    if codec.bit_depth == 8:
        return pixels
    return np.rint(pixels * (peak_of(codec.bit_depth) / 255)).astype(np.uint16)


def random_images(*shape: int, seed: int = 0) -> np.ndarray:
    """Returns random images, smooth with some noise: uint8 of a shape [..., height, width, channels]."""
    random = np.random.default_rng(seed)
    *batch, height, width, channels = shape
    coarse = random.uniform(0, 255, (*batch, -(-height // 8), -(-width // 8), channels))
    fine = coarse.repeat(8, -3).repeat(8, -2)[..., :height, :width, :]
    return np.clip(fine + random.normal(0, 6, fine.shape), 0, 255).astype(np.uint8)


def uneven_image(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Returns a random image [height, width, channels], uint8, brighter and of less contrast at the bottom right.

    Images of the seeds 0, 1 and 2 differ in their smallest and largest number. So the laws see a layer that uses the
    largest number of a batch or of an image.
    """
    step = 25 * (seed % 3)
    least, most, contrast = step, 255 - step, 160 - step
    corner = (np.linspace(0, 1, height)[:, None, None] + np.linspace(0, 1, width)[:, None]) / 2
    # At the bottom right, pixels have half of the contrast and reach up to `most`.
    pixels = random_images(height, width, channels, seed=seed) / 255 * contrast * (1 - corner / 2)
    return np.rint(least + corner * (most - contrast / 2 - least) + pixels).astype(np.uint8)
