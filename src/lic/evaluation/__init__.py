"""Evaluation: `run` measures codecs, `compare` compares them, `plots` draws results, `inspect` looks at one image.

Each package is imported when it is first used, because comparing and drawing need no TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lic.lazy import lazy_names

if TYPE_CHECKING:
    from lic.evaluation import compare, inspect, plots, run

__all__ = ["compare", "inspect", "plots", "run"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, {}, __all__)
