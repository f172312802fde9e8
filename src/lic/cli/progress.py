"""The progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def on_terminal() -> bool:
    """Returns whether standard error shows a progress bar."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def progress_bar(worth_it: bool = True) -> Iterator[Progress]:
    """Shows a progress bar of rich's while the context lasts, or a hidden one where there is no terminal.

    Args:
      worth_it: Whether there is enough work for a bar.
    """
    from rich.console import Console
    from rich.progress import Progress

    # Reports are printed above the bar only if both are on the terminal: rich would wrap lines in a pipe.
    shown = worth_it and on_terminal()
    above = sys.stdout is not None and sys.stdout.isatty()
    progress = Progress(console=Console(stderr=True), redirect_stdout=above, disable=not shown)
    with progress if shown else contextlib.nullcontext():  # Older versions of rich print a line for a hidden bar.
        yield progress
