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
_NARROW, _WIDE = (128, 192), (192, 320)  # Channels between the convolutions, and channels of the latent.
_FIRST_WIDE = {_FACTORIZED: 6, _HYPERPRIOR: 6, _MEAN: 5, _SERIAL: 5}
_PARAMETERS = {
    _FACTORIZED: (2_997_763, 7_029_891),
    _HYPERPRIOR: (5_075_587, 11_815_939),
    _MEAN: (7_027_747, 17_561_315),
    _SERIAL: (13_171_619, 22_841_812),
}
_PAPERS = {
    _FACTORIZED: "Balle et al., ICLR 2018",
    _HYPERPRIOR: "Balle et al., ICLR 2018",
    _MEAN: "Minnen et al., NeurIPS 2018",
    _SERIAL: "Minnen et al., NeurIPS 2018",
}


def sizes_of(name: str, width: int, latent_depth: int) -> dict[str, Any]:
    """Returns the arguments of the parts that make CompressAI's model of these widths.

    Args:
      name: One of the registered names that start with "compressai-", or "mbt2018".
      width: Channels between the convolutions; CompressAI names them N.
      latent_depth: Channels of the latent; CompressAI names them M.
    """
    return {
        "width": width,
        "latent_depth": latent_depth,
        "square_root": True,
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
        "outer_width": width,
        "hyper_width": width,
        "side_depth": width,
        "side_bias": True,
        "predicted_scale": True,
        "scales": (64, 0.11, 256.0, "up"),
    }
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
    if quality not in range(1, 9):
        raise RegistryError(f"{name}: expected quality from 1 to 8, a whole number. Received: {quality!r}.")
    wide = quality >= _FIRST_WIDE[name]
    narrow = (192, 192) if name == _SERIAL else _NARROW
    return PublishedSystem(
        transform="conv",
        entropy={_FACTORIZED: "factorized", _SERIAL: "autoregressive"}.get(name, "hyperprior"),
        hyper="conv",
        lmbda=LAMBDAS["mse"][quality - 1],
        sizes=sizes_of(name, *(_WIDE if wide else narrow)),
        parameters=_PARAMETERS[name][wide],
        paper=_PAPERS[name],
    )


for _name in _PARAMETERS:
    register_model(_name)(functools.partial(_system, _name))
