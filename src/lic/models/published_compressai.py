"""CompressAI's models by name and quality, for the weights of its zoo. This file imports no TensorFlow."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from lic.errors import RegistryError
from lic.models.lambdas import LAMBDAS
from lic.models.published import PublishedSystem
from lic.registry import register_model

QUALITY = 4  # The quality of a model for which the caller asks for none.
_FACTORIZED = "compressai-bmshj2018-factorized"
_HYPERPRIOR = "compressai-bmshj2018-hyperprior"
_SERIAL = "mbt2018"
_RESIDUAL, _ATTENTION = "cheng2020-anchor", "cheng2020-attn"


class _Zoo(NamedTuple):
    """A model of the zoo, which comes in two widths.

    Attributes:
      parts: The transform, the entropy model and the hyper transform.
      widths: Channels between the convolutions and channels of the latent, of the narrow model and of the wide one.
      parameters: The number of parameters, likewise.
      first_wide: The first quality of the wide model.
      last: The last quality.
      paper: The paper.
    """

    parts: tuple[str, str, str]
    widths: tuple[tuple[int, int], tuple[int, int]]
    parameters: tuple[int, int]
    first_wide: int
    last: int
    paper: str


_NARROW_AND_WIDE = (128, 192), (192, 320)
_MINNEN, _BALLE, _CHENG = "Minnen et al., NeurIPS 2018", "Balle et al., ICLR 2018", "Cheng et al., CVPR 2020"
_CONV, _CONV_SERIAL = ("conv", "hyperprior", "conv"), ("conv", "autoregressive", "conv")
_SUBPIXEL_SERIAL = ("residual", "autoregressive", "subpixel")
_ZOO = {
    _FACTORIZED: _Zoo(("conv", "factorized", "conv"), _NARROW_AND_WIDE, (2_997_763, 7_029_891), 6, 8, _BALLE),
    _HYPERPRIOR: _Zoo(_CONV, _NARROW_AND_WIDE, (5_075_587, 11_815_939), 6, 8, _BALLE),
    "compressai-mbt2018-mean": _Zoo(_CONV, _NARROW_AND_WIDE, (7_027_747, 17_561_315), 5, 8, _MINNEN),
    _SERIAL: _Zoo(_CONV_SERIAL, ((192, 192), (192, 320)), (13_171_619, 22_841_812), 5, 8, _MINNEN),
    _RESIDUAL: _Zoo(_SUBPIXEL_SERIAL, ((128, 128), (192, 192)), (11_406_909, 25_640_108), 4, 6, _CHENG),
    _ATTENTION: _Zoo(_SUBPIXEL_SERIAL, ((128, 128), (192, 192)), (12_757_053, 28_672_940), 4, 6, _CHENG),
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
    model = _ZOO[name]
    if quality not in range(1, model.last + 1):
        raise RegistryError(f"{name}: expected quality from 1 to {model.last}, a whole number. Received: {quality!r}.")
    wide = quality >= model.first_wide
    transform, entropy, hyper = model.parts
    return PublishedSystem(
        transform=transform,
        entropy=entropy,
        hyper=hyper,
        lmbda=LAMBDAS["mse"][quality - 1],
        sizes=sizes_of(name, *model.widths[wide]),
        parameters=model.parameters[wide],
        paper=model.paper,
    )


for _name in _ZOO:
    register_model(_name)(functools.partial(_system, _name))
