"""Models from state dicts of published systems in PyTorch: the tensors of each network, and the sizes of the model."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.scale_table import ScaleTable
from lic.errors import CheckpointError, as_checkpoint_error
from lic.interop.torch_layers import Source, Sources, layer_sources, network_sources, under
from lic.interop.torch_state_dict import read_state_dict
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.initial_weights import skip_random_init
from lic.layers.sequential import Sequential
from lic.layers.swin.gated import GatedSwinStage
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.published_pytorch import QUALITY, sizes_of
from lic.weights import require_finite, set_tensors

_NEAR = 1e-4  # Relative difference up to which two numbers are taken to differ by rounding only.
# Names in earlier releases of CompressAI -> the name in 1.2.8.
_EARLIER_NAMES = {
    r"_(?:matrix|matrices\.)(\d)": "matrices",
    r"_bias(?:es\.)?(\d)": "biases",
    r"_factors?\.?(\d)": "factors",
}
# The names of HPCM's code -> those of CompressAI, for bounds and the table of scales.
_OTHER_NAMES = {
    "entropy_estimation.likelihood_lower_bound.bound": "entropy_bottleneck.likelihood_lower_bound.bound",
    "entropy_estimation.scale_lower_bound.bound": "gaussian_conditional.lower_bound_scale.bound",
    "scale_table": "gaussian_conditional.scale_table",
}
# CompressAI's method `update` makes tables of the weights; lic makes its own, so these and constants are ignored.
_IGNORED = re.compile(
    r"(.*\.)?(entropy_bottleneck\.target|context_prediction\.mask|relative_position_index"
    r"|(entropy_bottleneck|gaussian_conditional)"
    r"\.(_offset|_quantized_cdf|_cdf_length|scale_table|scale_bound|\w+\.bound))"
    r"|.*\d\.(i?gdn\.)?(beta|gamma)_reparam\..*"
    r"|(quantized_cdf|cdf_length|offset)_[yz]|entropy_estimation\.beta"
)


class _System(NamedTuple):
    """How a published system keeps a model.

    Attributes:
      first: The name of the first kernel of the analysis; it has as many rows as there are channels between layers.
      last: The name of its last kernel; it has as many rows as the latent has channels.
      sources: Yields the source of each weight of a model, by the weight's attribute path.
      density: The name of the density of the side information, or of the latent.
      normal: The name of the table of scales, or that of the first part.
      surplus: Matches tensors that the state dict has beside those of the weights, such as second names.
    """

    first: str
    last: str
    sources: Callable[[CompressionModel], Sources]
    density: str = "entropy_bottleneck"
    normal: str = "gaussian_conditional"
    surplus: str = ""


def import_torch(path: str | os.PathLike, name: str | None = None, quality: int | None = None) -> CompressionModel:
    """Makes a model with the weights of a published system in PyTorch; see `lic.import_checkpoint`."""
    return from_state_dict(path, read_state_dict(path), name, quality)


def from_state_dict(
    path: str | os.PathLike, state: Mapping[str, np.ndarray], name: str | None = None, quality: int | None = None
) -> CompressionModel:
    """Makes a model with the weights of a state dict, which error messages call `path`."""
    state = {_current_name(key): array for key, array in state.items()}
    damaged = f"{path} holds tensors that no model can have"
    with as_checkpoint_error(damaged):
        found = model_of(path, state)
    if name not in (None, found):
        raise CheckpointError(
            f"{path} holds the tensors of {found!r}. Received: {name!r}. The models that can be imported are "
            f"{', '.join(SYSTEMS)}."
        )
    system = SYSTEMS[found]
    with as_checkpoint_error(damaged):
        sizes = _sizes(path, found, system, state)
    with skip_random_init():
        model = create_model(found, quality=QUALITY if quality is None else quality, **sizes)
    sources = sources_of(found, model)
    state = {key: array for key, array in state.items() if not re.fullmatch(system.surplus, key)}
    _check_tensors(path, state, sources.values())
    set_tensors(model, {weight: source.convert(state[source.key]) for weight, source in sources.items()})
    return model


def model_of(path: str | os.PathLike, state: Mapping[str, np.ndarray]) -> str:
    """Returns the name of the model that the tensors of a state dict belong to.

    Raises:
      CheckpointError: The tensors belong to no model that can be imported.
    """
    if "global_inter_context.1.keys.0.weight" in state:
        return "mlicpp"
    if "dt" in state:
        return "dcae"
    if "adaptive_params_list.0" in state:
        return "hpcm"
    if "cc_mean_transforms.0.0.weight" in state:
        if "atten_mean.0.0.in_conv.weight" in state:
            return "tcm"
        return "stf" if "patch_embed.proj.weight" in state else "wacnn"
    if "latent_codec.y.channel_context.y1.1.att.decay" in state:
        return "lalic"
    if "latent_codec.y.channel_context.y1.0.weight" in state:
        _require(path, state, ["latent_codec.hyper.h_s.2.weight", "latent_codec.hyper.h_s.4.weight"])
        inner, last = (state[f"latent_codec.hyper.h_s.{number}.weight"].shape for number in (2, 4))
        # In the former the last layer of the hyper synthesis is a transposed convolution, inputs first.
        return "elic2022" if inner[1] == last[0] else "elic2022-chandelier"
    if "g_a.0.conv1.weight" in state:
        return "cheng2020-attn" if any(key.startswith("g_a.3.conv_a.") for key in state) else "cheng2020-anchor"
    _require(path, state, ["g_a.0.weight", "g_a.6.weight"])
    if any(key.startswith(("context_prediction.", "entropy_parameters.")) for key in state):
        return "mbt2018"
    if not any(key.startswith("h_s.") for key in state):
        return "compressai-bmshj2018-factorized"
    _require(path, state, ["h_s.4.weight"])
    scales_only = len(state["h_s.4.weight"]) == len(state["g_a.6.weight"])
    return f"compressai-{'bmshj2018-hyperprior' if scales_only else 'mbt2018-mean'}"


def sources_of(name: str, model: CompressionModel) -> dict[str, Source]:
    """Returns the source of each weight of a published system, by the weight's attribute path."""
    return dict(SYSTEMS[name].sources(model))


