"""Distortions of decoded images, for the loss of training and for reports."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lic.environment import tf

DISTORTIONS = ("mse", "ms-ssim")
LEAST_SIZE = 161  # Halved four times, rounding up, it gives 11, the size of MS-SSIM's window.


def check_size(distortion: str, size: Sequence[int | None]) -> None:
    """Checks that images are large enough for a distortion.

    Args:
      distortion: "mse" or "ms-ssim".
      size: Height and width in pixels, each None if a graph does not know it.

    Raises:
      ValueError: The images are smaller than the five scales of MS-SSIM need.
    """
    if distortion == "ms-ssim" and None not in size and min(size) < LEAST_SIZE:
        raise ValueError(
            f"MS-SSIM: expected images of at least {LEAST_SIZE}x{LEAST_SIZE} pixels for its five scales. "
            f"Received: {size[0]}x{size[1]}. Take larger ones, or the distortion 'mse'."
        )


def mean_squared_error(images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """Returns the mean squared error [batch] of images [batch, height, width, channels] on 0..255."""
    return tf.reduce_mean(tf.math.squared_difference(images, decoded), (1, 2, 3))


def psnr_of(mse: tf.Tensor) -> tf.Tensor:
    """Returns the peak signal-to-noise ratio in dB of a mean squared error on 0..255."""
    return 20 * math.log10(255) - 10 / math.log(10) * tf.math.log(tf.maximum(mse, 1e-10))


def ms_ssim(images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """Returns MS-SSIM [batch] of images [batch, height, width, channels] on 0..255.

    It is the mean over the channels.

    Source: Wang, Simoncelli, Bovik, Asilomar 2003, with five scales, as TensorFlow computes it.

    Args:
      images: The original images.
      decoded: The decoded images, of the same shape.

    Raises:
      ValueError: The images are smaller than the five scales need.
    """
    check_size("ms-ssim", images.shape[1:3])
    return tf.image.ssim_multiscale(images, _without_nan_gradient(decoded), 255.0)


@tf.custom_gradient
def _without_nan_gradient(values: tf.Tensor) -> tf.Tensor:
    """Returns the values; an infinite gradient becomes zero.

    Where two patches are anticorrelated, MS-SSIM takes a root of zero, whose gradient is infinite.
    """
    return tf.identity(values), lambda upstream: tf.where(tf.math.is_finite(upstream), upstream, 0.0)
