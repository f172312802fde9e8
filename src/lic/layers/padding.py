"""Padding of images and latents to whole multiples, at the bottom and on the right."""

from __future__ import annotations

from lic.environment import keras, tf


def pad(images: tf.Tensor, multiple: int) -> tf.Tensor:
    """Pads images [batch, height, width, channels] to multiples of `multiple`.

    An axis is padded by reflection where it is longer than the padding, and otherwise by repeating its edge.
    """
    for axis in (1, 2):
        if images.shape[axis] is None or images.shape[axis] % multiple:
            images = tf.gather(images, _source(tf.shape(images)[axis], multiple), axis=axis)
    return images


def _source(size: tf.Tensor, multiple: int) -> tf.Tensor:
    """For each row of the padded image the row that it is taken from."""
    padded = (size + multiple - 1) // multiple * multiple  # Other formats round quotients of negative numbers to zero.
    rows = tf.range(padded)
    last = size - 1
    reflected = last - tf.abs(last - rows)
    return tf.where(padded - size < size, reflected, tf.minimum(rows, last))


class Padding(keras.layers.Layer):
    """Pads to multiples, as `pad` does.

    Args:
      multiple: What height and width become multiples of.
    """

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple
        self.built = True

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Pads values [batch, height, width, channels] at the bottom and on the right."""
        return pad(values, self.multiple)
