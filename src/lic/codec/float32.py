"""Graphs compute the entropy path in float32: an option of TensorFlow that rewrites them in another type is refused."""

from __future__ import annotations

import functools

import numpy as np

from lic.environment import tf
from lic.errors import LicError

_CHANNELS = 64


def check_float32() -> None:
    """Checks that graphs of this process compute in float32, as TensorFlow's options are now.

    Streams of a codec that computes in another type decode nowhere else, or not even here.

    Raises:
      LicError: They do not.
    """
    options = tf.config.optimizer.get_experimental_options()
    if not _computes_whole_numbers(tuple(sorted(options.items()))):
        raise LicError(
            f"TensorFlow computes graphs in less than float32 here, so that streams would decode nowhere else. Its "
            f"options are {options}. Turn those off that choose another type, such as by tf.config.optimizer."
            "set_experimental_options({'auto_mixed_precision_onednn_bfloat16': False}), and environment variables like "
            'them. For faster transforms give precision="bfloat16" to the codec.'
        )


@functools.lru_cache(maxsize=8)
def _computes_whole_numbers(options: tuple) -> bool:
    """Returns whether sums of whole numbers below 2^24 are exact in a graph, as they are in float32 and TF32.

    Args:
      options: TensorFlow's options. A graph is rewritten by the options at its first run.
    """
    random = np.random.default_rng(0)
    values = random.integers(-511, 512, (1, 8, 8, _CHANNELS))
    kernel = random.integers(-128, 129, (1, 1, _CHANNELS, _CHANNELS))
    expected = values @ kernel[0, 0]

    def convolve(values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        hidden = tf.nn.conv2d(values, kernel, 1, "SAME")
        rows = tf.matmul(tf.reshape(values, (-1, _CHANNELS)), kernel[0, 0])
        return tf.nn.relu(hidden), tf.reshape(tf.nn.relu(rows), tf.shape(hidden))

    graph = tf.function(convolve, autograph=False)
    results = graph(tf.constant(values, tf.float32), tf.constant(kernel, tf.float32))
    return all(np.array_equal(result, np.maximum(expected, 0)) for result in results)
