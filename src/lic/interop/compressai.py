"""Weights of CompressAI's models: which tensor of a state dict is which of our weights, and in which order of axes."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lic import registry
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.scale_table import ScaleTable
from lic.errors import CheckpointError
from lic.interop.torch_state_dict import read_state_dict
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.tracing import skip_random_init
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.published_compressai import QUALITY, sizes_of
from lic.weights import set_tensors

_PREFIX = "compressai-"
_NOT_TAKEN = "mbt2018 and cheng2020 are not taken: no serial context here, their streams would take seconds to decode"
_PRIOR, _NORMAL = "entropy_bottleneck", "gaussian_conditional"
_NEAR = 1e-4  # Numbers that are the same but for rounding.
# Names of earlier releases, by those of 1.2.8.
_OLD = {r"_(?:matrix|matrices\.)(\d)": "matrices", r"_bias(?:es\.)?(\d)": "biases", r"_factors?\.?(\d)": "factors"}
# Tables that `update` makes, and constants: these are passed over.
_PASSED_OVER = re.compile(
    rf"{_PRIOR}\.target|({_PRIOR}|{_NORMAL})\.(_offset|_quantized_cdf|_cdf_length|scale_table|scale_bound|\w+\.bound)"
    r"|g_[as]\.\d\.(beta|gamma)_reparam\..*"
)


class Place(NamedTuple):
    """Where CompressAI keeps a weight of ours.

    Attributes:
      key: Its name in the state dict.
      shape: Its shape there.
      convert: Maps its array to ours.
    """

    key: str
    shape: Sequence[int]
    convert: Callable[[np.ndarray], np.ndarray]


def import_compressai(path: str | os.PathLike, name: str | None = None, quality: int | None = None) -> CompressionModel:
    """Makes a model with weights of CompressAI's; see `lic.import_checkpoint`."""
    return from_state(path, read_state_dict(path), name, quality)


def from_state(
    path: str | os.PathLike, state: Mapping[str, np.ndarray], name: str | None = None, quality: int | None = None
) -> CompressionModel:
    """Makes a model with the weights of a state dict, where `path` says in messages what it is from."""
    state = {_renamed(key): array for key, array in state.items()}
    found = model_of(path, state)
    if name not in (None, found):
        raise CheckpointError(
            f"{path} holds the tensors of {found!r}. Received: {name!r}. Of CompressAI's models "
            f"{', '.join(names())} can be imported; {_NOT_TAKEN}."
        )
    with skip_random_init():
        model = create_model(found, quality=QUALITY if quality is None else quality, **_sizes(path, found, state))
        model.make_variables()
    places = places_of(model)
    _check(path, state, places.values())
    set_tensors(model, {ours: place.convert(state[place.key]) for ours, place in places.items()})
    return model


def names() -> list[str]:
    """Returns the names of CompressAI's models that can be imported."""
    return [name for name in registry.list_models() if name.startswith(_PREFIX)]


def model_of(path: str | os.PathLike, state: Mapping[str, np.ndarray]) -> str:
    """Returns the name of the model whose tensors these are.

    Raises:
      CheckpointError: They are of a model that cannot be imported, or of none.
    """
    if any(key.startswith(("context_prediction.", "entropy_parameters.")) for key in state):
        raise CheckpointError(f"{path} holds the tensors of a model with a serial context. {_NOT_TAKEN}.")
    _require(path, state, ["g_a.0.weight", "g_a.6.weight"])
    if not any(key.startswith("h_s.") for key in state):
        return f"{_PREFIX}bmshj2018-factorized"
    _require(path, state, ["h_s.4.weight"])
    scales_alone = len(state["h_s.4.weight"]) == len(state["g_a.6.weight"])
    return f"{_PREFIX}{'bmshj2018-hyperprior' if scales_alone else 'mbt2018-mean'}"


def places_of(model: CompressionModel) -> dict[str, Place]:
    """Returns where CompressAI keeps each weight of a model, by our name of it."""
    hyper = model.entropy.hyper
    chains = [("transform/analysis", model.transform.analysis, "g_a", 1)]
    chains += [("transform/synthesis", model.transform.synthesis, "g_s", 1)]
    if hyper:
        chains += [("entropy/hyper/analysis", hyper.analysis, "h_a", 2)]
        chains += [("entropy/hyper/synthesis", hyper.synthesis, "h_s", 2)]
    places = {f"entropy/prior/{ours}": place for ours, place in _prior_places(model.entropy.prior)}
    for path, chain, key, step in chains:  # CompressAI counts activations, but for GDN they are no layers of ours.
        weighted = [number for number, layer in enumerate(chain.layers) if layer.weights]
        for order, number in enumerate(weighted):
            swapped = key == "h_s" and number == weighted[-1] and not model.entropy.zero_mean
            for leaf, place in _layer_places(f"{key}.{step * order}", chain.layers[number], swapped):
                places[f"{path}/layers/{number}/{leaf}"] = place
    return places


