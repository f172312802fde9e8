"""CompressAI's models by name and quality, for the weights of its zoo. This file imports no TensorFlow."""

from __future__ import annotations

import functools
from typing import Any

from lic.errors import RegistryError
from lic.models.lambdas import LAMBDAS
from lic.models.published import PublishedSystem
from lic.registry import register_model

QUALITY = 4  # The quality of a model for which the caller asks for none.
_FACTORIZED = "compressai-bmshj2018-factorized"
_HYPERPRIOR = "compressai-bmshj2018-hyperprior"
_MEAN = "compressai-mbt2018-mean"
_SERIAL = "mbt2018"
_RESIDUAL, _ATTENTION = "cheng2020-anchor", "cheng2020-attn"
# Channels between the convolutions, and channels of the latent: of the narrow model, and of the wide one.
_WIDTHS = {
    _FACTORIZED: ((128, 192), (192, 320)),
    _HYPERPRIOR: ((128, 192), (192, 320)),
    _MEAN: ((128, 192), (192, 320)),
    _SERIAL: ((192, 192), (192, 320)),
    _RESIDUAL: ((128, 128), (192, 192)),
    _ATTENTION: ((128, 128), (192, 192)),
}
# The first quality of the wide model, and the last one.
_QUALITIES = {
    _FACTORIZED: (6, 8),
    _HYPERPRIOR: (6, 8),
    _MEAN: (5, 8),
    _SERIAL: (5, 8),
    _RESIDUAL: (4, 6),
    _ATTENTION: (4, 6),
}
_PARAMETERS = {
    _FACTORIZED: (2_997_763, 7_029_891),
    _HYPERPRIOR: (5_075_587, 11_815_939),
    _MEAN: (7_027_747, 17_561_315),
    _SERIAL: (13_171_619, 22_841_812),
    _RESIDUAL: (11_406_909, 25_640_108),
    _ATTENTION: (12_757_053, 28_672_940),
}
_PAPERS = {
    _FACTORIZED: "Balle et al., ICLR 2018",
    _HYPERPRIOR: "Balle et al., ICLR 2018",
    _MEAN: "Minnen et al., NeurIPS 2018",
    _SERIAL: "Minnen et al., NeurIPS 2018",
    _RESIDUAL: "Cheng et al., CVPR 2020",
    _ATTENTION: "Cheng et al., CVPR 2020",
}


def sizes_of(name: str, width: int, latent_depth: int) -> dict[str, Any]:
    """Returns the arguments of the parts that make CompressAI's model of these widths.

    Args:
      name: One of the names that this file registers.
      width: Channels between the convolutions; CompressAI names them N.
      latent_depth: Channels of the latent; CompressAI names them M.
    """
    transform = {"attention": name == _ATTENTION} if name in (_RESIDUAL, _ATTENTION) else {"square_root": True}
    return transform | {
        "width": width,
        "latent_depth": latent_depth,
        "quantization": "noise/noise",
        "prior_filters": (3, 3, 3, 3),
        "prior_medians": True,
        "likelihood_bound": 1e-9,
        **_hyper_sizes(name, width, latent_depth),
    }


def _hyper_sizes(name: str, width: int, latent_depth: int) -> dict[str, Any]:
    if name == _FACTORIZED:
        return {}
    shared = {
        "hyper_width": width,
        "side_depth": width,
        "predicted_scale": True,
        "scales": (64, 0.11, 256.0, "up"),
    }
    if name in (_RESIDUAL, _ATTENTION):
        return shared | {"features": 2 * latent_depth, "parameter_activation": "leaky_relu_0.01"}
    shared |= {"outer_width": width, "side_bias": True}
    if name == _HYPERPRIOR:
        zero_mean = {"absolute_latent": True, "zero_mean": True, "parameter_network": False}
        return shared | zero_mean | {"features": latent_depth}
    network = {"parameter_activation": "leaky_relu_0.01"} if name == _SERIAL else {"parameter_network": False}
    return (
        shared
        | network
        | {
            "hyper_synthesis_widths": (latent_depth, latent_depth * 3 // 2),
            "features": 2 * latent_depth,
            "hyper_activation": "leaky_relu_0.01",
            "features_activation": None,
        }
    )


def _system(name: str, quality: int = QUALITY) -> PublishedSystem:
    first_wide, last = _QUALITIES[name]
    if quality not in range(1, last + 1):
        raise RegistryError(f"{name}: expected quality from 1 to {last}, a whole number. Received: {quality!r}.")
    wide, residual = quality >= first_wide, name in (_RESIDUAL, _ATTENTION)
    serial = residual or name == _SERIAL
    return PublishedSystem(
        transform="residual" if residual else "conv",
        entropy="factorized" if name == _FACTORIZED else "autoregressive" if serial else "hyperprior",
        hyper="subpixel" if residual else "conv",
        lmbda=LAMBDAS["mse"][quality - 1],
        sizes=sizes_of(name, *_WIDTHS[name][wide]),
        parameters=_PARAMETERS[name][wide],
        paper=_PAPERS[name],
    )


for _name in _PARAMETERS:
    register_model(_name)(functools.partial(_system, _name))
