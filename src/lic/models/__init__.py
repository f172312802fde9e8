"""Compression models: parts assembled by name, published systems, and the loss and optimizer that train them.

Published systems and lambdas are read without TensorFlow, so each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lic.lazy import lazy_names

if TYPE_CHECKING:
    from lic.models.base import Compressed, CompressionModel
    from lic.models.create import create_model
    from lic.models.distortion import ms_ssim
    from lic.models.lambdas import LAMBDAS, beta_of_lmbda, lmbda_of_beta
    from lic.models.optimizer import Adam
    from lic.models.published import PublishedSystem
    from lic.models.rate import Gains, RateControl, SingleRate
    from lic.models.soap import SOAP

__all__ = [
    "LAMBDAS",
    "SOAP",
    "Adam",
    "Compressed",
    "CompressionModel",
    "Gains",
    "PublishedSystem",
    "RateControl",
    "SingleRate",
    "beta_of_lmbda",
    "create_model",
    "lmbda_of_beta",
    "ms_ssim",
]

_HOMES = {
    "lic.models.base": ("Compressed", "CompressionModel"),
    "lic.models.create": ("create_model",),
    "lic.models.distortion": ("ms_ssim",),
    "lic.models.lambdas": ("LAMBDAS", "beta_of_lmbda", "lmbda_of_beta"),
    "lic.models.optimizer": ("Adam",),
    "lic.models.published": ("PublishedSystem",),
    "lic.models.rate": ("Gains", "RateControl", "SingleRate"),
    "lic.models.soap": ("SOAP",),
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
