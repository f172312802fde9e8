"""The conformance kit: functions that check the laws of a part, and raise an error that names each broken law.

Names are loaded when they are first used, because pytest imports this package for its plugin in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lic.lazy import lazy_names

if TYPE_CHECKING:
    from lic.testing.codec_laws import check_codec
    from lic.testing.entropy_laws import check_entropy_model
    from lic.testing.hyper_laws import check_hyper_transform
    from lic.testing.laws import LawError
    from lic.testing.layer_laws import check_layer
    from lic.testing.likelihood_laws import check_likelihood
    from lic.testing.model_laws import check_model
    from lic.testing.transform_laws import check_transform

__all__ = [
    "LawError",
    "check_codec",
    "check_entropy_model",
    "check_hyper_transform",
    "check_layer",
    "check_likelihood",
    "check_model",
    "check_transform",
]

_HOMES = {
    "lic.testing.codec_laws": ("check_codec",),
    "lic.testing.entropy_laws": ("check_entropy_model",),
    "lic.testing.hyper_laws": ("check_hyper_transform",),
    "lic.testing.laws": ("LawError",),
    "lic.testing.layer_laws": ("check_layer",),
    "lic.testing.likelihood_laws": ("check_likelihood",),
    "lic.testing.model_laws": ("check_model",),
    "lic.testing.transform_laws": ("check_transform",),
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
