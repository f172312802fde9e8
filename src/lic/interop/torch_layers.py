"""The tensors of PyTorch's state dicts that the weights of our layers are made of, and the order of their axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lic.entropy.autoregressive import CausalContext
from lic.entropy.dictionary import DictionaryAttention
from lic.entropy.multi_reference import InterContext, IntraContext, LocalContext
from lic.environment import keras
from lic.layers.attention import AttentionBlock
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.cross_attention import CrossAttention
from lic.layers.depthwise import DepthwiseBlock, DepthwiseConvolution
from lic.layers.gdn import GDN
from lic.layers.mixed import MixedBlock
from lic.layers.partial import PartialBlock, PartialConvolution
from lic.layers.residual import ResidualBlock, ResidualDown, ResidualUp
from lic.layers.rwkv import ChannelMix, ChannelMixBlock, OmniShift, RWKVBlock, SpatialMix
from lic.layers.sequential import Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.layers.swin.attention import WindowAttention
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.gated import GatedPerceptron, GatedSwinBlock, GatedSwinStage
from lic.layers.swin.patches import PatchEmbedding, PatchMerging, PatchSplitting
from lic.layers.swin.stages import SwinStage

Convert = Callable[[np.ndarray], np.ndarray]


class Source(NamedTuple):
    """The tensor of a state dict that one of our weights is made of.

    Attributes:
      key: The tensor's name.
      shape: The tensor's shape.
      convert: Returns our weight for the tensor.
    """

    key: str
    shape: Sequence[int]
    convert: Convert = np.array


Sources = Iterator[tuple[str, Source]]
Inner = Iterator[tuple[str, str, keras.layers.Layer]]


def network_sources(
    path: str, network: Sequential, key: str, step: int = 1, swapped: bool = False, transposed: bool = False
) -> Sources:
    """Yields the source of each weight of layers that follow each other, by the weight's attribute path.

    Args:
      path: The attribute path of the network.
      network: The network.
      key: The name of the network in PyTorch.
      step: The step from the number of a layer to the next one's: 2 where activations are counted as layers.
      swapped: As for `layer_sources`, of the last layer.
      transposed: As for `layer_sources`, of the last layer.
    """
    weighted = [(number, layer) for number, layer in enumerate(network.layers) if layer.weights]
    for order, (number, layer) in enumerate(weighted):
        last = {"swapped": swapped, "transposed": transposed} if order == len(weighted) - 1 else {}
        yield from under(f"{path}/layers/{number}", layer_sources(f"{key}.{step * order}", layer, **last))


def under(path: str, sources: Iterable[tuple[str, Source]]) -> Sources:
    """Yields sources with a path before those of the weights."""
    yield from ((f"{path}/{rest}", source) for rest, source in sources)


def layer_sources(key: str, layer: keras.layers.Layer, swapped: bool = False, transposed: bool = False) -> Sources:
    """Yields the source of each weight of a layer, with the weight's attribute path in the layer.

    Args:
      key: The name of the layer in PyTorch; "" for a layer that stands alone.
      layer: The layer.
      swapped: Whether the two halves of a convolution's output channels are exchanged.
      transposed: Whether a convolution is stored as a transposed one, although it does not enlarge.
    """
    prefix = f"{key}." if key else ""
    for path, name, inner in _inner_layers(layer):
        yield from under(path, layer_sources(f"{prefix}{name}", inner))
    if isinstance(layer, GDN):
        yield "reparam_beta", Source(f"{prefix}beta", layer.reparam_beta.shape)
        yield "reparam_gamma", Source(f"{prefix}gamma", layer.reparam_gamma.shape, np.transpose)
    elif isinstance(layer, SubpixelConvolution):
        # PyTorch takes the channels of a block in the order of channel, row and column.
        for name, source in layer_sources(f"{prefix}0", layer.convolution):
            yield f"convolution/{name}", source._replace(convert=_channels_last(source.convert, layer.up**2))
    elif isinstance(layer, WindowAttention):
        yield "position_bias", Source(f"{prefix}relative_position_bias_table", layer.position_bias.shape)
        yield from _dense_sources(layer, {"attention": f"{prefix}qkv", "projection": f"{prefix}proj"})
    elif isinstance(layer, MixedBlock):
        yield from _swin_sources_of_tcm("swin", f"{prefix}trans_block", layer.swin)
    elif isinstance(layer, AttentionBlock) and isinstance(layer.before, SwinStage):
        for number, block in enumerate(layer.before.blocks):
            key = f"{prefix}non_local_block.block_{number + 1}"
            yield from _swin_sources_of_tcm(f"before/blocks/{number}", key, block)
    elif isinstance(layer, SwinBlock):
        yield "position_bias", Source(f"{prefix}attn.relative_position_bias_table", layer.position_bias.shape)
        yield from _norm_sources(layer, {"attention_": f"{prefix}norm1", "perceptron_": f"{prefix}norm2"})
        yield from _dense_sources(layer, {"attention": f"{prefix}attn.qkv", "projection": f"{prefix}attn.proj"})
        yield from _dense_sources(layer, {"expansion": f"{prefix}mlp.fc1", "contraction": f"{prefix}mlp.fc2"})
    elif isinstance(layer, PatchEmbedding):
        shape = tuple(layer.kernel.shape)
        kernel = Source(f"{prefix}proj.weight", shape[:1:-1] + shape[:2], lambda array: array.transpose(2, 3, 1, 0))
        yield "kernel", kernel
        yield "bias", Source(f"{prefix}proj.bias", layer.bias.shape)
        yield from _norm_sources(layer, {"": f"{prefix}norm"})
    elif isinstance(layer, (PatchMerging, PatchSplitting)):
        splits = isinstance(layer, PatchSplitting)
        convert = _channels_last(np.transpose, 4) if splits else np.transpose
        yield "kernel", Source(f"{prefix}reduction.weight", layer.kernel.shape[::-1], convert)
        yield from _norm_sources(layer, {"": f"{prefix}norm"})
    elif isinstance(layer, RWKVBlock):
        yield from _rwkv_block_sources(prefix, layer)
    elif isinstance(layer, ChannelMixBlock):
        yield from _channel_mix_block_sources(prefix, layer, swapped)
    elif isinstance(layer, GatedSwinBlock):
        yield from _gated_block_sources(prefix, layer)
    elif isinstance(layer, DictionaryAttention):
        yield from _dictionary_sources(prefix, layer)
    elif isinstance(layer, LocalContext):
        yield from _local_sources(prefix, layer)
    elif isinstance(layer, DepthwiseConvolution):
        height, width, channels, _ = layer.kernel.shape
        yield "kernel", Source(f"{prefix}weight", (channels, 1, height, width), _depthwise)
        if layer.use_bias:
            yield "bias", Source(f"{prefix}bias", (channels,))
    elif isinstance(layer, CausalContext):
        yield from _causal_sources(prefix, layer)
    elif isinstance(layer, Convolution):
        yield from _convolution_sources(prefix, layer, swapped, transposed or layer.up > 1)


def _causal_sources(prefix: str, context: CausalContext) -> Sources:
    _, _, inputs, outputs = context.product.kernel.shape
    taps, size = context.taps, context.kernel_size

    def kernel(array: np.ndarray) -> np.ndarray:
        # The first taps in raster order are those that the mask leaves.
        causal = array.reshape(outputs, inputs // taps, size * size)[..., :taps]
        return causal.transpose(2, 1, 0).reshape(1, 1, inputs, outputs)

    yield "product/kernel", Source(f"{prefix}weight", (outputs, inputs // taps, size, size), kernel)
    yield "product/bias", Source(f"{prefix}bias", (outputs,))


def _inner_layers(layer: keras.layers.Layer) -> Inner:
    """Yields the path, PyTorch's name and the layer for each layer inside one that holds others."""
    if isinstance(layer, (ResidualBlock, ResidualDown)):
        names = {"first": "conv1", "second": "conv2", "gdn": "gdn", "skip": "skip"}
        yield from _named(layer, names)
    elif isinstance(layer, ResidualUp):
        names = {"first": "subpel_conv", "second": "conv", "gdn": "igdn", "skip": "upsample"}
        yield from _named(layer, names)
    elif isinstance(layer, (InterContext, IntraContext)):
        for name in ("keys", "queries", "values"):
            yield from _listed(name, getattr(layer, name), f"{name}.{{}}")
        yield from _named(layer, {"projection": "reprojection", "skip": "skip"})
        yield from _listed("perceptron", layer.perceptron, "mlp.{}", step=2)
    elif isinstance(layer, GatedSwinStage):
        yield from ((f"blocks/{number}", f"layers.{number}", block) for number, block in enumerate(layer.blocks))
        yield "convolution", "conv", layer.convolution
    elif isinstance(layer, SwinStage):
        yield from ((f"blocks/{number}", f"blocks.{number}", block) for number, block in enumerate(layer.blocks))
        if layer.end:
            yield "end", "downsample", layer.end
    elif isinstance(layer, BottleneckBlock):
        yield from _listed("convolutions", layer.convolutions, "conv{}", first=1)
    elif isinstance(layer, AttentionBlock):
        windows = isinstance(layer.before, WindowAttention)  # In WACNN they are a part of the mask.
        if windows:
            yield "before", "conv_b.0.attn", layer.before
        yield from _named(layer, {"entrance": "in_conv", "exit": "out_conv"})
        yield from _attended("features", layer.features, "conv_a", first=0)
        yield from _attended("mask", layer.mask, "conv_b", first=1 if windows else 0)
    elif isinstance(layer, (PartialBlock, DepthwiseBlock)):
        yield from _listed("branch", layer.branch, "branch.{}", places=(0, 1, 3))
    elif isinstance(layer, PartialConvolution):
        yield "convolution", "pconv", layer.convolution
    elif isinstance(layer, CrossAttention):
        names = {"queries": "conv_q", "keys": "conv_k", "values": "conv_v", "projection": "conv_out"}
        yield from _named(layer, names)
    elif isinstance(layer, MixedBlock):
        yield from _named(layer, {"entrance": "conv1_1", "convolutions": "conv_block", "exit": "conv1_2"})


