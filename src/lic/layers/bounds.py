"""Bounds with a gradient that leads values outside back inside."""

from __future__ import annotations

from lic.environment import tf


@tf.custom_gradient
def lower_bound(values: tf.Tensor, bound: float) -> tf.Tensor:
    """Returns `max(values, bound)`; below the bound only gradients that raise the value pass.

    The gradient of `tf.maximum` is zero there, so that a weight that falls below would never come back.

    Args:
      values: A tensor of any shape.
      bound: The lowest result.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        passes = tf.logical_or(values >= bound, upstream < 0)  # Descent goes against the gradient.
        return tf.where(passes, upstream, tf.zeros_like(upstream)), None

    return tf.maximum(values, tf.cast(bound, values.dtype)), gradient


def upper_bound(values: tf.Tensor, bound: float) -> tf.Tensor:
    """Returns `min(values, bound)`; above the bound only gradients that lower the value pass.

    Args:
      values: A tensor of any shape.
      bound: The highest result.
    """
    return -lower_bound(-values, -bound)