def _zoo_sources(model: CompressionModel) -> Sources:
    """Yields the sources of a model of CompressAI's zoo."""
    entropy, hyper, context = model.entropy, model.entropy.hyper, getattr(model.entropy, "context", None)
    yield from _transform_sources(model)
    yield from _density_sources("entropy_bottleneck", entropy.prior)
    # CompressAI's last layer returns scales and then means; ours returns means first.
    swapped = not getattr(entropy, "zero_mean", False)
    if hyper:
        yield from network_sources("entropy/hyper/analysis", hyper.analysis, "h_a", 2)
        last = {"swapped": swapped and not context}
        yield from network_sources("entropy/hyper/synthesis", hyper.synthesis, "h_s", 2, **last)
    if context:
        yield from network_sources("entropy/parameters", entropy.parameters, "entropy_parameters", 2, swapped=swapped)
        yield from under("entropy/context", layer_sources("context_prediction", context))


def _elic_sources(model: CompressionModel, swapped: bool, transposed: bool = False, step: int = 2) -> Sources:
    """Yields the sources of CompressAI's two models of ELIC, or of LALIC.

    Args:
      model: The model.
      swapped: As for `network_sources`, of the parameters.
      transposed: As for `network_sources`, of the hyper synthesis.
      step: As for `network_sources`, of the hyper transform and the channel contexts.
    """
    entropy, hyper, codec = model.entropy, model.entropy.hyper, "latent_codec"
    yield from _transform_sources(model)
    yield from _density_sources(f"{codec}.hyper.entropy_bottleneck", entropy.prior)
    yield from network_sources("entropy/hyper/analysis", hyper.analysis, f"{codec}.hyper.h_a", step)
    last = {"transposed": transposed}
    yield from network_sources("entropy/hyper/synthesis", hyper.synthesis, f"{codec}.hyper.h_s", step, **last)
    for number, group in enumerate(entropy.groups):
        path, key = f"entropy/groups/{number}", f"{codec}.y.latent_codec.y{number}"
        if number:
            channel_key = f"{codec}.y.channel_context.y{number}"
            yield from network_sources(f"{path}/channel_context", group.channel_context, channel_key, step)
        network, parameters = group.parameters, f"{key}.entropy_parameters"
        yield from network_sources(f"{path}/parameters", network, parameters, 2, swapped=swapped)
        yield from under(f"{path}/context", layer_sources(f"{key}.context_prediction", group.context))


def _wacnn_sources(model: CompressionModel) -> Sources:
    yield from _transform_sources(model)
    yield from _slices_sources(model)


