"""Published systems by name: their parts, their sizes, their papers. This file imports no TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from lic.models.lambdas import LAMBDAS
from lic.registry import register_model


@dataclasses.dataclass(frozen=True)
class PublishedSystem:
    """A model that `lic.create_model` makes by its name; functions under `lic.register_model` return it.

    Attributes:
      transform: Name of the transform.
      entropy: Name of the entropy model.
      hyper: Name of the hyper transform, or None for the one named like the transform, else "conv".
      likelihood: Name of the likelihood, or None for that of the entropy model, usually "normal".
      hyper_entropy: Name of the entropy model of the side information, or None for "factorized".
      lmbda: Weight of the mean squared error on 0..255 against bits per pixel, or one weight for each quality.
      sizes: Arguments of the parts that differ from their defaults; each must be one that a part has.
      parameters: Number of parameters.
      paper: The paper that published the model.
      licence: Licence of the weights that ship, or of the code if none ship.
      weights: Name of the codec file that ships, or None.
    """

    transform: str
    entropy: str
    hyper: str | None = None
    likelihood: str | None = None
    hyper_entropy: str | None = None
    lmbda: float | Sequence[float] = 0.01
    sizes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    parameters: int = 0
    paper: str = ""
    licence: str = "Apache-2.0"
    weights: str | None = None


# The models that are built on ms2020 share these sizes of transform and hyper transform with it.
_MS2020_BACKBONE = {
    "width": 192,
    "latent_depth": 320,
    "hyper_width": 256,
    "side_depth": 192,
    "kernel_form": "dft",
}


# SwinT-ChARM's paper gives these channels of the four stages and of the hyper transforms, by transform and size.
_ZYC2022_CHANNELS = {
    "swin": {
        "s": ((96, 128, 160, 192), (96, 128)),
        "m": ((128, 192, 256, 320), (192, 192)),
        "l": ((160, 256, 352, 448), (192, 256)),
    },
    "conv": {"s": (192, 128), "m": (320, 192), "l": (448, 256)},
}


def _swin_sizes(size: str) -> dict[str, Any]:
    (*width, latent_depth), (hyper_width, side_depth) = _ZYC2022_CHANNELS["swin"][size]
    return {
        "width": tuple(width),
        "latent_depth": latent_depth,
        "depths": (2, 2, 6, 2),
        "window": 8,
        "hyper_width": hyper_width,
        "side_depth": side_depth,
        "hyper_depths": (5, 1),
        "hyper_window": 4,
        "head_dim": 32,
        "features": 2 * latent_depth,
    }


def _conv_sizes(size: str) -> dict[str, Any]:
    width, hyper_width = _ZYC2022_CHANNELS["conv"][size]
    return {
        "width": width,
        "latent_depth": width,
        "outer_width": hyper_width,
        "hyper_width": hyper_width,
        "side_depth": hyper_width,
        "features": 2 * width,
        "features_activation": None,
    }


NUM_SLICES = 10  # Of ms2020 and zyc2022.


def _charm_sizes(latent_depth: int) -> dict[str, Any]:
    """Returns slice networks whose first width is two thirds of support and slice, and whose second is half of that."""
    supports = [latent_depth * (max(number, 1) + 2) / NUM_SLICES for number in range(NUM_SLICES)]
    return {
        "num_slices": NUM_SLICES,
        "slice_widths": tuple((int(support * 2 / 3), int(support / 3)) for support in supports),
        "kernel_sizes": (3, 3, 3),
        "feature_support": "own",
    }


def _zyc2022(transform: str, entropy: str, size: str, parameters: int) -> PublishedSystem:
    sizes = _swin_sizes(size) if transform == "swin" else _conv_sizes(size)
    own = _charm_sizes(sizes["latent_depth"]) if entropy == "charm" else {"parameter_network": False}
    return PublishedSystem(transform, entropy, transform, sizes=sizes | own, parameters=parameters, paper=_ZYC2022)


_ZYC2022 = "Zhu, Yang, Cohen, ICLR 2022"
_ZYC2022_PARAMETERS = {
    ("zyc2022", "swin", "charm"): {"s": 11_945_162, "m": 32_556_240, "l": 57_252_228},
    ("zyc2022-swint-hyperprior", "swin", "hyperprior"): {"s": 9_115_970, "m": 24_664_004, "l": 41_802_088},
    ("zyc2022-conv-charm", "conv", "charm"): {"s": 10_917_707, "m": 29_270_863, "l": 56_492_255},
    ("zyc2022-conv-hyperprior", "conv", "hyperprior"): {"s": 8_088_515, "m": 21_378_627, "l": 41_042_115},
}
for (_name, *_parts), _numbers in _ZYC2022_PARAMETERS.items():
    for _size, _number in _numbers.items():
        _system = functools.partial(_zyc2022, *_parts, _size, _number)
        register_model(_name if _size == "m" else f"{_name}-{_size}")(_system)


# tensorflow-compression's bmshj2018.py and the mean-scale hyperprior after it share these sizes.
_BMSHJ2018_BACKBONE = {
    "width": 192,
    "latent_depth": 192,
    "hyper_width": 192,
    "side_depth": 192,
    "kernel_form": "dft",
    "features_activation": None,
    "parameter_network": False,
    "quantization": "noise/noise",
}


@register_model("bls2017")
def bls2017() -> PublishedSystem:
    """Three convolutions each way under a factorized prior, as in tensorflow-compression's bls2017.py."""
    return PublishedSystem(
        transform="conv",
        entropy="factorized",
        sizes={
            "width": 128,
            "latent_depth": 128,
            "kernel_form": "dft",
            "analysis_strides": (4, 2, 2),
            "analysis_kernel_sizes": (9, 5, 5),
            "latent_bias": False,
            "quantization": "noise/noise",
        },
        parameters=2_105_347,
        paper="Balle et al., ICLR 2017",
    )


