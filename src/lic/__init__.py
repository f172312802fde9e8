"""Learned image compression from parts: Keras layers, entropy models and real codecs.

Importing `lic` imports neither TensorFlow nor numpy; each name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from lic._version import __version__

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    raise ImportError(f"lic needs Python 3.10 to 3.13; this is Python {sys.version_info[0]}.{sys.version_info[1]}.")

if TYPE_CHECKING:
    from lic.codec.codec import Codec, load
    from lic.entropy.base import EntropyModel
    from lic.entropy.distributions.base import Distribution, Likelihood
    from lic.errors import (
        BitstreamError,
        CheckpointError,
        DesyncError,
        EvaluationError,
        ImageError,
        LicError,
        RegistryError,
        WrongModelError,
    )
    from lic.evaluation.run.evaluation import evaluate
    from lic.interop.import_weights import import_checkpoint
    from lic.models.base import CompressionModel
    from lic.models.create import create_model
    from lic.models.lambdas import LAMBDAS, beta_of_lmbda, lmbda_of_beta
    from lic.models.optimizer import Adam
    from lic.models.published import PublishedSystem
    from lic.models.soap import SOAP
    from lic.registry import (
        list_entropy_models,
        list_hyper_transforms,
        list_likelihoods,
        list_models,
        list_transforms,
        register_entropy_model,
        register_hyper_transform,
        register_likelihood,
        register_model,
        register_transform,
    )
    from lic.training.loop import train
    from lic.training.settings import TrainingSettings
    from lic.transforms.base import HyperTransform, Transform

_HOMES = {
    "lic.codec.codec": ("Codec", "load"),
    "lic.entropy.base": ("EntropyModel",),
    "lic.entropy.distributions.base": ("Distribution", "Likelihood"),
    "lic.errors": (
        "BitstreamError",
        "CheckpointError",
        "DesyncError",
        "EvaluationError",
        "ImageError",
        "LicError",
        "RegistryError",
        "WrongModelError",
    ),
    "lic.evaluation.run.evaluation": ("evaluate",),
    "lic.models.optimizer": ("Adam",),
    "lic.models.base": ("CompressionModel",),
    "lic.interop.import_weights": ("import_checkpoint",),
    "lic.models.create": ("create_model",),
    "lic.models.lambdas": ("LAMBDAS", "beta_of_lmbda", "lmbda_of_beta"),
    "lic.models.published": ("PublishedSystem",),
    "lic.models.soap": ("SOAP",),
    "lic.registry": (
        "list_entropy_models",
        "list_hyper_transforms",
        "list_likelihoods",
        "list_models",
        "list_transforms",
        "register_entropy_model",
        "register_hyper_transform",
        "register_likelihood",
        "register_model",
        "register_transform",
    ),
    "lic.training.loop": ("train",),
    "lic.training.settings": ("TrainingSettings",),
    "lic.transforms.base": ("HyperTransform", "Transform"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "LAMBDAS",
    "SOAP",
    "Adam",
    "BitstreamError",
    "CheckpointError",
    "Codec",
    "CompressionModel",
    "DesyncError",
    "Distribution",
    "EntropyModel",
    "EvaluationError",
    "HyperTransform",
    "ImageError",
    "LicError",
    "Likelihood",
    "PublishedSystem",
    "RegistryError",
    "TrainingSettings",
    "Transform",
    "WrongModelError",
    "__version__",
    "beta_of_lmbda",
    "create_model",
    "evaluate",
    "import_checkpoint",
    "list_entropy_models",
    "list_hyper_transforms",
    "list_likelihoods",
    "list_models",
    "list_transforms",
    "lmbda_of_beta",
    "load",
    "register_entropy_model",
    "register_hyper_transform",
    "register_likelihood",
    "register_model",
    "register_transform",
    "train",
]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used."""
    if name == "testing":
        return importlib.import_module("lic.testing")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'lic' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