def _attended(path: str, network: Sequential, name: str, first: int) -> Inner:
    """Yields the layers of one of the two networks of an attention block."""
    for number, inner in enumerate(network.layers):
        inside, key = f"{path}/layers/{number}", f"{name}.{first + number}"
        if isinstance(inner, BottleneckBlock):  # Its layers have other names here than alone.
            yield from _listed(f"{inside}/convolutions", inner.convolutions, f"{key}.conv.{{}}", step=2)
        else:
            yield inside, key, inner


def _named(layer: keras.layers.Layer, names: dict[str, str]) -> Inner:
    yield from ((path, name, getattr(layer, path)) for path, name in names.items() if getattr(layer, path, None))


def _listed(
    path: str, network: Sequential, name: str, first: int = 0, step: int = 1, places: Sequence[int] | None = None
) -> Inner:
    """Yields layers that follow each other; without `places`, PyTorch counts from `first` on in steps of `step`."""
    for number, inner in enumerate(network.layers):
        yield f"{path}/layers/{number}", name.format(places[number] if places else first + step * number), inner


def _gated_block_sources(prefix: str, layer: GatedSwinBlock) -> Sources:
    attention, msa = layer.attention, f"{prefix}msa"
    yield "attention/position_bias", _table_of_heads(f"{msa}.relative_position_params", attention)
    names = {"attention": f"{msa}.embedding_layer", "projection": f"{msa}.linear"}
    yield from under("attention", _dense_sources(attention, names))
    for number, name in ((1, "first"), (2, "second")):
        norm = getattr(layer, f"{name}_norm")
        yield from under(f"{name}_norm", _norm_sources(norm, {"": f"{prefix}ln{number}"}))
        scale = getattr(layer, f"{name}_scale").scale
        yield f"{name}_scale/scale", Source(f"{prefix}res_scale_{number}.scale", scale.shape)
    yield from _gated_perceptron_sources("perceptron", f"{prefix}mlp", layer.perceptron)


