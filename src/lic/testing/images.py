"""Images that laws are tried on."""

from __future__ import annotations

import numpy as np


def random_images(*shape: int, seed: int = 0) -> np.ndarray:
    """Returns random images, smooth with some noise: uint8 of a shape [..., height, width, channels]."""
    random = np.random.default_rng(seed)
    *batch, height, width, channels = shape
    coarse = random.uniform(0, 255, (*batch, -(-height // 8), -(-width // 8), channels))
    fine = coarse.repeat(8, -3).repeat(8, -2)[..., :height, :width, :]
    return np.clip(fine + random.normal(0, 6, fine.shape), 0, 255).astype(np.uint8)
