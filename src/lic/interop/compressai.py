"""Models from state dicts of CompressAI: the tensor of each of our weights, and the order of its axes."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lic import registry
from lic.entropy.autoregressive import CausalContext
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.scale_table import ScaleTable
from lic.environment import keras
from lic.errors import CheckpointError
from lic.interop.torch_state_dict import read_state_dict
from lic.layers.attention import AttentionBlock
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.residual import ResidualBlock, ResidualDown, ResidualUp
from lic.layers.subpixel import SubpixelConvolution
from lic.layers.tracing import skip_random_init
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.published_compressai import QUALITY, sizes_of
from lic.weights import set_tensors

_PREFIX = "compressai-"
_OTHERS = ("mbt2018", "cheng2020-anchor", "cheng2020-attn")
_PRIOR, _NORMAL = "entropy_bottleneck", "gaussian_conditional"
_NEAR = 1e-4  # Relative difference up to which two numbers are taken to differ by rounding only.
# Names in earlier releases of CompressAI -> the name in 1.2.8.
_EARLIER_NAMES = {
    r"_(?:matrix|matrices\.)(\d)": "matrices",
    r"_bias(?:es\.)?(\d)": "biases",
    r"_factors?\.?(\d)": "factors",
}
# CompressAI's method `update` makes tables of the weights; lic makes its own, so these and constants are ignored.
_IGNORED = re.compile(
    rf"{_PRIOR}\.target|context_prediction\.mask|({_PRIOR}|{_NORMAL})\.(_offset|_quantized_cdf|_cdf_length|scale_table|scale_bound|\w+\.bound)"
    r"|g_[as]\.\d\.(i?gdn\.)?(beta|gamma)_reparam\..*"
)


class Source(NamedTuple):
    """The tensor of a state dict that one of our weights is made of.

    Attributes:
      key: The tensor's name.
      shape: The tensor's shape.
      convert: Returns our weight for the tensor.
    """

    key: str
    shape: Sequence[int]
    convert: Callable[[np.ndarray], np.ndarray]


def import_compressai(path: str | os.PathLike, name: str | None = None, quality: int | None = None) -> CompressionModel:
    """Makes a model with CompressAI's weights; see `lic.import_checkpoint`."""
    return from_state_dict(path, read_state_dict(path), name, quality)


def from_state_dict(
    path: str | os.PathLike, state: Mapping[str, np.ndarray], name: str | None = None, quality: int | None = None
) -> CompressionModel:
    """Makes a model with the weights of a state dict, which error messages call `path`."""
    state = {_current_name(key): array for key, array in state.items()}
    found = model_of(path, state)
    if name not in (None, found):
        raise CheckpointError(
            f"{path} holds the tensors of {found!r}. Received: {name!r}. The models of CompressAI that can be imported "
            f"are {', '.join(importable_models())}."
        )
    with skip_random_init():
        model = create_model(found, quality=QUALITY if quality is None else quality, **_sizes(path, found, state))
    sources = sources_of(model)
    _check_tensors(path, state, sources.values())
    set_tensors(model, {weight: source.convert(state[source.key]) for weight, source in sources.items()})
    return model


def importable_models() -> list[str]:
    """Returns the names of CompressAI's models that can be imported."""
    return [name for name in registry.list_models() if name.startswith(_PREFIX) or name in _OTHERS]


def model_of(path: str | os.PathLike, state: Mapping[str, np.ndarray]) -> str:
    """Returns the name of the model that the tensors of a state dict belong to.

    Raises:
      CheckpointError: The model cannot be imported, or the tensors belong to no model of CompressAI's.
    """
    if "g_a.0.conv1.weight" in state:
        return "cheng2020-attn" if any(key.startswith("g_a.3.conv_a.") for key in state) else "cheng2020-anchor"
    _require(path, state, ["g_a.0.weight", "g_a.6.weight"])
    if any(key.startswith(("context_prediction.", "entropy_parameters.")) for key in state):
        return "mbt2018"
    if not any(key.startswith("h_s.") for key in state):
        return f"{_PREFIX}bmshj2018-factorized"
    _require(path, state, ["h_s.4.weight"])
    scales_only = len(state["h_s.4.weight"]) == len(state["g_a.6.weight"])
    return f"{_PREFIX}{'bmshj2018-hyperprior' if scales_only else 'mbt2018-mean'}"