def _gated_perceptron_sources(path: str, key: str, layer: GatedPerceptron) -> Sources:
    yield from _matrix_sources(f"{path}/expansion", f"{key}.fc1", layer.expansion)
    yield from _matrix_sources(f"{path}/contraction", f"{key}.fc2", layer.contraction)
    yield from under(f"{path}/gate", layer_sources(f"{key}.dwconv.dwconv", layer.gate))


def _rwkv_block_sources(prefix: str, layer: RWKVBlock) -> Sources:
    for number, name, mix, key in ((1, "first", "spatial_mix", "att"), (2, "second", "channel_mix", "ffn")):
        norm, scale, shift = (getattr(layer, f"{name}_{kind}") for kind in ("norm", "scale", "shift"))
        yield from under(f"{name}_norm", _norm_sources(norm, {"": f"{prefix}ln{number}"}))
        yield f"{name}_scale/scale", Source(f"{prefix}gamma{number}", scale.scale.shape)
        yield from under(f"{name}_shift", _shift_sources(f"{prefix}{key}.omni_shift", shift))
        yield from under(mix, _mix_sources(f"{prefix}{key}.", getattr(layer, mix)))


def _shift_sources(key: str, layer: OmniShift) -> Sources:
    for number, kernel in enumerate(layer.kernels):
        size, _, channels, _ = kernel.shape
        source = Source(f"{key}.conv{size}x{size}.weight", (channels, 1, size, size), _depthwise)
        yield f"kernels/{number}", source
    yield "identity", Source(f"{key}.alpha", (4,), lambda shares: shares[0])
    yield "shares", Source(f"{key}.alpha", (4,), lambda shares: shares[1:])