def _prior_places(prior: FactorizedPrior) -> Iterator[tuple[str, Place]]:
    for group in ("matrices", "biases", "factors"):
        for number, variable in enumerate(getattr(prior, group)):
            yield f"{group}/{number}", Place(f"{_PRIOR}.{group}.{number}", variable.shape, np.array)
    yield "medians", Place(f"{_PRIOR}.quantiles", (prior.channels, 1, 3), lambda quantiles: quantiles[:, 0, 1])


def _layer_places(key: str, layer: Convolution | GDN, swapped: bool) -> Iterator[tuple[str, Place]]:
    """Places of the weights of a layer; where `swapped`, the halves of its channels change places."""
    if isinstance(layer, GDN):
        yield "reparam_beta", Place(f"{key}.beta", layer.reparam_beta.shape, np.array)
        yield "reparam_gamma", Place(f"{key}.gamma", layer.reparam_gamma.shape, np.transpose)
        return
    height, width, inputs, outputs = layer.kernel.shape
    channels = (inputs, outputs) if layer.up > 1 else (outputs, inputs)

    def in_order(array: np.ndarray) -> np.ndarray:
        return np.roll(array, outputs // 2, -1) if swapped else array

    def kernel(array: np.ndarray) -> np.ndarray:
        if layer.up > 1:  # Transposed convolutions are no correlations there either.
            return in_order(array.transpose(2, 3, 0, 1))
        array = in_order(array.transpose(2, 3, 1, 0))
        return array if layer.correlation else array[::-1, ::-1]

    yield "kernel", Place(f"{key}.weight", (*channels, height, width), kernel)
    yield "bias", Place(f"{key}.bias", (outputs,), in_order)


def _renamed(key: str) -> str:
    """The name that CompressAI 1.2.8 has for a tensor, which earlier releases kept under another."""
    for old, new in _OLD.items():
        key = re.sub(rf"{_PRIOR}\.{old}", rf"{_PRIOR}.{new}.\1", key)
    return key


def _sizes(path: str | os.PathLike, name: str, state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The sizes that the tensors have, and what else is kept beside them."""
    sizes = sizes_of(name, len(state["g_a.0.weight"]), len(state["g_a.6.weight"]))
    usual = sizes["likelihood_bound"]
    bound = float(state.get(f"{_PRIOR}.likelihood_lower_bound.bound", [usual])[0])
    sizes["likelihood_bound"] = usual if math.isclose(bound, usual, rel_tol=_NEAR) else bound
    if "scales" in sizes:
        sizes["scales"] = _scales_of(path, state, ScaleTable(*sizes["scales"]))
    return sizes


def _scales_of(path: str | os.PathLike, state: Mapping[str, np.ndarray], usual: ScaleTable) -> tuple:
    """The table of scales that `update` has left, or the usual one."""
    table, scales = state.get(f"{_NORMAL}.scale_table", np.zeros(0)), usual
    if table.size and not (table.size == usual.count and np.allclose(table, usual.deviations(), rtol=_NEAR)):
        scales = ScaleTable(len(table), float(table[0]), float(table[-1]), usual.rounding)
        if not np.allclose(table, scales.scales(), rtol=_NEAR):
            raise CheckpointError(f"{path}: {_NORMAL}.scale_table does not grow by one factor from scale to scale.")
    bound = float(state.get(f"{_NORMAL}.lower_bound_scale.bound", [scales.lowest])[0])
    if bound > scales.lowest * (1 + _NEAR):
        raise CheckpointError(
            f"{path}: scales are bounded at {bound:g}, expected the lowest of the table, {scales.lowest:g}."
        )
    return tuple(scales)


def _require(path: str | os.PathLike, state: Mapping[str, np.ndarray], keys: Sequence[str]) -> None:
    missing = sorted(key for key in keys if key not in state)
    if missing:
        raise CheckpointError(
            f"{path} lacks the {_listed(missing)}. Models that can be imported: {', '.join(names())}."
        )


def _check(path: str | os.PathLike, state: Mapping[str, np.ndarray], places: Collection[Place]) -> None:
    _require(path, state, [place.key for place in places])
    known = {place.key for place in places}
    surplus = sorted(key for key in state if key not in known and not _PASSED_OVER.fullmatch(key))
    if surplus:
        raise CheckpointError(f"{path} has the {_listed(surplus)}, which this model has not.")
    for key, shape, _ in places:
        if state[key].shape != tuple(shape):
            raise CheckpointError(f"{path}: the tensor {key!r} has shape {state[key].shape}, expected {tuple(shape)}.")


def _listed(keys: Sequence[str], most: int = 4) -> str:
    others = f" and {len(keys) - most} others" if len(keys) > most else ""
    return f"tensor{'s' * (len(keys) > 1)} {', '.join(map(repr, keys[:most]))}{others}"
