"""Arguments are checked against their annotations when a part is made, so that no part fails later for a wrong type."""

from __future__ import annotations

import collections.abc
import math
import numbers
import types
import typing
from typing import Annotated, Any, NamedTuple

import numpy as np


class Bounds(NamedTuple):
    """The numbers that an annotated argument takes.

    Attributes:
      least: The smallest one.
      most: The largest one.
    """

    least: float
    most: float = math.inf


Count = Annotated[int, Bounds(1)]  # A number of channels, layers, slices and the like.
CountOrZero = Annotated[int, Bounds(0)]

# Memory grows with the square or the fourth power of these numbers. More would be a mistake, or a file that was made to
# fill the memory.
ImageChannels = Annotated[int, Bounds(1, 4096)]
Downscale = Annotated[int, Bounds(1, 128)]  # Of a whole transform.
Stride = Annotated[int, Bounds(1, 64)]  # Of one layer.
WindowSize = Annotated[int, Bounds(1, 32)]  # Height and width of windows whose positions attend to each other.


def check_argument(owner: str, name: str, value: Any, hint: Any) -> None:
    """Checks that an argument has the type of its annotation.

    Whole numbers of any type, such as 8.0 and `np.int64(8)`, are integers. Hints of other things than numbers, strings,
    sequences and None are not checked, but that a part is not None.

    Args:
      owner: The class or function, for the message.
      name: The argument.
      value: Its value.
      hint: Its annotation.

    Raises:
      ValueError: It has another type, or is too small.
    """
    if not _fits(value, hint):
        raise ValueError(f"{owner}: expected {name} to be {_described(hint)}. Received: {name}={value!r}.")


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        bounds = [bound for bound in arguments[1:] if isinstance(bound, Bounds)]
        return _fits(value, arguments[0]) and all(bound.least <= value <= bound.most for bound in bounds)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, member) for member in arguments)
    if origin is typing.Literal:
        return any(value is member or value == member for member in arguments)
    if origin in (tuple, list, collections.abc.Sequence, collections.abc.Iterable):
        return _fits_items(value, origin, arguments)
    if hint is type(None):
        return value is None
    if hint in (bool, int, float, str):
        return _fits_plain(value, hint)
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return isinstance(value, (list, tuple)) and len(value) <= len(hint._fields)
    # A constructor itself checks the parts and layers that it is given.
    return value is not None or not _is_kind_of_part(hint)


def _is_kind_of_part(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "registry")


def _fits_plain(value: Any, hint: type) -> bool:
    is_bool = isinstance(value, (bool, np.bool_))
    if hint in (bool, str):
        return is_bool if hint is bool else isinstance(value, str)
    is_number = isinstance(value, numbers.Real) and not is_bool
    return is_number and (hint is float or float(value).is_integer())


def _fits_items(value: Any, origin: Any, hints: tuple) -> bool:
    if isinstance(value, (str, bytes, collections.abc.Set, collections.abc.Mapping)) or not isinstance(
        value, (collections.abc.Iterable, np.ndarray)
    ):
        return False
    if isinstance(value, collections.abc.Iterator):
        return True  # Its items are gone once they have been looked at.
    if origin is tuple and Ellipsis not in hints:
        return len(value) == len(hints) and all(map(_fits, value, hints))
    return all(_fits(item, hints[0]) for item in value)


def _described(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        bounds = [bound for bound in arguments[1:] if isinstance(bound, Bounds)]
        texts = [
            f" of at least {bound.least}" if bound.most == math.inf else f" from {bound.least} to {bound.most}"
            for bound in bounds
        ]
        return _described(arguments[0]) + "".join(texts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_described(member) for member in arguments))
    if origin is typing.Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin is tuple and Ellipsis not in arguments:
        return f"{len(arguments)} values, each {' or '.join(dict.fromkeys(map(_described, arguments)))}"
    if origin in (tuple, list, collections.abc.Sequence, collections.abc.Iterable):
        return f"a sequence whose items are each {_described(arguments[0])}"
    if _is_kind_of_part(hint):
        return f"a lic.{hint.__name__}"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "a string", type(None): "None"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))
