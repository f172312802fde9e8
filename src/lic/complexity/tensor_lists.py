"""Lists of tensors in graphs, which `tf.TensorArray` is made of, when only shapes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lic.complexity.known_tensor import Known, common
from lic.environment import tf

_UNKNOWN = Known(tf.TensorShape(None))


def _list_of(items: Sequence[Known] | None) -> list[Known]:
    return [Known(tf.TensorShape([]), items=None if items is None else tuple(items))]


def _reserve(shape: Known, count: Known) -> list[Known]:
    return _list_of(None if count.value is None else [_UNKNOWN] * int(count.value))


def _empty(shape: Known, most: Known) -> list[Known]:
    return _list_of([])


def _from_tensor(tensor: Known, shape: Known) -> list[Known]:
    if tensor.shape.rank is None or tensor.shape[0] is None:
        return _list_of(None)
    if tensor.value is not None:
        return _list_of([Known.of(np.asarray(row)) for row in tensor.value])
    return _list_of([Known(tensor.shape[1:])] * tensor.shape[0])


def _set(handle: Known, index: Known, item: Known) -> list[Known]:
    if handle.items is None or index.value is None:
        return _list_of(None)
    items = list(handle.items)
    items[int(index.value)] = item
    return _list_of(items)


def _get(handle: Known, index: Known, shape: Known) -> list[Known]:
    found = handle.items is not None and index.value is not None
    return [handle.items[int(index.value)] if found else _UNKNOWN]


def _push(handle: Known, item: Known) -> list[Known]:
    return _list_of(None if handle.items is None else [*handle.items, item])


def _pop(handle: Known, shape: Known) -> list[Known]:
    if not handle.items:
        return [*_list_of(None), _UNKNOWN]
    return [*_list_of(handle.items[:-1]), handle.items[-1]]


def _length(handle: Known) -> list[Known]:
    return [Known(tf.TensorShape([])) if handle.items is None else Known.of(np.array(len(handle.items), np.int32))]


def _stack(handle: Known, shape: Known) -> list[Known]:
    if not handle.items:
        return [_UNKNOWN]
    return [Known(tf.TensorShape([len(handle.items)]).concatenate(_like_all(handle.items)))]


def _concatenate(handle: Known, shape: Known, lengths: Known) -> list[Known]:
    if not handle.items or any(not item.shape.rank for item in handle.items):
        return [_UNKNOWN, Known(tf.TensorShape([None]))]
    lengths = [item.shape[0] for item in handle.items]
    rest = _like_all([Known(item.shape[1:]) for item in handle.items])
    if None in lengths:
        return [Known(tf.TensorShape([None]).concatenate(rest)), Known(tf.TensorShape([len(lengths)]))]
    return [Known(tf.TensorShape([sum(lengths)]).concatenate(rest)), Known.of(np.array(lengths, np.int64))]


def _like_all(items: Sequence[Known]) -> tf.TensorShape:
    shared, *others = items
    for item in others:
        shared = common(shared, item)
    return shared.shape


# What each operation gives, from what it is given; shapes that it is told of its items come back with the graph's own.
TENSOR_LISTS: dict[str, Callable[..., list[Known]]] = {
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
