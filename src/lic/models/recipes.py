"""Models by name: which parts, which sizes, which paper. This file imports no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lic.registry import register_model


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What `lic.create_model(name)` makes.

    Attributes:
      transform: Name of the transform.
      entropy: Name of the entropy model.
      hyper: Name of the hyper transform, or None for the default.
      lmbda: Weight of the mean squared error on 0..255 against bits per pixel.
      sizes: Sizes of the parts that differ from their defaults.
      parameters: Number of parameters.
      paper: Where the model was published.
      licence: Licence of the weights that ship, or of the code where none ship.
      weights: Name of the codec file that ships, or None.
    """

    transform: str
    entropy: str
    hyper: str | None = None
    lmbda: float = 0.01
    sizes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    parameters: int = 0
    paper: str = ""
    licence: str = "Apache-2.0"
    weights: str | None = None


@register_model("default")
def default() -> Recipe:
    """A small model with weights that ship: block transform, residual branches, checkerboard context."""
    return Recipe(
        transform="klt",
        entropy="checkerboard",
        hyper="conv",
        lmbda=0.01,
        sizes={
            "width": 128,
            "latent_depth": 192,
            "outer_width": 96,
            "hyper_width": 96,
            "side_depth": 64,
            "features": 128,
            "kernel_size": 3,
            "context_width": 128,
            "parameter_widths": (192,),
            "fusion": "add",
        },
        parameters=3_778_368,
        paper="made for lic",
        weights="default.codec",
    )
