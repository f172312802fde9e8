"""Models from configurations that stand in a user's files and may describe anything."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from lic.errors import CheckpointError, as_checkpoint_error
from lic.layers.initial_weights import skip_random_init

_MOST = 2**16  # A configuration may name counts up to here, or up to the file's number of numbers.
_DEPTH = 50
_PARTS_AT_ONCE = 4  # A part may be made anew for an argument of a later edition, and its weights with it.


class Shaped(Protocol):
    """An array, or the header of one."""

    size: int


@contextlib.contextmanager
def described_by_file(config: Any, weights: Mapping[str, Shaped]) -> Iterator[None]:
    """Guards code that makes a model and its variables from a configuration in a file.

    Args:
      config: The configuration, as the file holds it.
      weights: The file's weights, or their headers. A model that asks for more weights or more numbers is refused
        before it takes memory.

    Raises:
      CheckpointError: The configuration describes no model.
    """
    numbers = sum(weight.size for weight in weights.values())
    limits = {"largest": _PARTS_AT_ONCE * numbers, "most": _PARTS_AT_ONCE * len(weights)}
    with as_checkpoint_error("The configuration describes no model"):
        check_numbers(config, numbers)
        with skip_random_init(**limits):
            yield


def check_numbers(config: Any, numbers: int) -> None:
    """Checks that no number in a configuration can stand for more channels, layers or symbols than a file holds.

    Args:
      config: The configuration.
      numbers: How many numbers the weights have.

    Raises:
      CheckpointError: A number is larger.
    """
    _check_numbers(config, max(numbers, _MOST), _DEPTH)


def _check_numbers(value: Any, most: int, depth: int) -> None:
    if not depth:
        raise CheckpointError(f"The configuration has parts inside parts, more than {_DEPTH} deep. Get the file anew.")
    if isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            _check_numbers(each, most, depth - 1)
    elif isinstance(value, (int, float)) and not (math.isfinite(value) and abs(value) <= most):
        raise CheckpointError(
            f"The configuration holds the number {value!r}, expected one of {most} at most. Make the argument smaller, "
            "or get the file anew."
        )