def sources_of(model: CompressionModel) -> dict[str, Source]:
    """Returns the source of each weight of a model, by the weight's name."""
    hyper, context = model.entropy.hyper, getattr(model.entropy, "context", None)
    # In hyper networks CompressAI counts activations as layers. In transforms every layer has weights: GDN has its own.
    networks = [("transform/analysis", model.transform.analysis, "g_a", 1)]
    networks += [("transform/synthesis", model.transform.synthesis, "g_s", 1)]
    if hyper:
        networks += [("entropy/hyper/analysis", hyper.analysis, "h_a", 2)]
        networks += [("entropy/hyper/synthesis", hyper.synthesis, "h_s", 2)]
    if context:
        networks += [("entropy/parameters", model.entropy.parameters, "entropy_parameters", 2)]
    last = networks[-1][2]  # The network whose last layer gives the parameters.
    sources = {f"entropy/prior/{name}": source for name, source in _prior_sources(model.entropy.prior)}
    for path, network, key, step in networks:
        weighted = [number for number, layer in enumerate(network.layers) if layer.weights]
        for order, number in enumerate(weighted):
            # CompressAI's last layer returns scales and then means; ours returns means first.
            swapped = (
                hyper and key == last and number == weighted[-1] and not getattr(model.entropy, "zero_mean", False)
            )
            for name, source in layer_sources(f"{key}.{step * order}", network.layers[number], swapped):
                sources[f"{path}/layers/{number}/{name}"] = source
    if context:
        sources |= {f"entropy/context/product/{name}": source for name, source in _context_sources(context)}
    return sources


