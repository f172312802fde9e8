"""Effort when encoding: gradient descent refines the latents of one image, and the decoder stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lic.entropy.coders.gumbel import GumbelCoder
from lic.entropy.coders.skipping import skipping
from lic.entropy.noise import drawn_from
from lic.environment import tf
from lic.layers.tracing import snapshot_function, snapshot_weights
from lic.models.base import CompressionModel
from lic.models.distortion import check_size

STEPS = (0, 15, 30, 60, 120, 240, 480, 960, 1920, 3840)  # Steps of gradient descent for each effort.
# In trials on the middles of four Kodak images with `default`, 30, 60, 144 and 240 steps saved 5.4, 7.5, 9.1 and 9.7 %
# of the bits at equal loss; `training/default/TRIALS.md` has the table from which these numbers are. Straight-through
# rounding lost 1 to 40 % at any rate, because latents end on either side of the edge between two integers.
RATE = 0.1  # A step of Adam is at most about this long, in steps of the quantiser.
# Gradients are in bits. Steps are in proportion to those that are smaller than this, so that they do not follow noise.
SOFTENING = 2.5
HOT, COLD = 1.0, 0.7  # The first and the last temperature.
_MOMENTS = (0.6, 0.95)  # Of Adam. The noise of the draws changes at each step, so that a short memory is better.


def check_effort(effort: int) -> None:
    """Raises a ValueError unless `effort` is an integer from 0 to 9."""
    is_integer = isinstance(effort, (int, np.integer)) and not isinstance(effort, bool)
    if not is_integer or not 0 <= effort < len(STEPS):
        raise ValueError(f"Codec: expected effort from 0 to {len(STEPS) - 1}. Received: {effort!r}.")


class LatentOptimizer:
    """Refines latents of one image on the loss of `lic.CompressionModel`: bits per pixel and weighted distortion.

    A subclass's own `distortion_of` and losses that layers add do not count.

    Source: Campos et al., Content Adaptive Optimization for Neural Image Compression, CVPR workshops 2019; with the
    random rounding of `GumbelCoder`.

    Args:
      model: The model, whose weights stay as they are.
      derived: The tensors that its layers derived from their weights; see `lic.layers.tracing.snapshot_weights`.
      skip_below: Numbers of the latent whose scale is below it are not coded; None codes all.
    """

    def __init__(self, model: CompressionModel, derived: dict[int, Any], skip_below: float | None = None):
        self._model, self._derived, self._skip_below = model, derived, skip_below
        self._step = snapshot_function(self._take_step, reduce_retracing=True)

    def refine(
        self,
        image: np.ndarray,
        latent: np.ndarray,
        quality: float | np.ndarray,
        steps: int,
        progress: Callable[[float], None] | None = None,
    ) -> list[tf.Tensor]:
        """Returns the refined latent [1, rows, columns, depth], and after it the side information if there is any.

        Args:
          image: The image [height, width, channels] on 0..255.
          latent: The image's latent [rows, columns, depth], without gains.
          quality: The quality, or that of each position [rows, columns].
          steps: Number of steps.
          progress: Called with the completed fraction, 0 to 1, after each step.

        Raises:
          ValueError: The image is too small for the model's distortion.
        """
        check_size(self._model.distortion, image.shape[:2])
        images, qualities = tf.constant(image[None], "float32"), tf.constant(quality, "float32")[None]
        values = self._start(tf.constant(latent[None]), qualities)
        means, squares = ([tf.zeros_like(value) for value in values] for _ in range(2))
        for number in range(steps):
            temperature = HOT * (COLD / HOT) ** (number / steps)
            schedule = tf.constant([number, temperature, RATE * _decay(number / steps)], "float32")
            values, means, squares = self._step(images, qualities, values, means, squares, schedule)
            if progress:
                progress((number + 1) / steps)
        return values

    def _start(self, latent: tf.Tensor, quality: tf.Tensor) -> list[tf.Tensor]:
        coded, hyper = self._model.rate.apply_gain(latent, quality), self._model.entropy.hyper
        return [coded, hyper.analysis(latent)] if hyper else [coded]

    def _take_step(
        self,
        images: tf.Tensor,
        quality: tf.Tensor,
        values: Sequence[tf.Tensor],
        means: Sequence[tf.Tensor],
        squares: Sequence[tf.Tensor],
        schedule: tf.Tensor,
    ) -> tuple[list[tf.Tensor], ...]:
        """Takes one step of Adam (Kingma and Ba, ICLR 2015) on tensors of any size.

        Args:
          images: The image [1, height, width, channels].
          quality: The quality [1], or that of each position [1, rows, columns].
          values: The latent, and the side information if there is any.
          means: Adam's mean of the gradients, for each of the values.
          squares: Adam's mean of their squares, likewise.
          schedule: The number of the step, the temperature and the rate [3].

        Returns:
          The values, means and squares after the step.
        """
        number, temperature, rate = tf.unstack(schedule)
        # The seed is fixed, so that an image always gives the same stream.
        with snapshot_weights(self._derived), tf.GradientTape() as tape, drawn_from(0, number):
            tape.watch(values)
            loss = self._loss(images, quality, values, temperature)
        # A walk may code no side information of the model's hyper transform; then its values stay as they are.
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        first, second = _MOMENTS
        means = [first * mean + (1 - first) * gradient for mean, gradient in zip(means, gradients)]
        squares = [second * square + (1 - second) * gradient**2 for square, gradient in zip(squares, gradients)]
        # Means that start at zero are too small at first, which this factor corrects.
        rate *= tf.sqrt(1 - second ** (number + 1)) / (1 - first ** (number + 1))
        moves = [rate * mean / (tf.sqrt(square) + SOFTENING) for mean, square in zip(means, squares)]
        return [value - move for value, move in zip(values, moves)], means, squares

    def _loss(
        self, images: tf.Tensor, quality: tf.Tensor, values: Sequence[tf.Tensor], temperature: tf.Tensor
    ) -> tf.Tensor:
        """Returns the loss in bits of the whole image."""
        model = self._model
        coder = GumbelCoder(values[0], dict(zip([model.entropy.hyper], values[1:])), temperature)
        height, width = tf.unstack(tf.shape(images))[1:3]
        x_hat = model.synthesise(model.walk(skipping(coder, self._skip_below), quality))[:, :height, :width]
        distortion = model.weighted_distortion(images, x_hat, quality)
        return tf.reduce_sum(tf.add_n(list(coder.bits.values())) + tf.cast(height * width, "float32") * distortion)


def _decay(share: float) -> float:
    """Returns the factor of the rate after a share of all steps: one, and half a cosine over the second half."""
    return 0.5 * (1 + math.cos(math.pi * max(0.0, 2 * share - 1)))
