"""Running an evaluation: codecs are measured over images, and the rows become results."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lic.evaluation.run.results import Failure, Results, Row

if TYPE_CHECKING:
    from lic.evaluation.run.classical import ClassicalCodec, classical_codec
    from lic.evaluation.run.evaluation import evaluate
    from lic.evaluation.run.measurement import CONVENTIONS, Compressor, measure
    from lic.evaluation.run.metrics import in_decibels, ms_ssim, psnr

__all__ = [
    "CONVENTIONS",
    "ClassicalCodec",
    "Compressor",
    "Failure",
    "Results",
    "Row",
    "classical_codec",
    "evaluate",
    "in_decibels",
    "measure",
    "ms_ssim",
    "psnr",
]
# Results are read, compared and drawn without TensorFlow, which these names need; so each is loaded when it is used.
_HOMES = {
    "CONVENTIONS": "measurement",
    "ClassicalCodec": "classical",
    "Compressor": "measurement",
    "classical_codec": "classical",
    "evaluate": "evaluation",
    "in_decibels": "metrics",
    "measure": "measurement",
    "ms_ssim": "metrics",
    "psnr": "metrics",
}


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lic.evaluation.run' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"lic.evaluation.run.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