@register_model("bmshj2018-hyperprior")
def bmshj2018_hyperprior() -> PublishedSystem:
    """Scales from side information and no means, as in tensorflow-compression's bmshj2018.py."""
    return PublishedSystem(
        transform="conv",
        entropy="hyperprior",
        hyper="conv",
        sizes={**_BMSHJ2018_BACKBONE, "features": 192, "absolute_latent": True, "zero_mean": True},
        parameters=11_729_283,
        paper="Balle et al., ICLR 2018",
    )


@register_model("mbt2018-mean")
def mbt2018_mean() -> PublishedSystem:
    """Means and scales from side information, with the sizes of the paper's table 1 without its context model."""
    return PublishedSystem(
        transform="conv",
        entropy="hyperprior",
        hyper="conv",
        sizes={
            **_BMSHJ2018_BACKBONE,
            "hyper_synthesis_widths": (192, 288),
            "features": 384,
            "hyper_activation": "leaky_relu",
        },
        parameters=12_853_923,
        paper="Minnen et al., NeurIPS 2018",
    )


@register_model("hzswq2021")
def hzswq2021() -> PublishedSystem:
    """The checkerboard context model in two passes on the ms2020 backbone."""
    return PublishedSystem(
        transform="conv",
        entropy="checkerboard",
        hyper="conv",
        sizes={
            **_MS2020_BACKBONE,
            "context_width": 640,
            "parameter_widths": (960, 640),
            "residual": True,
        },
        parameters=26_370_403,
        paper="He et al., CVPR 2021",
    )


@register_model("ms2020")
def ms2020() -> PublishedSystem:
    """Channel-wise autoregression in ten slices with latent residual prediction."""
    return PublishedSystem(
        transform="conv",
        entropy="charm",
        hyper="conv",
        sizes={
            **_MS2020_BACKBONE,
            "num_syntheses": 2,
            "num_slices": NUM_SLICES,
            "max_support": 5,
            "slice_widths": (224, 128),
            "feature_support": "halves",
            "residual": True,
        },
        parameters=116_301_699,
        paper="Minnen and Singh, ICIP 2020",
    )


@register_model("default")
def default() -> PublishedSystem:
    """A small model of eight qualities whose weights ship: block transform, residual branches, checkerboard."""
    return PublishedSystem(
        transform="klt",
        entropy="checkerboard",
        hyper="conv",
        likelihood="generalized-normal",
        lmbda=LAMBDAS["mse"],
        sizes={
            "width": 192,
            "latent_depth": 320,
            "num_blocks": (13, 3),
            "block": "depthwise",
            "shape": 1.4,
            "outer_width": 96,
            "hyper_width": 96,
            "side_depth": 64,
            "features": 128,
            "kernel_size": 3,
            "context_width": 128,
            "parameter_widths": (192,),
            "fusion": "add",
        },
        parameters=8_089_344,
        paper="made for lic",
        weights="default.codec",
    )
