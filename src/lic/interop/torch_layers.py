"""The tensors of PyTorch's state dicts that the weights of our layers are made of, and the order of their axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lic.environment import keras
from lic.layers.attention import AttentionBlock
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.mixed import MixedBlock
from lic.layers.residual import ResidualBlock, ResidualDown, ResidualUp
from lic.layers.sequential import Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.layers.swin.attention import WindowAttention
from lic.layers.swin.block import SwinBlock
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
        for name, source in layer_sources(f"{key}.{step * order}", layer, **last):
            yield f"{path}/layers/{number}/{name}", source


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
        for rest, source in layer_sources(f"{prefix}{name}", inner):
            yield f"{path}/{rest}", source
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
    elif isinstance(layer, Convolution):
        yield from _convolution_sources(prefix, layer, swapped, transposed or layer.up > 1)


def _inner_layers(layer: keras.layers.Layer) -> Inner:
    """Yields the path, PyTorch's name and the layer for each layer inside one that holds others."""
    if isinstance(layer, (ResidualBlock, ResidualDown)):
        names = {"first": "conv1", "second": "conv2", "gdn": "gdn", "skip": "skip"}
        yield from _named(layer, names)
    elif isinstance(layer, ResidualUp):
        names = {"first": "subpel_conv", "second": "conv", "gdn": "igdn", "skip": "upsample"}
        yield from _named(layer, names)
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


def _listed(path: str, network: Sequential, name: str, first: int = 0, step: int = 1) -> Inner:
    for number, inner in enumerate(network.layers):
        yield f"{path}/layers/{number}", name.format(first + step * number), inner


def _swin_sources_of_tcm(path: str, key: str, block: SwinBlock) -> Sources:
    heads, side = block.position_bias.shape[1], 2 * block.window - 1
    table = Source(f"{key}.msa.relative_position_params", (heads, side, side), lambda array: array.reshape(heads, -1).T)
    sources = [("position_bias", table)]
    sources += _norm_sources(block, {"attention_": f"{key}.ln1", "perceptron_": f"{key}.ln2"})
    sources += _dense_sources(block, {"attention": f"{key}.msa.embedding_layer", "projection": f"{key}.msa.linear"})
    sources += _dense_sources(block, {"expansion": f"{key}.mlp.0", "contraction": f"{key}.mlp.2"})
    yield from ((f"{path}/{name}", source) for name, source in sources)


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
        if transposed:  # PyTorch's transposed convolution has the orientation of ours.
            return in_order(array.transpose(2, 3, 0, 1))
        array = in_order(array.transpose(2, 3, 1, 0))
        return array if layer.correlation else array[::-1, ::-1]

    yield "kernel", Source(f"{prefix}weight", (*channels, height, width), kernel)
    yield "bias", Source(f"{prefix}bias", (outputs,), in_order)