def _stf_sources(model: CompressionModel) -> Sources:
    _, embedding, merging = model.transform.analysis.layers
    splitting, subpixel, last, _ = model.transform.synthesis.layers
    analysis, synthesis = "transform/analysis/layers", "transform/synthesis/layers"
    named = [(f"{analysis}/1", "patch_embed", embedding)]
    named += [(f"{analysis}/2/stages/{n}", f"layers.{n}", stage) for n, stage in enumerate(merging.stages)]
    named += [(f"{synthesis}/0/stages/{n}", f"syn_layers.{n}", stage) for n, stage in enumerate(splitting.stages)]
    named += [(f"{synthesis}/1", "end_conv", subpixel), (f"{synthesis}/2", "end_conv.2", last)]
    for path, key, layer in named:
        yield from under(path, layer_sources(key, layer))
    yield from _slices_sources(model)


def _tcm_sources(model: CompressionModel) -> Sources:
    yield from _transform_sources(model)
    yield from _slices_sources(model, step=1)
    for number, networks in enumerate(model.entropy.slices):
        for name, key in (("mean_context", "atten_mean"), ("index_context", "atten_scale")):
            sources = layer_sources(f"{key}.{number}.0", getattr(networks, name))
            yield from under(f"entropy/slices/{number}/{name}", sources)


def _dcae_sources(model: CompressionModel) -> Sources:
    for half, key in (("analysis", "g_a"), ("synthesis", "g_s")):
        yield from _stages_sources(f"transform/{half}", getattr(model.transform, half), key)
    hyper, path = model.entropy.hyper, "entropy/hyper"
    yield from _stages_sources(f"{path}/analysis", hyper.analysis, "h_a")
    for number, synthesis in enumerate(hyper.synthesis.layers):
        yield from _stages_sources(f"{path}/synthesis/layers/{number}", synthesis, f"h_z_s{number + 1}")
    yield from _slice_networks_sources(model)
    yield "entropy/dictionary/entries", Source("dt", model.entropy.dictionary.entries.shape)
    for number, networks in enumerate(model.entropy.slices):
        for name, source in layer_sources(f"dt_cross_attention.{number}", networks.mean_context):
            if not name.startswith("dictionary/"):
                # The layer is the context for means too; weights have the path that comes first in the alphabet.
                yield f"entropy/slices/{number}/index_context/{name}", source


def _stages_sources(path: str, network: Sequential, key: str) -> Sources:
    """Yields the sources of layers that DCAE's code counts in stages: a convolution and its bottleneck blocks are one.

    The blocks follow the convolution where it reduces the size, and come before it where it enlarges.
    """
    stages: list[list[int]] = []
    layers = network.layers
    for number, layer in enumerate(layers):
        last = [layers[each] for each in stages[-1]] if stages else []
        if isinstance(layer, BottleneckBlock):
            joins = last and not isinstance(last[0], GatedSwinStage)
        else:
            joins = isinstance(layer, Convolution) and last and isinstance(last[0], BottleneckBlock)
        if joins:
            stages[-1].append(number)
        elif layer.weights:
            stages.append([number])
    for stage, numbers in enumerate(stages):
        blocks = [number for number in numbers if isinstance(layers[number], BottleneckBlock)]
        for number in numbers:
            name = f".res{blocks.index(number) + 1}" if number in blocks else ".conv"
            inner = f"{key}.{stage}{name if len(numbers) > 1 else ''}"
            yield from under(f"{path}/layers/{number}", layer_sources(inner, layers[number]))


def _slices_sources(model: CompressionModel, step: int = 2) -> Sources:
    """Yields the sources of the entropy model and of the hyper transform of STF's code.

    Args:
      model: The model.
      step: As for `network_sources`, of the hyper transform.
    """
    hyper = model.entropy.hyper
    yield from network_sources("entropy/hyper/analysis", hyper.analysis, "h_a", step)
    for number, key in enumerate(("h_mean_s", "h_scale_s")):
        path = f"entropy/hyper/synthesis/layers/{number}"
        yield from network_sources(path, hyper.synthesis.layers[number], key, step)
    yield from _slice_networks_sources(model)


def _slice_networks_sources(model: CompressionModel) -> Sources:
    entropy = model.entropy
    yield from _density_sources("entropy_bottleneck", entropy.prior)
    for number, networks in enumerate(entropy.slices):
        path = f"entropy/slices/{number}"
        yield from network_sources(f"{path}/mean", networks.mean, f"cc_mean_transforms.{number}", 2)
        yield from network_sources(f"{path}/index", networks.index, f"cc_scale_transforms.{number}", 2)
        residual = networks.residual.network
        yield from network_sources(f"{path}/residual/network", residual, f"lrp_transforms.{number}", 2)


