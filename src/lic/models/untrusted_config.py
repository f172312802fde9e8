"""Models from configurations that stand in a user's files and may describe anything."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lic.errors import as_checkpoint_error
from lic.layers.tracing import skip_random_init


@contextlib.contextmanager
def described_by_file(numbers: int) -> Iterator[None]:
    """Guards code that makes a model and its variables from a configuration in a file.

    Args:
      numbers: How many numbers the file holds for all weights. A weight of more is refused before it takes memory.

    Raises:
      CheckpointError: The configuration describes no model.
    """
    with as_checkpoint_error("The configuration describes no model"), skip_random_init(largest=numbers):
        yield
