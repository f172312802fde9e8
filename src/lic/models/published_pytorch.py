"""Systems whose code was published in PyTorch, by name and quality. This file imports no TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lic.errors import RegistryError
from lic.models.lambdas import LAMBDAS
from lic.models.published import PublishedSystem
from lic.registry import register_model

QUALITY = 4  # The quality of a model for which the caller asks for none.


class _Published(NamedTuple):
    """A system in one or two widths.

    Attributes:
      parts: The transform, the entropy model and the hyper transform.
      sizes: Returns the arguments of the parts for channels between convolutions and channels of the latent.
      widths: These numbers of the narrow model and of the wide one.
      parameters: The number of parameters, likewise.
      first_wide: The first quality of the wide model.
      paper: The paper.
      lambdas: The weight of the distortion at each quality.
      likelihood: The likelihood, or None for a normal one.
      hyper_entropy: The entropy model of the side information, or None for the factorized one.
    """

    parts: tuple[str, str, str]
    sizes: Callable[[int, int], dict[str, Any]]
    widths: tuple[tuple[int, int], tuple[int, int]]
    parameters: tuple[int, int]
    first_wide: int
    paper: str
    lambdas: Sequence[float] = LAMBDAS["mse"]
    likelihood: str | None = None
    hyper_entropy: str | None = None


_DENSITY = {
    "quantization": "noise/noise",
    "prior_filters": (3, 3, 3, 3),
    "prior_medians": True,
    "likelihood_bound": 1e-9,
}
_SCALES = {"predicted_scale": True, "scales": (64, 0.11, 256.0, "up")}


def _factorized(width: int, latent_depth: int) -> dict[str, Any]:
    return _DENSITY | {"square_root": True, "width": width, "latent_depth": latent_depth}


def _conv_hyper(width: int, latent_depth: int) -> dict[str, Any]:
    side = {"hyper_width": width, "side_depth": width, "outer_width": width, "side_bias": True}
    return _factorized(width, latent_depth) | _SCALES | side


def _hyperprior(width: int, latent_depth: int) -> dict[str, Any]:
    zero_mean = {"absolute_latent": True, "zero_mean": True, "parameter_network": False}
    return _conv_hyper(width, latent_depth) | zero_mean | {"features": latent_depth}


def _with_means(width: int, latent_depth: int) -> dict[str, Any]:
    return _conv_hyper(width, latent_depth) | {
        "hyper_synthesis_widths": (latent_depth, latent_depth * 3 // 2),
        "features": 2 * latent_depth,
        "hyper_activation": "leaky_relu_0.01",
        "features_activation": None,
    }


def _mean(width: int, latent_depth: int) -> dict[str, Any]:
    return _with_means(width, latent_depth) | {"parameter_network": False}


def _serial(width: int, latent_depth: int) -> dict[str, Any]:
    return _with_means(width, latent_depth) | {"parameter_activation": "leaky_relu_0.01"}


def _cheng2020(width: int, latent_depth: int, attention: bool) -> dict[str, Any]:
    return {
        **_DENSITY,
        **_SCALES,
        "width": width,
        "latent_depth": latent_depth,
        "attention": attention,
        "hyper_width": width,
        "side_depth": width,
        "features": 2 * latent_depth,
        "parameter_activation": "leaky_relu_0.01",
    }


def _ramps(features: int, depths: Sequence[int], least: int) -> tuple[tuple[int, ...], ...]:
    """Returns inner channels on a straight line from each group's inputs to its parameters, but at least so many."""
    inputs = [features + (4 if number else 2) * depth for number, depth in enumerate(depths)]
    return tuple(
        tuple(max(least, int(first + (2 * depth - first) * layer / 3)) for layer in (1, 2))
        for first, depth in zip(inputs, depths)
    )