def _mlicpp_sources(model: CompressionModel) -> Sources:
    entropy, hyper = model.entropy, model.entropy.hyper
    yield from _transform_sources(model, "g_a.analysis_transform", "g_s.synthesis_transform")
    yield from _density_sources("entropy_bottleneck", entropy.prior)
    yield from network_sources("entropy/hyper/analysis", hyper.analysis, "h_a.reduction", 2)
    yield from network_sources("entropy/hyper/synthesis", hyper.synthesis, "h_s.increase", 2)
    for number, networks in enumerate(entropy.slices):
        path = f"entropy/slices/{number}"
        for name, key in (("anchor_parameters", "anchor"), ("parameters", "nonanchor")):
            fusion = f"entropy_parameters_{key}.{number}.fusion"
            yield from network_sources(f"{path}/{name}", getattr(networks, name), fusion, 2, swapped=True)
        for name, key in (("anchor_residual", "anchor"), ("residual", "nonanchor")):
            residual, lrp = getattr(networks, name).network, f"lrp_{key}.{number}.lrp_transform"
            yield from network_sources(f"{path}/{name}/network", residual, lrp, 2)
        contexts = {"local": "local_context"}
        if number:
            contexts |= {"inter": "global_inter_context", "intra": "global_intra_context"}
            fusion = f"channel_context.{number}.fushion"
            yield from network_sources(f"{path}/channel", networks.channel, fusion, 2)
        for name, key in contexts.items():
            yield from under(f"{path}/{name}", layer_sources(f"{key}.{number}", getattr(networks, name)))


def _hpcm_sources(model: CompressionModel) -> Sources:
    entropy, hyper = model.entropy, model.entropy.hyper
    yield from _transform_sources(model, "g_a.branch", "g_s.branch")
    yield from network_sources("entropy/hyper/analysis", hyper.analysis, "h_a.branch")
    yield from network_sources("entropy/hyper/synthesis", hyper.synthesis, "h_s.branch")
    for number, key in enumerate(("means_hyper", "scales_hyper")):
        yield f"entropy/prior/parameters/{number}", Source(key, (1, hyper.depth, 1, 1), np.ravel)
    for number, key in enumerate(("y_spatial_prior_s1_s2", "y_spatial_prior_s3")):
        yield from network_sources(f"entropy/before/{number}", entropy.before[number], f"{key}.branch_1")
        # Its last layer returns scales and then means; ours returns means first.
        yield from network_sources(f"entropy/after/{number}", entropy.after[number], f"{key}.branch_2", swapped=True)
    layers = [(f"attention/{number}", f"attn_s{number + 1}", each) for number, each in enumerate(entropy.attention)]
    layers += [(f"context/{number}", f"context_net.{number}", each) for number, each in enumerate(entropy.context)]
    # The published code counts the adaptors of the larger scales from -1, which is its last one.
    adaptors = ["s1.0", "s2.2", "s2.0", "s2.1", "s3.5", *(f"s3.{number}" for number in range(5))]
    for number, (name, adaptor, factor) in enumerate(zip(adaptors, entropy.adaptors, entropy.factors)):
        layers.append((f"adaptors/{number}", f"y_spatial_prior_adaptor_list_{name}", adaptor))
        shape = (1, *factor.scale.shape, 1, 1)
        yield f"entropy/factors/{number}/scale", Source(f"adaptive_params_list.{number}", shape, np.ravel)
    for path, key, layer in layers:
        yield from under(f"entropy/{path}", layer_sources(key, layer))


def _transform_sources(model: CompressionModel, analysis: str = "g_a", synthesis: str = "g_s") -> Sources:
    yield from network_sources("transform/analysis", model.transform.analysis, analysis)
    yield from network_sources("transform/synthesis", model.transform.synthesis, synthesis)


def _density_sources(key: str, prior: FactorizedPrior) -> Sources:
    for group in ("matrices", "biases", "factors"):
        for number, variable in enumerate(getattr(prior, group)):
            yield f"entropy/prior/{group}/{number}", Source(f"{key}.{group}.{number}", variable.shape)
    medians = Source(f"{key}.quantiles", (prior.channels, 1, 3), lambda quantiles: quantiles[:, 0, 1])
    yield "entropy/prior/medians", medians