def _mix_sources(prefix: str, layer: SpatialMix | ChannelMix) -> Sources:
    """Yields the sources of either mix, without its shift."""
    names = {"keys": "key", "values": "value", "gate": "receptance", "projection": "output"}
    if isinstance(layer, ChannelMix):
        names = {"expansion": "key", "contraction": "value", "gate": "receptance"}
    else:
        for name in ("decay", "boost"):
            yield f"attention/{name}", Source(f"{prefix}{name}", getattr(layer.attention, name).shape)
    for path, name in names.items():
        yield from _matrix_sources(path, f"{prefix}{name}", getattr(layer, path))


def _channel_mix_block_sources(prefix: str, layer: ChannelMixBlock, swapped: bool) -> Sources:
    yield from under("convolution", _convolution_sources(f"{prefix}mix.", layer.convolution, swapped, False))
    inner = [*under("norm", _norm_sources(layer.norm, {"": f"{prefix}norm"}))]
    inner += under("channel_mix", _mix_sources(prefix, layer.channel_mix))
    # Our axes of the channels whose halves are exchanged.
    axes = {"gamma": 0, "beta": 0, "expansion/kernel": 2, "contraction/kernel": 3, "gate/kernel": (2, 3)}
    for path, source in inner:
        exchanged = axes[path.split("/", 1)[1]]
        convert = _rolled(source.convert, layer.convolution.filters // 2, exchanged) if swapped else source.convert
        yield path, source._replace(convert=convert)


def _rolled(convert: Convert, shift: int, axes: int | tuple[int, ...]) -> Convert:
    def converted(array: np.ndarray) -> np.ndarray:
        return np.roll(convert(array), (shift,) * np.size(axes), axes)

    return converted


def _dictionary_sources(prefix: str, layer: DictionaryAttention) -> Sources:
    yield "sharpness", Source(f"{prefix}scale", (layer.heads, 1, 1), np.ravel)
    matrices = {"entrance": "x_trans", "queries": "q_trans", "keys": "k", "projection": "linear"}
    for path, name in (matrices | {"exit": "output_trans.0"}).items():
        yield from _matrix_sources(path, f"{prefix}{name}", getattr(layer, path))
    for number, (norm, name) in enumerate(zip(layer.norms, ("ln_scale", "lnx", "dict_ln", "ln_mlp"))):
        yield from under(f"norms/{number}", _norm_sources(norm, {"": f"{prefix}{name}"}))
    for number, scale in enumerate(layer.scales):
        yield f"scales/{number}/scale", Source(f"{prefix}res_scale_{number + 1}.scale", scale.scale.shape)
    yield from _gated_perceptron_sources("perceptron", f"{prefix}mlp", layer.perceptron)
    aggregation, msa = layer.aggregation, f"{prefix}msa"
    inner = [("entrance", "s", aggregation.entrance), ("joined", "dense.proj", aggregation.joined)]
    inner.append(("weights_of_positions", "spatial_atte.conv1", aggregation.weights_of_positions))
    for number, step in enumerate(aggregation.steps):
        names = zip(step.layers, ("in_trans", "dw_conv", "out_trans"))
        for place, (each, name) in enumerate(names):
            inner.append((f"steps/{number}/layers/{place}", f"dense.conv_layers.{number}.1.{name}", each))
    for path, name, each in inner:
        yield from under(f"aggregation/{path}", layer_sources(f"{msa}.{name}", each))


def _matrix_sources(path: str, key: str, layer: Convolution) -> Sources:
    """Yields the sources of a 1x1 convolution that PyTorch keeps as a matrix."""
    _, _, inputs, outputs = layer.kernel.shape
    yield f"{path}/kernel", Source(f"{key}.weight", (outputs, inputs), lambda array: array.T[None, None])
    if layer.use_bias:
        yield f"{path}/bias", Source(f"{key}.bias", (outputs,))


def _depthwise(array: np.ndarray) -> np.ndarray:
    """Returns the kernel of a depthwise convolution with its axes in our order."""
    return array.transpose(2, 3, 0, 1)


def _table_of_heads(key: str, layer: SwinBlock | WindowAttention) -> Source:
    heads, side = layer.position_bias.shape[1], 2 * layer.window - 1
    return Source(key, (heads, side, side), lambda array: array.reshape(heads, -1).T)


def _swin_sources_of_tcm(path: str, key: str, block: SwinBlock) -> Sources:
    sources = [("position_bias", _table_of_heads(f"{key}.msa.relative_position_params", block))]
    sources += _norm_sources(block, {"attention_": f"{key}.ln1", "perceptron_": f"{key}.ln2"})
    sources += _dense_sources(block, {"attention": f"{key}.msa.embedding_layer", "projection": f"{key}.msa.linear"})
    sources += _dense_sources(block, {"expansion": f"{key}.mlp.0", "contraction": f"{key}.mlp.2"})
    yield from under(path, sources)


def _local_sources(prefix: str, layer: LocalContext) -> Sources:
    yield "position_bias", Source(f"{prefix}relative_position_table", layer.position_bias.shape)
    yield from under("first_norm", _norm_sources(layer.first_norm, {"": f"{prefix}norm1"}))
    yield from under("second_norm", _norm_sources(layer.second_norm, {"": f"{prefix}norm2"}))
    first, second = layer.perceptron.layers
    products = {"attention": ("qkv_proj", layer.attention), "projection": ("proj", layer.projection)}
    products |= {"perceptron/layers/0": ("mlp.fc1", first), "perceptron/layers/1": ("mlp.fc2", second)}
    for path, (name, product) in products.items():
        yield from _matrix_sources(path, f"{prefix}{name}", product)
    outputs, size = layer.fusion.filters, layer.window
    shape = (outputs, layer.depth, size, size)

    def side_by_side(array: np.ndarray) -> np.ndarray:
        return array.transpose(2, 3, 1, 0).reshape(1, 1, -1, outputs)

    yield "fusion/kernel", Source(f"{prefix}fusion.weight", shape, side_by_side)
    yield "fusion/bias", Source(f"{prefix}fusion.bias", (outputs,))


def _norm_sources(layer: keras.layers.Layer, names: dict[str, str]) -> Sources:
    """Yields the sources of layer norms, by the start of the names of our weights."""
    for start, name in names.items():
        yield f"{start}gamma", Source(f"{name}.weight", getattr(layer, f"{start}gamma").shape)
        yield f"{start}beta", Source(f"{name}.bias", getattr(layer, f"{start}beta").shape)


def _dense_sources(layer: keras.layers.Layer, names: dict[str, str]) -> Sources:
    """Yields the sources of products with a bias, by the start of the names of our weights."""
    for start, name in names.items():
        kernel = getattr(layer, f"{start}_kernel")
        yield f"{start}_kernel", Source(f"{name}.weight", kernel.shape[::-1], np.transpose)
        yield f"{start}_bias", Source(f"{name}.bias", getattr(layer, f"{start}_bias").shape)


def _channels_last(convert: Convert, block: int) -> Convert:
    def converted(array: np.ndarray) -> np.ndarray:
        weight = convert(array)
        blocks = weight.reshape(*weight.shape[:-1], -1, block)
        return np.swapaxes(blocks, -1, -2).reshape(weight.shape)

    return converted


def _convolution_sources(prefix: str, layer: Convolution, swapped: bool, transposed: bool) -> Sources:
    height, width, inputs, outputs = layer.kernel.shape
    channels = (inputs, outputs) if transposed else (outputs, inputs)

    def in_order(array: np.ndarray) -> np.ndarray:
        return np.roll(array, outputs // 2, -1) if swapped else array

    def kernel(array: np.ndarray) -> np.ndarray:
        if transposed:  # PyTorch's transposed convolution has the orientation of ours, unless ours is a correlation.
            array = in_order(array.transpose(2, 3, 0, 1))
            return array[::-1, ::-1] if layer.correlation else array
        array = in_order(array.transpose(2, 3, 1, 0))
        return array if layer.correlation else array[::-1, ::-1]

    yield "kernel", Source(f"{prefix}weight", (*channels, height, width), kernel)
    if layer.use_bias:
        yield "bias", Source(f"{prefix}bias", (outputs,), in_order)