def _context_sources(context: CausalContext) -> Iterator[tuple[str, Source]]:
    _, _, inputs, outputs = context.product.kernel.shape
    taps, size = context.taps, context.kernel_size

    def kernel(array: np.ndarray) -> np.ndarray:
        # The first taps in raster order are those that the mask leaves.
        causal = array.reshape(outputs, inputs // taps, size * size)[..., :taps]
        return causal.transpose(2, 1, 0).reshape(1, 1, inputs, outputs)

    yield "kernel", Source("context_prediction.weight", (outputs, inputs // taps, size, size), kernel)
    yield "bias", Source("context_prediction.bias", (outputs,), np.array)


def _prior_sources(prior: FactorizedPrior) -> Iterator[tuple[str, Source]]:
    for group in ("matrices", "biases", "factors"):
        for number, variable in enumerate(getattr(prior, group)):
            yield f"{group}/{number}", Source(f"{_PRIOR}.{group}.{number}", variable.shape, np.array)
    yield "medians", Source(f"{_PRIOR}.quantiles", (prior.channels, 1, 3), lambda quantiles: quantiles[:, 0, 1])


def layer_sources(key: str, layer: keras.layers.Layer, swapped: bool = False) -> Iterator[tuple[str, Source]]:
    """Yields the source of each weight of a layer, with the weight's attribute path in the layer.

    Args:
      key: The name of the layer in CompressAI; "" for a layer that stands alone.
      layer: The layer.
      swapped: Whether the two halves of a convolution's output channels are exchanged.
    """
    for path, name, inner in _inner_layers(layer):
        for rest, source in layer_sources(f"{key}.{name}" if key else name, inner):
            yield f"{path}/{rest}", source
    prefix = f"{key}." if key else ""
    if isinstance(layer, GDN):
        yield "reparam_beta", Source(f"{prefix}beta", layer.reparam_beta.shape, np.array)
        yield "reparam_gamma", Source(f"{prefix}gamma", layer.reparam_gamma.shape, np.transpose)
    elif isinstance(layer, SubpixelConvolution):
        # PyTorch takes the channels of a block in the order of channel, row and column.
        for name, source in layer_sources(f"{prefix}0", layer.convolution):
            yield f"convolution/{name}", source._replace(convert=_channels_last(source.convert, layer.up**2))
    elif isinstance(layer, Convolution):
        yield from _convolution_sources(prefix, layer, swapped)


def _inner_layers(layer: keras.layers.Layer) -> list[tuple[str, str, keras.layers.Layer]]:
    """Returns the path, CompressAI's name and the layer for each layer inside one that holds others."""
    names: dict[str, str] = {}
    if isinstance(layer, (ResidualBlock, ResidualDown)):
        names = {"first": "conv1", "second": "conv2", "gdn": "gdn", "skip": "skip"}
    elif isinstance(layer, ResidualUp):
        names = {"first": "subpel_conv", "second": "conv", "gdn": "igdn", "skip": "upsample"}
    found = [(name, other, getattr(layer, name)) for name, other in names.items() if getattr(layer, name, None)]
    chains: dict[str, tuple[str, int]] = {}
    if isinstance(layer, BottleneckBlock):
        chains = {"convolutions": ("conv", 2)}  # CompressAI counts activations too.
    elif isinstance(layer, AttentionBlock):
        chains = {"features": ("conv_a", 1), "mask": ("conv_b", 1)}
    for name, (other, step) in chains.items():
        layers = getattr(layer, name).layers
        found += [(f"{name}/layers/{n}", f"{other}.{step * n}", inner) for n, inner in enumerate(layers)]
    return found


def _channels_last(convert: Callable[[np.ndarray], np.ndarray], block: int) -> Callable[[np.ndarray], np.ndarray]:
    def converted(array: np.ndarray) -> np.ndarray:
        weight = convert(array)
        blocks = weight.reshape(*weight.shape[:-1], -1, block)
        return np.swapaxes(blocks, -1, -2).reshape(weight.shape)

    return converted


def _convolution_sources(prefix: str, layer: Convolution, swapped: bool) -> Iterator[tuple[str, Source]]:
    height, width, inputs, outputs = layer.kernel.shape
    channels = (inputs, outputs) if layer.up > 1 else (outputs, inputs)

    def in_order(array: np.ndarray) -> np.ndarray:
        return np.roll(array, outputs // 2, -1) if swapped else array

    def kernel(array: np.ndarray) -> np.ndarray:
        if layer.up > 1:  # PyTorch's transposed convolution has the orientation of ours.
            return in_order(array.transpose(2, 3, 0, 1))
        array = in_order(array.transpose(2, 3, 1, 0))
        return array if layer.correlation else array[::-1, ::-1]

    yield "kernel", Source(f"{prefix}weight", (*channels, height, width), kernel)
    yield "bias", Source(f"{prefix}bias", (outputs,), in_order)


def _current_name(key: str) -> str:
    """The name in CompressAI 1.2.8 of a tensor that an earlier release may have saved."""
    for old, new in _EARLIER_NAMES.items():
        key = re.sub(rf"{_PRIOR}\.{old}", rf"{_PRIOR}.{new}.\1", key)
    return key


def _sizes(path: str | os.PathLike, name: str, state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The sizes of the model: widths by the tensors' shapes, bounds and scales by the tensors beside the weights."""
    first, last = "g_a.0.weight", "g_a.6.weight"
    if name.startswith("cheng2020"):
        first = last = "g_a.0.conv1.weight"
    sizes = sizes_of(name, len(state[first]), len(state[last]))
    usual = sizes["likelihood_bound"]
    bound = float(state.get(f"{_PRIOR}.likelihood_lower_bound.bound", [usual])[0])
    sizes["likelihood_bound"] = usual if math.isclose(bound, usual, rel_tol=_NEAR) else bound
    if "scales" in sizes:
        sizes["scales"] = _scales_of(path, state, ScaleTable(*sizes["scales"]))
    return sizes


def _scales_of(path: str | os.PathLike, state: Mapping[str, np.ndarray], usual: ScaleTable) -> tuple:
    """The table of scales that CompressAI's `update` saved, or the usual one where there is none."""
    table, scales = state.get(f"{_NORMAL}.scale_table", np.zeros(0)), usual
    if table.size and not (table.size == usual.count and np.allclose(table, usual.scales(), rtol=_NEAR)):
        scales = ScaleTable(len(table), float(table[0]), float(table[-1]), usual.rounding)
        if not np.allclose(table, scales.scales(), rtol=_NEAR):
            raise CheckpointError(f"{path}: {_NORMAL}.scale_table is not a geometric sequence of scales.")
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
            f"{path} lacks the {_listed(missing)}. Models that can be imported: {', '.join(importable_models())}."
        )


def _check_tensors(path: str | os.PathLike, state: Mapping[str, np.ndarray], sources: Collection[Source]) -> None:
    _require(path, state, [source.key for source in sources])
    known = {source.key for source in sources}
    surplus = sorted(key for key in state if key not in known and not _IGNORED.fullmatch(key))
    if surplus:
        raise CheckpointError(f"{path} has the {_listed(surplus)}, which this model does not have.")
    for key, shape, _ in sources:
        if state[key].shape != tuple(shape):
            raise CheckpointError(f"{path}: the tensor {key!r} has shape {state[key].shape}, expected {tuple(shape)}.")


def _listed(keys: Sequence[str], most: int = 4) -> str:
    others = f" and {len(keys) - most} others" if len(keys) > most else ""
    return f"tensor{'s' * (len(keys) > 1)} {', '.join(map(repr, keys[:most]))}{others}"