_ZOO = _System("g_a.0.weight", "g_a.6.weight", _zoo_sources)
_RESIDUAL = _ZOO._replace(first="g_a.0.conv1.weight", last="g_a.0.conv1.weight")
_ELIC = _System(
    "g_a.0.weight",
    "g_a.13.weight",
    lambda model: _elic_sources(model, swapped=True, transposed=True),
    "latent_codec.hyper.entropy_bottleneck",
    "latent_codec.y.latent_codec.y0.y.gaussian_conditional",
)
# The systems that can be imported, by the names of `lic.create_model`.
SYSTEMS = {
    "compressai-bmshj2018-factorized": _ZOO,
    "compressai-bmshj2018-hyperprior": _ZOO,
    "compressai-mbt2018-mean": _ZOO,
    "mbt2018": _ZOO,
    "cheng2020-anchor": _RESIDUAL,
    "cheng2020-attn": _RESIDUAL,
    "wacnn": _System("g_a.0.weight", "g_a.7.weight", _wacnn_sources),
    "stf": _System("patch_embed.proj.weight", "layers.3.blocks.0.norm1.weight", _stf_sources),
    "tcm": _System("g_a.0.conv1.weight", "g_a.9.weight", _tcm_sources),
    "mlicpp": _System("g_a.analysis_transform.0.conv1.weight", "g_a.analysis_transform.6.weight", _mlicpp_sources),
    "dcae": _System("g_a.0.conv.weight", "g_a.6.weight", _dcae_sources),
    "hpcm": _System("g_a.branch.0.weight", "g_a.branch.11.weight", _hpcm_sources),
    "lalic": _ELIC._replace(
        last="g_a.15.weight",
        sources=lambda model: _elic_sources(model, swapped=True, step=1),
        surplus=r"h_[as]\..*|.*\.conv5x5_reparam\.weight",
    ),
    "elic2022": _ELIC,
    "elic2022-chandelier": _ELIC._replace(sources=lambda model: _elic_sources(model, swapped=False)),
}


def _current_name(key: str) -> str:
    """Returns the name in CompressAI 1.2.8 of a tensor that an earlier release, or other code, may have saved."""
    key = _OTHER_NAMES.get(key, key)
    for old, new in _EARLIER_NAMES.items():
        key = re.sub(rf"entropy_bottleneck\.{old}", rf"entropy_bottleneck.{new}.\1", key)
    return key


def _sizes(path: str | os.PathLike, name: str, system: _System, state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Returns the sizes of the model: widths by shapes of tensors, bounds and scales by tensors beside the weights."""
    _require(path, state, [system.first, system.last])
    sizes = sizes_of(name, len(state[system.first]), len(state[system.last]))
    usual = sizes["likelihood_bound"]
    key = f"{system.density}.likelihood_lower_bound.bound"
    (bound,) = np.ravel(state.get(key, usual)).tolist()
    if not 0 < bound < 1:
        raise CheckpointError(f"{path}: expected {key} between 0 and 1. Received: {bound}.")
    sizes["likelihood_bound"] = usual if math.isclose(bound, usual, rel_tol=_NEAR) else bound
    if "scales" in sizes:
        sizes["scales"] = _scales_of(path, state, system.normal, ScaleTable(*sizes["scales"]))
    return sizes


def _scales_of(path: str | os.PathLike, state: Mapping[str, np.ndarray], normal: str, usual: ScaleTable) -> tuple:
    """Returns the table of scales that CompressAI's `update` saved, or the usual one where there is none."""
    table, scales = state.get(f"{normal}.scale_table", np.zeros(0)), usual
    if table.size and not (table.size == usual.count and np.allclose(table, usual.scales(), rtol=_NEAR)):
        scales = ScaleTable(len(table), float(table[0]), float(table[-1]), usual.rounding)
        if not np.allclose(table, scales.scales(), rtol=_NEAR):
            raise CheckpointError(f"{path}: {normal}.scale_table is not a geometric sequence of scales.")
    (bound,) = np.ravel(state.get(f"{normal}.lower_bound_scale.bound", scales.lowest)).tolist()
    if bound > scales.lowest * (1 + _NEAR):
        raise CheckpointError(
            f"{path}: scales are bounded at {bound:g}, expected the lowest of the table, {scales.lowest:g}."
        )
    return tuple(scales)


def _require(path: str | os.PathLike, state: Mapping[str, np.ndarray], keys: Sequence[str]) -> None:
    missing = sorted(key for key in keys if key not in state)
    if missing:
        raise CheckpointError(
            f"{path} lacks the {_listed(missing)}. Models that can be imported: {', '.join(SYSTEMS)}."
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
        require_finite(f"{path}: the tensor {key!r}", state[key])


def _listed(keys: Sequence[str], most: int = 4) -> str:
    others = f" and {len(keys) - most} others" if len(keys) > most else ""
    return f"tensor{'s' * (len(keys) > 1)} {', '.join(map(repr, keys[:most]))}{others}"
