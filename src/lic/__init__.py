"""Learned image compression from parts: Keras layers, entropy models and real codecs.

Importing `lic` imports neither TensorFlow nor numpy; each name below is loaded when it is first used.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lic._version import __version__
from lic.lazy import lazy_names

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    raise ImportError(f"lic needs Python 3.10 to 3.13; this is Python {sys.version_info[0]}.{sys.version_info[1]}.")

# Type checkers read these imports, and Python loads the names in `_HOMES`; tests/test_lazy.py holds the two together.
if TYPE_CHECKING:
    from lic import (  # noqa: F401
        codec,
        complexity,
        entropy,
        evaluation,
        images,
        interop,
        layers,
        models,
        testing,
        training,
        transforms,
        weights,
    )
    from lic.codec.codec import Codec, load
    from lic.entropy.base import EntropyModel
    from lic.entropy.distributions.base import Distribution, Likelihood
    from lic.errors import (
        BitstreamError,
        CheckpointError,
        DesyncError,
        DivergenceError,
        EvaluationError,
        ImageError,
        LicError,
        RegistryError,
        TrainingError,
        WrongModelError,
    )
    from lic.evaluation.inspect.numbers import inspect
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
    "DivergenceError",
    "EntropyModel",
    "EvaluationError",
    "HyperTransform",
    "ImageError",
    "LicError",
    "Likelihood",
    "PublishedSystem",
    "RegistryError",
    "TrainingError",
    "TrainingSettings",
    "Transform",
    "WrongModelError",
    "__version__",
    "beta_of_lmbda",
    "create_model",
    "evaluate",
    "import_checkpoint",
    "inspect",
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

_HOMES = {
    "lic.codec.codec": ("Codec", "load"),
    "lic.entropy.base": ("EntropyModel",),
    "lic.entropy.distributions.base": ("Distribution", "Likelihood"),
    "lic.errors": (
        "BitstreamError",
        "CheckpointError",
        "DesyncError",
        "DivergenceError",
        "EvaluationError",
        "ImageError",
        "LicError",
        "RegistryError",
        "TrainingError",
        "WrongModelError",
    ),
    "lic.evaluation.inspect.numbers": ("inspect",),
    "lic.evaluation.run.evaluation": ("evaluate",),
    "lic.interop.import_weights": ("import_checkpoint",),
    "lic.models.base": ("CompressionModel",),
    "lic.models.create": ("create_model",),
    "lic.models.lambdas": ("LAMBDAS", "beta_of_lmbda", "lmbda_of_beta"),
    "lic.models.optimizer": ("Adam",),
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
# These are attributes and stand in `dir(lic)`, but `from lic import *` does not bring them: `layers` and `models` are
# names of users.
_SUBMODULES = (
    "codec",
    "complexity",
    "entropy",
    "evaluation",
    "images",
    "interop",
    "layers",
    "models",
    "testing",
    "training",
    "transforms",
    "weights",
)
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES, _SUBMODULES)
