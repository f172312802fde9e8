"""Abstract tensors: the shape of a tensor, and its value if that follows from shapes and constants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from lic.environment import tf


class AbstractTensor(NamedTuple):
    """The properties of a tensor that are known before its graph runs.

    Attributes:
      shape: Its shape, with None for axes of unknown length.
      value: Its value if that follows from shapes and constants, else None.
      items: Its items if it is a list of tensors, such as a `tf.TensorArray`, and their number is known, else None.
    """

    shape: tf.TensorShape
    value: np.ndarray | None = None
    items: tuple[AbstractTensor, ...] | None = None

    @classmethod
    def of(cls, value: np.ndarray) -> AbstractTensor:
        """Returns the abstract tensor of a known value."""
        return cls(tf.TensorShape(value.shape), value)

    @property
    def key(self) -> Hashable:
        """A key that is equal for equal abstract tensors."""
        shape = None if self.shape.rank is None else tuple(self.shape)
        value = None
        if self.value is not None:
            data = repr(self.value.tolist()).encode() if self.value.dtype == object else self.value.tobytes()
            value = str(self.value.dtype), hashlib.sha256(data).digest()
        return shape, value, None if self.items is None else tuple(item.key for item in self.items)


def join(first: AbstractTensor, second: AbstractTensor) -> AbstractTensor:
    """Returns the properties that two abstract tensors share, for a tensor that is one of the two."""
    if first.key == second.key:
        return first
    if first.shape.rank is None or first.shape.rank != second.shape.rank:
        return AbstractTensor(tf.TensorShape(None))
    pairs = zip(first.shape, second.shape)
    return AbstractTensor(tf.TensorShape([one if one == other else None for one, other in pairs]))


# The operations on lists of tensors, of which `tf.TensorArray` is made. TensorFlow's shape functions see a list as a
# scalar and know nothing of its items, so that each operation is written here for abstract tensors. The shapes that an
# operation is given for items are not used: the graph itself has them on the outputs.

_UNKNOWN = AbstractTensor(tf.TensorShape(None))


def _list_of(items: Sequence[AbstractTensor] | None) -> list[AbstractTensor]:
    return [AbstractTensor(tf.TensorShape([]), items=None if items is None else tuple(items))]


def _reserve(shape: AbstractTensor, count: AbstractTensor) -> list[AbstractTensor]:
    return _list_of(None if count.value is None else [_UNKNOWN] * int(count.value))


def _empty(shape: AbstractTensor, most: AbstractTensor) -> list[AbstractTensor]:
    return _list_of([])


def _from_tensor(tensor: AbstractTensor, shape: AbstractTensor) -> list[AbstractTensor]:
    if tensor.shape.rank is None or tensor.shape[0] is None:
        return _list_of(None)
    if tensor.value is not None:
        return _list_of([AbstractTensor.of(np.asarray(row)) for row in tensor.value])
    return _list_of([AbstractTensor(tensor.shape[1:])] * tensor.shape[0])


def _set(handle: AbstractTensor, index: AbstractTensor, item: AbstractTensor) -> list[AbstractTensor]:
    if handle.items is None or index.value is None:
        return _list_of(None)
    items = list(handle.items)
    items[int(index.value)] = item
    return _list_of(items)


def _get(handle: AbstractTensor, index: AbstractTensor, shape: AbstractTensor) -> list[AbstractTensor]:
    found = handle.items is not None and index.value is not None
    return [handle.items[int(index.value)] if found else _UNKNOWN]


def _push(handle: AbstractTensor, item: AbstractTensor) -> list[AbstractTensor]:
    return _list_of(None if handle.items is None else [*handle.items, item])


def _pop(handle: AbstractTensor, shape: AbstractTensor) -> list[AbstractTensor]:
    if not handle.items:
        return [*_list_of(None), _UNKNOWN]
    return [*_list_of(handle.items[:-1]), handle.items[-1]]


def _length(handle: AbstractTensor) -> list[AbstractTensor]:
    if handle.items is None:
        return [AbstractTensor(tf.TensorShape([]))]
    return [AbstractTensor.of(np.array(len(handle.items), np.int32))]


def _stack(handle: AbstractTensor, shape: AbstractTensor) -> list[AbstractTensor]:
    if not handle.items:
        return [_UNKNOWN]
    return [AbstractTensor(tf.TensorShape([len(handle.items)]).concatenate(_shared_shape(handle.items)))]


def _concatenate(handle: AbstractTensor, shape: AbstractTensor, lengths: AbstractTensor) -> list[AbstractTensor]:
    if not handle.items or any(not item.shape.rank for item in handle.items):
        return [_UNKNOWN, AbstractTensor(tf.TensorShape([None]))]
    lengths = [item.shape[0] for item in handle.items]
    rest = _shared_shape([AbstractTensor(item.shape[1:]) for item in handle.items])
    if None in lengths:
        whole = tf.TensorShape([None]).concatenate(rest)
        return [AbstractTensor(whole), AbstractTensor(tf.TensorShape([len(lengths)]))]
    whole = tf.TensorShape([sum(lengths)]).concatenate(rest)
    return [AbstractTensor(whole), AbstractTensor.of(np.array(lengths, np.int64))]


def _shared_shape(items: Sequence[AbstractTensor]) -> tf.TensorShape:
    shared, *others = items
    for item in others:
        shared = join(shared, item)
    return shared.shape


TENSOR_LISTS: dict[str, Callable[..., list[AbstractTensor]]] = {
    "TensorListReserve": _reserve,
    "EmptyTensorList": _empty,
    "TensorListFromTensor": _from_tensor,
    "TensorListSetItem": _set,
    "TensorListGetItem": _get,
    "TensorListPushBack": _push,
    "TensorListPopBack": _pop,
    "TensorListLength": _length,
    "TensorListStack": _stack,
    "TensorListConcatV2": _concatenate,
}
