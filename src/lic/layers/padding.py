"""Padding of images and latents to multiples of a number, at the bottom and on the right."""

from __future__ import annotations

from lic.argument_types import Count, check_argument
from lic.environment import tf
from lic.layers.base import Layer


def pad(images: tf.Tensor, multiple: int) -> tf.Tensor:
    """Pads the height and the width of images to multiples of a number, at the bottom and on the right.

    An axis that is longer than its padding is reflected; the last row or column of a shorter one is repeated.

    Args:
      images: Images or latents [batch, height, width, channels].
      multiple: The padded height and width are the next multiples of this number.

    Raises:
      ValueError: `multiple` is no whole number of at least 1.
    """
    check_argument("pad", "multiple", multiple, Count)
    for axis in (1, 2):
        if images.shape[axis] is None or images.shape[axis] % multiple:
            images = tf.gather(images, _source(tf.shape(images)[axis], multiple), axis=axis)
    return images


def _source(size: tf.Tensor, multiple: int) -> tf.Tensor:
    """Returns the row of the image that each row of the padded image is a copy of."""
    # Not -(-size // multiple): ONNX rounds quotients of negative numbers towards zero.
    padded = (size + multiple - 1) // multiple * multiple
    rows = tf.range(padded)
    last = size - 1
    reflected = last - tf.abs(last - rows)
    return tf.where(padded - size < size, reflected, tf.minimum(rows, last))


class Padding(Layer):
    """Pads height and width to multiples of a number, as `pad` does.

    Args:
      multiple: The padded height and width are the next multiples of this number.
    """

    def __init__(self, multiple: Count, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Pads values [batch, height, width, channels] at the bottom and on the right."""
        return pad(values, self.multiple)
