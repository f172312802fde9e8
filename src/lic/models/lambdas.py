"""Weights of the distortion: lmbda by quality, and two conventions of the loss. This file imports no TensorFlow.

The loss of `lic` is bits per pixel + lmbda * distortion; the distortion is the mean squared error on the 0..255 scale,
or 1 - MS-SSIM. The code of SwinT-ChARM minimises mean squared error + beta * bits of the whole patch instead.
"""

from __future__ import annotations

import numbers

# Qualities 1 to 8 of CompressAI's models, whose code applies them to pixels on 0..1 with a factor of 255^2.
LAMBDAS = {
    "mse": (0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483, 0.0932, 0.1800),
    "ms-ssim": (2.40, 4.58, 8.73, 16.64, 31.73, 60.50, 115.37, 220.00),
}


def lmbda_of_beta(beta: float, patch: int) -> float:
    """Returns the lmbda whose loss has the same optimum as mean squared error + beta * bits of a patch.

    Args:
      beta: Weight of the bits; SwinT-ChARM (Zhu, Yang, Cohen, ICLR 2022) has 0.0003 among others.
      patch: Height and width of the training patches in pixels.

    Raises:
      ValueError: A number is not positive.
    """
    _check_positive("lmbda_of_beta", beta=beta, patch=patch)
    return 1 / (beta * patch**2)


def beta_of_lmbda(lmbda: float, patch: int) -> float:
    """Returns the beta for which mean squared error + beta * bits of a patch has the same optimum as the loss of `lic`.

    Args:
      lmbda: Weight of the mean squared error on 0..255 against bits per pixel.
      patch: Height and width of the training patches in pixels.

    Raises:
      ValueError: A number is not positive.
    """
    _check_positive("beta_of_lmbda", lmbda=lmbda, patch=patch)
    return 1 / (lmbda * patch**2)


def _check_positive(function: str, **given: float) -> None:
    for name, number in given.items():
        if not (isinstance(number, numbers.Real) and number > 0):
            raise ValueError(
                f"{function}: expected {name} over 0. Received: {name}={number!r}. Give a positive number."
            )
