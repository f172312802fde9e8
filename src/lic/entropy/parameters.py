"""Networks that give means and scale indexes."""

from __future__ import annotations

from lic.entropy.distributions.normal import ScaleTable
from lic.environment import keras, tf
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential
from lic.layers.substitutes import Substitutable


def convolutions(widths: tuple[int, ...], kernel_sizes: tuple[int, ...], **last: object) -> Sequential:
    """Returns convolutions with ReLU between them.

    Args:
      widths: Output channels of each.
      kernel_sizes: Kernel size of each.
      **last: Further arguments of the last one.
    """
    *inner, end = zip(widths, kernel_sizes, strict=True)
    hidden = [Convolution(width, size, activation="relu") for width, size in inner]
    return Sequential([*hidden, Convolution(*end, **last)])


class ScaleIndex(Substitutable, keras.layers.Layer):
    """The real indexes of predicted scales.

    Args:
      scales: The table of scales.
    """

    def __init__(self, scales: ScaleTable, **kwargs):
        super().__init__(**kwargs)
        self.scales = scales
        self.built = True

    def compute(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the indexes of scales; of all below the table, 0."""
        return self.scales.real_index(values)


class MeanAndIndexBias(keras.initializers.Initializer):
    """Starts a bias whose first half is for means and whose second is for scale indexes.

    Args:
      index: Where the indexes start; means start at zero.
    """

    def __init__(self, index: float):
        self.index = index

    def __call__(self, shape: tuple, dtype: str | None = None) -> tf.Tensor:
        means = shape[0] // 2
        return tf.concat([tf.zeros(means), tf.fill([shape[0] - means], float(self.index))], 0)

    def get_config(self) -> dict:
        return {"index": self.index}
