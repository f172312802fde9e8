"""Layer norms, and norms whose mean, scale and offset are folded into the product that follows."""

from __future__ import annotations

from collections.abc import Callable

from lic.environment import tf

_EPSILON = 1e-5
Product = Callable[[tf.Tensor, tuple[tf.Tensor, tf.Tensor]], tf.Tensor]


def layer_norm(rows: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Normalises each row by its mean and standard deviation, then scales by gamma and adds beta.

    Args:
      rows: The rows [..., channels], float32.
      gamma: The scale of each channel [channels].
      beta: The offset of each channel [channels].
    """
    return standardised(rows - tf.reduce_mean(rows, -1, keepdims=True)) * gamma + beta


def fold_norm(
    gamma: tf.Tensor, beta: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the kernel and bias that give for `standardised(rows)` what the given ones give after a layer norm.

    Args:
      gamma: The scale of the norm [inputs].
      beta: The offset of the norm [inputs].
      kernel: The kernel after the norm [inputs, outputs].
      bias: The bias after the norm [outputs], or None.
    """
    gamma, beta, kernel = (tf.cast(tensor, "float32") for tensor in (gamma, beta, kernel))
    scaled = gamma[:, None] * kernel
    shifted = tf.linalg.matvec(kernel, beta, transpose_a=True)
    # A kernel whose columns have a mean of zero gives zero for a row of equal numbers, so that the mean of a row has no
    # effect and need not be subtracted.
    return scaled - tf.reduce_mean(scaled, 0), shifted if bias is None else shifted + tf.cast(bias, "float32")


@tf.custom_gradient
def standardised(rows: tf.Tensor) -> tuple:
    """Divides rows [count, channels] by their standard deviations, without subtracting their means."""
    mean = tf.reduce_mean(rows, -1, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(rows, mean), -1, keepdims=True)
    scale = tf.math.rsqrt(variance + _EPSILON)

    # TensorFlow's own gradient takes twice as many operations.
    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        along = tf.reduce_mean(upstream * rows, -1, keepdims=True) * scale**3
        return upstream * scale - (rows - mean) * along

    return rows * scale, gradient


def product(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Multiplies rows [count, inputs] by a kernel [inputs, outputs] and adds a bias [outputs], in the kernel's type."""
    return tf.nn.bias_add(tf.matmul(tf.cast(rows, weights[0].dtype), weights[0]), weights[1])
