"""Images that a model is given: what it takes, and sentences about what it does not."""

from __future__ import annotations

import os
import warnings
from typing import Any

from lic.environment import keras, tf

_LARGEST = 511  # Some filters make numbers a little over 255.


def checked_images(images: Any, channels: int) -> tf.Tensor:
    """Returns images in float32, or raises a ValueError if they are not [batch, height, width, channels].

    Args:
      images: The images.
      channels: Channels that the model takes.
    """
    check_images(images, channels)
    # Keras traces batches of several shapes as one with None for the channels.
    return tf.ensure_shape(tf.cast(images, "float32"), (None, None, None, channels))


def check_images(images: Any, channels: int, owner: str = "CompressionModel") -> None:
    """Raises a ValueError unless images are [batch, height, width, channels], of numbers, and at least one of 1x1.

    Sizes that are not known while a function is traced are not checked.

    Args:
      images: The images: an array, a tensor, or the description of one.
      channels: Channels that the model takes.
      owner: The class or function that expects the images.
    """
    received = _fault(images, channels)
    if received:
        advice = "repeat the channel of a grey one three times, " if channels == 3 else ""
        raise ValueError(
            f"{owner}: expected images [batch, height, width, {channels}] on 0..255. Received: {received}. "
            f"Pass one image as image[None], several as np.stack(images), {advice}batch a dataset, and map it to "
            "images alone."
        )


def warn_of_range(owner: str, largest: float) -> None:
    """Warns of images that seem to be on another scale than 0..255.

    Args:
      owner: The function that was given them.
      largest: The largest number of all of them.
    """
    advice = "If images are on 0..1, multiply them by 255." if 0 < largest <= 1 else ""
    if largest > _LARGEST:
        advice = "If images have 12 bits, multiply them by 255 / 4095, and those of other bits alike."
    if advice:
        warnings.warn(
            f"{owner}: expected images on 0..255. Received: numbers of at most {largest:g}. {advice}", stacklevel=3
        )


def check_data(owner: str, data: Any, channels: int) -> None:
    """Raises a ValueError if what Keras is given for `fit`, `evaluate` or `predict` holds no images.

    Args:
      owner: The method.
      data: Images, or a dataset; generators and other sources are looked at when they are read.
      channels: Channels that the model takes.
    """
    if isinstance(data, tf.data.Dataset):
        if int(data.cardinality()) == 0:
            raise ValueError(f"{owner}: expected a dataset of images. Received: an empty one. Check its source.")
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data.element_spec)
        check_images(images, channels, owner)
    elif data is None or isinstance(data, (str, bytes, os.PathLike, list, dict, float, int)) or hasattr(data, "shape"):
        check_images(data, channels, owner)


def _fault(images: Any, channels: int) -> str:
    """Returns what is wrong, as what was received; nothing if images are as expected."""
    shape = getattr(images, "shape", None)
    if shape is None or isinstance(images, (tf.RaggedTensor, tf.SparseTensor)):
        return f"the path {os.fspath(images)!r}" if isinstance(images, (str, os.PathLike)) else type(images).__name__
    try:
        dtype = tf.as_dtype(images.dtype)
    except (AttributeError, TypeError):  # A table of pandas, or an array of objects.
        return f"{type(images).__name__} of the type {getattr(images, 'dtype', None)}"
    if not (dtype.is_floating or dtype.is_integer):
        return f"numbers of the type {dtype.name}"
    if isinstance(shape, tf.TensorShape) and shape.rank is None:
        return ""
    if len(shape) != 4 or shape[-1] not in (channels, None):
        return f"the shape {tuple(shape)}"
    # While a function is traced, a replica may get no image of a last, smaller batch.
    return f"no pixels, in the shape {tuple(shape)}" if 0 in tuple(shape) and tf.executing_eagerly() else ""
