"""What is known of a tensor before a graph runs."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from lic.environment import tf


class Known(NamedTuple):
    """What is known of a tensor.

    Attributes:
      shape: Its shape, as far as it is known.
      value: Its value where that follows from shapes and constants, else None.
      items: What is known of each tensor in it, where it is a list of tensors, as of a `tf.TensorArray`.
    """

    shape: tf.TensorShape
    value: np.ndarray | None = None
    items: tuple[Known, ...] | None = None

    @classmethod
    def of(cls, value: np.ndarray) -> Known:
        """Knows a value, and so its shape."""
        return cls(tf.TensorShape(value.shape), value)

    @property
    def key(self) -> Hashable:
        """Equal for tensors of which the same is known."""
        shape = None if self.shape.rank is None else tuple(self.shape)
        value = None
        if self.value is not None:
            data = repr(self.value.tolist()).encode() if self.value.dtype == object else self.value.tobytes()
            value = str(self.value.dtype), hashlib.sha256(data).digest()
        return shape, value, None if self.items is None else tuple(item.key for item in self.items)


def common(first: Known, second: Known) -> Known:
    """Returns what is known of a tensor that is one of two."""
    if first.key == second.key:
        return first
    if first.shape.rank is None or first.shape.rank != second.shape.rank:
        return Known(tf.TensorShape(None))
    pairs = zip(first.shape, second.shape)
    return Known(tf.TensorShape([one if one == other else None for one, other in pairs]))