def _elic2022(width: int, latent_depth: int, official: bool) -> dict[str, Any]:
    """Returns the sizes of CompressAI's `Elic2022Official`, or of its `Elic2022Chandelier`."""
    depths = (16, 16, 32, 64, latent_depth - 128)
    features = 2 * width if official else 2 * latent_depth
    return {
        **_DENSITY,
        **_SCALES,
        "width": width,
        "latent_depth": latent_depth,
        "outer_width": width,
        "hyper_width": width,
        "side_depth": width,
        "side_bias": True,
        "hyper_synthesis_widths": (width, width * 3 // 2),
        "features": features,
        "features_activation": None,
        "group_depths": depths,
        "context_width": None,
        "channel_widths": (224, 128),
        "channel_kernel_size": 5,
        "support": "all" if official else "first and last",
        "parameter_widths": _ramps(features, depths, 384) if official else (640, 512),
        "fusion": "concatenate",
        "anchor_parity": "even",
    }


def _zou2022(num_slices: int, analysis_widths: tuple[int, ...], synthesis_widths: tuple[int, ...]) -> dict[str, Any]:
    """Returns what the two systems of Zou et al. have in common: slices of 32 channels, the first half as support."""
    return {
        **_DENSITY,
        **_SCALES,
        "latent_depth": 32 * num_slices,
        "side_depth": 192,
        "features": 32 * num_slices,
        "hyper_activation": "gelu",
        "num_syntheses": 2,
        "analysis_widths": analysis_widths,
        "synthesis_widths": synthesis_widths,
        "num_slices": num_slices,
        "max_support": num_slices // 2,
        "slice_widths": (224, 176, 128, 64),
        "kernel_sizes": (3, 3, 3, 3, 3),
        "slice_activation": "gelu",
        "feature_support": "halves",
        "residual": True,
    }


def _wacnn(width: int, latent_depth: int) -> dict[str, Any]:
    common = _zou2022(latent_depth // 32, (320, 288, 256, 224), (192, 224, 256, 288))
    return common | {"square_root": True, "width": width, "attention": True}


def _stf(width: int, latent_depth: int) -> dict[str, Any]:
    common = _zou2022(latent_depth // 32, (384, 336, 288, 240), (240, 288, 336, 384))
    swin = {"depths": (2, 2, 6, 2), "window": 4, "head_dim": 16, "sees_padding": True}
    swin |= {"norm_first": True, "convolutional_end": True}
    return common | swin | {"width": (width, 2 * width, 4 * width)}


def _tcm(width: int, latent_depth: int) -> dict[str, Any]:
    return {
        **_DENSITY,
        **_SCALES,
        "width": width,
        "latent_depth": latent_depth,
        "hyper_width": width,
        "side_depth": 192,
        "num_slices": 5,
        "slice_widths": (224, 128),
        "kernel_sizes": (3, 3, 3),
        "slice_activation": "gelu",
        "support_attention": 128,
        "feature_support": "halves",
        "residual": True,
    }


def _mlicpp(width: int, latent_depth: int) -> dict[str, Any]:
    return {
        **_DENSITY,
        **_SCALES,
        "width": width,
        "latent_depth": latent_depth,
        "activation": "gelu",
        "hyper_width": width,
        "side_depth": width,
        "features": 2 * latent_depth,
        "hyper_activation": "gelu",
        "synthesis_widths": (latent_depth, latent_depth, latent_depth * 3 // 2, latent_depth * 3 // 2),
    }


def _dcae(width: int, latent_depth: int) -> dict[str, Any]:
    return {
        **_DENSITY,
        **_SCALES,
        "width": (width, width * 3 // 2, width * 8 // 3),
        "latent_depth": latent_depth,
        "attention": False,
        "window_blocks": (1, 2, 12),
        "hyper_width": 192,
        "side_depth": 192,
        "num_slices": 5,
        "slice_widths": (224, 128),
        "kernel_sizes": (3, 3, 3),
        "slice_activation": "gelu",
        "dictionary": 128,
        "residual": True,
    }


def _hpcm(width: int, latent_depth: int) -> dict[str, Any]:
    return {
        "likelihood_bound": 1e-9,
        "predicted_scale": True,
        "scales": (60, 0.12, 64.0, "up"),
        "shape": 1.5,
        "scale_is": "width",
        "width": (width, 2 * width, 4 * width),
        "latent_depth": latent_depth,
        "parameter_network": False,
        "misread_features": True,
    }


def _lalic(width: int, latent_depth: int) -> dict[str, Any]:
    depths = (16, 16, 32, 64, latent_depth - 128)
    return {
        **_DENSITY,
        **_SCALES,
        "width": (width, width * 3 // 2, width * 8 // 3),
        "latent_depth": latent_depth,
        "hyper_width": width * 8 // 3,
        "side_depth": 2 * width,
        "group_depths": depths,
        "context_width": None,
        "channel_widths": (latent_depth,),
        "parameter_widths": _ramps(latent_depth, depths, 256),
        "fusion": "concatenate",
        "anchor_parity": "even",
        "rwkv_blocks": 2,
    }


_BALLE, _MINNEN = "Balle et al., ICLR 2018", "Minnen et al., NeurIPS 2018"
_CHENG, _HE, _ZOU = "Cheng et al., CVPR 2020", "He et al., CVPR 2022", "Zou et al., CVPR 2022"
_LU = "Lu et al., CVPR 2025"
_LIU, _JIANG = "Liu et al., CVPR 2023", "Jiang et al., ACM TOMM 2025"
_SIX = LAMBDAS["mse"][:6]
_NARROW, _WIDE = (128, 192), (192, 320)
_CONV = ("conv", "hyperprior", "conv")
_CHENG2020 = ("residual", "autoregressive", "subpixel")
_MIXED = ("mixed", "charm", "mixed")
_ELIC2022 = ("bottleneck", "space-channel", "conv")
# ELIC, section 4.1, has these weights of the squared error; its widths are the same at all of them.
_ELIC_LAMBDAS = (0.0004, 0.0008, 0.0016, 0.0032, 0.0075, 0.0150, 0.0300, 0.0450)
# TCM, section 4.1.
_TCM_LAMBDAS = (0.0025, 0.0035, 0.0067, 0.0130, 0.0250, 0.0500)
# Channels between the layers of TCM, section 4.3, and the number of parameters.
_TCM_SIZES = {"small": (128, 45_180_368), "middle": (192, 59_133_266), "large": (256, 76_567_764)}

_SYSTEMS = {
    "compressai-bmshj2018-factorized": _Published(
        ("conv", "factorized", "conv"), _factorized, (_NARROW, _WIDE), (2_997_763, 7_029_891), 6, _BALLE
    ),
    "compressai-bmshj2018-hyperprior": _Published(
        _CONV, _hyperprior, (_NARROW, _WIDE), (5_075_587, 11_815_939), 6, _BALLE
    ),
    "compressai-mbt2018-mean": _Published(_CONV, _mean, (_NARROW, _WIDE), (7_027_747, 17_561_315), 5, _MINNEN),
    "mbt2018": _Published(
        ("conv", "autoregressive", "conv"), _serial, ((192, 192), _WIDE), (13_171_619, 22_841_812), 5, _MINNEN
    ),
    "cheng2020-anchor": _Published(
        _CHENG2020,
        functools.partial(_cheng2020, attention=False),
        ((128, 128), (192, 192)),
        (11_406_909, 25_640_108),
        4,
        _CHENG,
        _SIX,
    ),
    "cheng2020-attn": _Published(
        _CHENG2020,
        functools.partial(_cheng2020, attention=True),
        ((128, 128), (192, 192)),
        (12_757_053, 28_672_940),
        4,
        _CHENG,
        _SIX,
    ),
    "wacnn": _Published(("conv", "charm", "subpixel"), _wacnn, (_WIDE,) * 2, (75_235_395,) * 2, 1, _ZOU, _SIX),
    "stf": _Published(("swin", "charm", "subpixel"), _stf, ((48, 384),) * 2, (99_855_255,) * 2, 1, _ZOU, _SIX),
    "tcm": _Published(_MIXED, _tcm, ((256, 320),) * 2, (76_567_764,) * 2, 1, _LIU, _TCM_LAMBDAS),
    "mlicpp": _Published(
        ("residual", "multi-reference", "subpixel"),
        _mlicpp,
        (_WIDE,) * 2,
        (83_501_024,) * 2,
        1,
        _JIANG,
        _SIX,
    ),
    "dcae": _Published(
        ("bottleneck", "charm", "bottleneck-swin"), _dcae, ((96, 320),) * 2, (119_399_967,) * 2, 1, _LU, _SIX
    ),
    "hpcm": _Published(
        ("partial", "hierarchical", "partial"),
        _hpcm,
        ((96, 320),) * 2,
        (68_505_299,) * 2,
        1,
        "Li et al., ICCV 2025",
        _SIX,
        "generalized-normal",
        "parametric",
    ),
    "lalic": _Published(
        ("rwkv", "space-channel", "rwkv"),
        _lalic,
        ((96, 320),) * 2,
        (65_620_661,) * 2,
        1,
        "Feng et al., CVPR 2025",
        _SIX,
    ),
    "elic2022": _Published(
        _ELIC2022,
        functools.partial(_elic2022, official=True),
        (_WIDE, _WIDE),
        (32_073_816, 32_073_816),
        1,
        _HE,
        _ELIC_LAMBDAS,
    ),
    "elic2022-chandelier": _Published(
        _ELIC2022,
        functools.partial(_elic2022, official=False),
        (_WIDE, _WIDE),
        (33_792_387, 33_792_387),
        1,
        _HE,
        _ELIC_LAMBDAS,
    ),
}


def sizes_of(name: str, width: int, latent_depth: int) -> dict[str, Any]:
    """Returns the arguments of the parts that make a system of these widths.

    Args:
      name: One of the names that this file registers.
      width: Channels between the convolutions; CompressAI names them N.
      latent_depth: Channels of the latent; CompressAI names them M.
    """
    return _SYSTEMS[name].sizes(width, latent_depth)


def _system(name: str, quality: int = QUALITY) -> PublishedSystem:
    published = _SYSTEMS[name]
    last = len(published.lambdas)
    if isinstance(quality, bool) or not isinstance(quality, numbers.Integral) or not 1 <= quality <= last:
        raise RegistryError(f"{name}: expected quality from 1 to {last}, a whole number. Received: {quality!r}.")
    wide = quality >= published.first_wide
    transform, entropy, hyper = published.parts
    return PublishedSystem(
        transform=transform,
        entropy=entropy,
        hyper=hyper,
        likelihood=published.likelihood,
        hyper_entropy=published.hyper_entropy,
        lmbda=published.lambdas[quality - 1],
        sizes=sizes_of(name, *published.widths[wide]),
        parameters=published.parameters[wide],
        paper=published.paper,
    )


for _name in _SYSTEMS:
    if _name != "tcm":
        register_model(_name)(functools.partial(_system, _name))


@register_model("tcm")
def tcm(quality: int = QUALITY, size: str = "large") -> PublishedSystem:
    """TCM, which its paper has in three sizes: "small", "middle" and "large"."""
    if size not in _TCM_SIZES:
        raise RegistryError(f"tcm: expected size to be one of {', '.join(_TCM_SIZES)}. Received: {size!r}.")
    width, parameters = _TCM_SIZES[size]
    return dataclasses.replace(_system("tcm", quality), sizes=sizes_of("tcm", width, 320), parameters=parameters)
