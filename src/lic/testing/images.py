"""Images to try laws on."""

from __future__ import annotations

import numpy as np


def smooth_image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Returns a random image, smooth with some noise: uint8 [height, width, 3]."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (-(-height // 8), -(-width // 8), 3))
    fine = coarse.repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.clip(fine + random.normal(0, 6, fine.shape), 0, 255).astype(np.uint8)
