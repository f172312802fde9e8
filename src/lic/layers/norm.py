"""Layer norms, whole or as what is left of them before a product."""

from __future__ import annotations

from collections.abc import Callable

from lic.environment import tf

_EPSILON = 1e-5
Product = Callable[[tf.Tensor, tuple[tf.Tensor, tf.Tensor]], tf.Tensor]


def layer_norm(rows: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Normalises rows [count, channels], each by its own mean and standard deviation."""
    return standardised(rows - tf.reduce_mean(rows, -1, keepdims=True)) * gamma + beta


def fold_norm(
    gamma: tf.Tensor, beta: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns kernel and bias that do for `standardised(rows)` what the given ones do after a whole layer norm."""
    gamma, beta, kernel = (tf.cast(tensor, "float32") for tensor in (gamma, beta, kernel))
    scaled = gamma[:, None] * kernel
    shifted = tf.linalg.matvec(kernel, beta, transpose_a=True)
    # What the kernel makes of a row's mean is taken off the kernel, in place of the mean off every row.
    return scaled - tf.reduce_mean(scaled, 0), shifted if bias is None else shifted + tf.cast(bias, "float32")


@tf.custom_gradient
def standardised(rows: tf.Tensor) -> tuple:
    """Divides rows [count, channels] by their standard deviations; their means stay."""
    mean = tf.reduce_mean(rows, -1, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(rows, mean), -1, keepdims=True)
    scale = tf.math.rsqrt(variance + _EPSILON)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:  # Half of the operations of the gradient that TensorFlow derives.
        along = tf.reduce_mean(upstream * rows, -1, keepdims=True) * scale**3
        return upstream * scale - (rows - mean) * along

    return rows * scale, gradient


def product(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns rows times a kernel, plus a bias."""
    return tf.nn.bias_add(tf.matmul(tf.cast(rows, weights[0].dtype), weights[0]), weights[1])
