"""Evaluation: `run` measures codecs, `compare` compares them, `plots` draws results, `inspect` looks at one image."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lic.evaluation import compare, inspect, plots, run

__all__ = ["compare", "inspect", "plots", "run"]


def __getattr__(name: str) -> ModuleType:
    """Imports a package when it is first used, because comparing and drawing need no TensorFlow."""
    if name not in __all__:
        raise AttributeError(f"module 'lic.evaluation' has no attribute {name!r}")
    return importlib.import_module(f"lic.evaluation.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
