"""Running an evaluation: codecs are measured over images, and the rows become results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lic.lazy import lazy_names

if TYPE_CHECKING:
    from lic.evaluation.run.classical import ClassicalCodec, classical_codec
    from lic.evaluation.run.evaluation import evaluate
    from lic.evaluation.run.measurement import CONVENTIONS, Compressor, measure
    from lic.evaluation.run.metrics import in_decibels, ms_ssim, psnr
    from lic.evaluation.run.results import Failure, Results, Row

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
# Results are read, compared and drawn without TensorFlow, which these names need.
_HOMES = {
    "lic.evaluation.run.classical": ("ClassicalCodec", "classical_codec"),
    "lic.evaluation.run.evaluation": ("evaluate",),
    "lic.evaluation.run.measurement": ("CONVENTIONS", "Compressor", "measure"),
    "lic.evaluation.run.metrics": ("in_decibels", "ms_ssim", "psnr"),
    "lic.evaluation.run.results": ("Failure", "Results", "Row"),
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
