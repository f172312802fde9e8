"""Models from configurations of files, which may describe anything."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lic.environment import tf
from lic.errors import CheckpointError
from lic.layers.initializers import replaced_at_once


@contextlib.contextmanager
def described_by_file(numbers: int) -> Iterator[None]:
    """Tells what goes wrong while a model and its variables are made from a configuration that a file holds.

    Args:
      numbers: How many numbers the file has for all weights; a weight of more is refused before it takes memory.

    Raises:
      CheckpointError: The configuration describes no model.
    """
    try:
        with replaced_at_once(largest=numbers):
            yield
    except (AttributeError, KeyError, TypeError, ValueError, tf.errors.OpError) as error:
        raise CheckpointError(
            f"The configuration describes no model ({type(error).__name__}: {error}). Get the file anew."
        ) from error
