"""The conformance kit: plain functions that prove a part right, or raise an error with the law that it breaks.

Names are loaded when they are first used, since pytest imports this package for its plugin in every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lic.testing.codec_laws import check_codec
    from lic.testing.entropy_laws import check_entropy_model
    from lic.testing.hyper_laws import check_hyper_transform
    from lic.testing.laws import LawError
    from lic.testing.likelihood_laws import check_likelihood
    from lic.testing.model_laws import check_model
    from lic.testing.transform_laws import check_transform

_HOMES = {
    "LawError": "laws",
    "check_codec": "codec_laws",
    "check_entropy_model": "entropy_laws",
    "check_hyper_transform": "hyper_laws",
    "check_likelihood": "likelihood_laws",
    "check_model": "model_laws",
    "check_transform": "transform_laws",
}
__all__ = [
    "LawError",
    "check_codec",
    "check_entropy_model",
    "check_hyper_transform",
    "check_likelihood",
    "check_model",
    "check_transform",
]


def __getattr__(name: str) -> Any:
    """Loads a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lic.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lic.testing.{_HOMES[name]}"), name)
