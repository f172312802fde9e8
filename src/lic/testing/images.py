"""Images that laws are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lic.images import peak_of

if TYPE_CHECKING:
    from lic.codec.codec import Codec


def codec_images(codec: Codec, height: int, width: int, seed: int = 0) -> np.ndarray:
    """Returns a random image such as a codec takes: [height, width, channels], uint8 or uint16."""
    pixels = random_images(height, width, codec.channels, seed=seed)
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
