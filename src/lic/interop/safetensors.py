"""Weights in PyTorch's layout: a safetensors file of named tensors, exported and imported again."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from einops import rearrange

from lic._version import __version__
from lic.atomic_write import atomic_write
from lic.codec.codec import Codec
from lic.entropy.checkerboard import CheckerboardContext
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.environment import keras, tf
from lic.errors import CheckpointError, as_checkpoint_error, check_kind, check_path
from lic.interop.torch_state_dict import safetensors_package
from lic.json_files import parse_json
from lic.layers.convolution import Convolution, to_dft
from lic.layers.depthwise import DepthwiseConvolution
from lic.layers.gdn import GDN
from lic.layers.rwkv import OmniShift
from lic.layers.swin.attention import WindowAttention
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.patches import PatchEmbedding, Patches
from lic.models.base import CompressionModel
from lic.models.rate import Gains
from lic.models.untrusted_config import described_by_file
from lic.transforms.klt import ANALYSIS_GAIN, BLOCK, MIDDLE, SYNTHESIS_GAIN, KLTAnalysis, KLTSynthesis
from lic.weights import named_layers, named_variables, require_fitting, set_tensors, value_of

Variables = Mapping[str, tf.Variable]


class Module(NamedTuple):
    """The module of PyTorch that a tensor belongs to.

    Attributes:
      name: A class of `torch.nn`, or "Parameter" where none computes the same.
      arguments: Arguments of the class that do not follow from the tensors' shapes, such as the stride.
      then: The function of `torch.nn.functional` that follows, such as "relu" or, with its slope, "leaky_relu 0.2"; or
        "".
      note: Further facts, such as the formula of a parameter.
    """

    name: str
    arguments: Mapping[str, Any] = {}
    then: str = ""
    note: str = ""


class TorchTensor(NamedTuple):
    """A tensor in PyTorch's layout.

    Attributes:
      name: The tensor's name, an attribute path with dots.
      shape: The tensor's shape.
      module: The module that the tensor belongs to.
    """

    name: str
    shape: tuple[int, ...]
    module: Module


class _Conversion(NamedTuple):
    """The conversion of weights of a layer to one tensor, and back."""

    name: str
    weights: tuple[str, ...]
    module: Module
    to_torch: Callable[[], np.ndarray]
    from_torch: Callable[[np.ndarray], Sequence[np.ndarray]]


def export_safetensors(model: CompressionModel | Codec, path: str | os.PathLike) -> list[TorchTensor]:
    """Writes the weights of a model in PyTorch's layout, and returns the list of the tensors.

    The file's metadata hold the model's configuration ("config") and each tensor's module ("modules"), both as JSON.

    Args:
      model: The model, or a codec, whose settings are kept for `settings_of`.
      path: The safetensors file to write.

    Raises:
      ImportError: The package safetensors is not installed.
    """
    check_path("export_safetensors", "path", path)
    kinds = (CompressionModel, Codec)
    check_kind("export_safetensors", "model", model, kinds, "a lic.CompressionModel or a lic.Codec")
    package = safetensors_package()
    settings = model.settings if isinstance(model, Codec) else {}
    model = model.model if isinstance(model, Codec) else model
    conversions = _conversions_of(model)
    tensors = {name: np.array(each.to_torch(), order="C") for name, each in conversions.items()}
    modules = {name: each.module._asdict() for name, each in conversions.items()}
    texts = {"config": json.dumps(model.configuration()), "modules": json.dumps(modules)}
    texts |= {"settings": json.dumps(settings)} if settings else {}
    content = package.numpy.save(tensors, {"format": "pt", "lic": __version__} | texts)
    with atomic_write(path) as file:
        file.write(content)
    return [TorchTensor(name, tensors[name].shape, each.module) for name, each in conversions.items()]


def import_safetensors(path: str | os.PathLike) -> CompressionModel:
    """Makes a model from a file of `export_safetensors`, whose tensors may have been trained since.

    Raises:
      CheckpointError: The file is another one, or a tensor is missing, left over, or of another shape; the message
        names it.
      RegistryError: A part of the model is not registered here.
      ImportError: The package safetensors is not installed.
    """
    config, tensors = _read(path)
    with described_by_file(config, tensors):
        model = CompressionModel.from_configuration(config)
    conversions = _conversions_of(model)
    try:
        require_fitting({name: each.to_torch().shape for name, each in conversions.items()}, tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    set_tensors(model, _weights(conversions, tensors))
    return model


def settings_of(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the arguments of `lic.Codec` that a file holds if `export_safetensors` made it of a codec.

    Raises:
      CheckpointError: The file is another one.
      ImportError: The package safetensors is not installed.
    """
    package = safetensors_package()
    with as_checkpoint_error(f"{path} is not a safetensors file of a codec"):
        with package.safe_open(os.fspath(path), "np") as file:
            settings = parse_json((file.metadata() or {}).get("settings", "{}"))
        return {name: settings[name] for name in ("bit_depth", "skip_below", "stored") if name in settings}


def has_model_config(path: str | os.PathLike) -> bool:
    """Returns whether the metadata of a file hold a model's configuration, as those of `export_safetensors` do.

    Raises:
      ImportError: The package safetensors is not installed.
    """
    package = safetensors_package()
    try:
        with as_checkpoint_error(f"{path} cannot be read"), package.safe_open(os.fspath(path), "np") as file:
            return "config" in (file.metadata() or {})
    except CheckpointError:
        return False


def torch_tensors(model: CompressionModel) -> list[TorchTensor]:
    """Returns the tensors that `export_safetensors` makes of a model."""
    return [TorchTensor(name, each.to_torch().shape, each.module) for name, each in _conversions_of(model).items()]


def _read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    package = safetensors_package()
    if not os.path.exists(path):
        raise CheckpointError(f"There is no file {os.fspath(path)!r}.")
    with as_checkpoint_error(f"{path} is not a safetensors file of a model"):
        with package.safe_open(os.fspath(path), "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            metadata = file.metadata() or {}
        if "config" not in metadata:
            raise CheckpointError(
                f"{path} has no configuration in its metadata, so its model is unknown. "
                "Save tensors with the metadata of the file that `export_safetensors` wrote."
            )
        config = parse_json(metadata["config"])
        for name, tensor in tensors.items():
            if tensor.dtype.kind != "f" or not np.isfinite(tensor).all():
                raise ValueError(f"the tensor {name!r} is {tensor.dtype}, or holds numbers that are not finite")
        return config, tensors


def _weights(conversions: Mapping[str, _Conversion], tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns weights by the names that they have in lic."""
    weights = {}
    for name, each in conversions.items():
        parent = name.removesuffix(each.name).replace(".", "/")
        values = each.from_torch(tensors[name].astype(np.float32))
        weights |= {parent + weight: np.asarray(value) for weight, value in zip(each.weights, values, strict=True)}
    return weights


def _conversions_of(model: CompressionModel) -> dict[str, _Conversion]:
    """Returns the conversions of all weights by the tensors' names, in the order of the weights."""
    layers, own = {"": model} | named_layers(model), {}
    for name, variable in named_variables(model).items():
        parent = name
        while parent not in layers:
            parent = parent.rpartition("/")[0]
        own.setdefault(parent, {})[name.removeprefix(parent).lstrip("/")] = variable
    conversions = {}
    for parent, variables in own.items():
        for each in _all_conversions(layers[parent], variables):
            conversions[f"{parent}/{each.name}".lstrip("/").replace("/", ".")] = each
    return conversions


def _all_conversions(layer: keras.layers.Layer, variables: Variables) -> list[_Conversion]:
    """Returns the conversions of a layer's own weights; a weight for which none is registered stays as it is."""
    conversions = _conversions(layer, variables)
    converted = {weight for each in conversions for weight in each.weights}
    others = [weight for weight in variables if weight not in converted]
    return conversions + [_unchanged(variables, weight, Module("Parameter")) for weight in others]


def _unchanged(variables: Variables, weight: str, module: Module, name: str = "") -> _Conversion:
    name = name or weight.replace("/", ".")
    return _Conversion(name, (weight,), module, lambda: value_of(variables[weight]), lambda tensor: [tensor])


def _transposed(
    variables: Variables, weight: str, module: Module, name: str, axes: Sequence[int] = (1, 0)
) -> _Conversion:
    inverse = np.argsort(axes)
    return _Conversion(
        name,
        (weight,),
        module,
        lambda: value_of(variables[weight]).transpose(axes),
        lambda tensor: [tensor.transpose(inverse)],
    )


@functools.singledispatch
def _conversions(layer: keras.layers.Layer, variables: Variables) -> list[_Conversion]:
    """Returns the conversions of a layer's own weights, which `variables` holds by their attributes."""
    return []


@_conversions.register(Convolution)
def _(layer: Convolution, variables: Variables) -> list[_Conversion]:
    module = _module_of_convolution(layer)
    # Conv2d is a correlation and ConvTranspose2d a convolution; a kernel of the other kind is mirrored.
    mirrored = slice(None, None, -1 if (layer.up > 1) == layer.correlation else 1)
    axes = (2, 3, 0, 1) if layer.up > 1 else (3, 2, 0, 1)

    def to_torch() -> np.ndarray:
        return np.asarray(layer.spatial_kernel())[mirrored, mirrored].transpose(axes)

    def from_torch(tensor: np.ndarray) -> list[np.ndarray]:
        kernel = tensor.transpose(np.argsort(axes))[mirrored, mirrored]
        if layer.kernel_form == "plain":
            return [kernel]
        transformed = to_dft(tf.constant(kernel)).numpy()
        return [transformed.real, transformed.imag]

    weights = ("kernel",) if layer.kernel_form == "plain" else ("kernel_real", "kernel_imag")
    bias = [_unchanged(variables, "bias", module)] if "bias" in variables else []
    return [_Conversion("weight", weights, module, to_torch, from_torch), *bias]


@_conversions.register(DepthwiseConvolution)
def _(layer: DepthwiseConvolution, variables: Variables) -> list[_Conversion]:
    size, _, channels, _ = layer.kernel.shape
    arguments = {"stride": 1, "padding": size // 2, "groups": channels}
    module = Module("Conv2d", arguments, _activation(layer))
    kernel = _transposed(variables, "kernel", module, "weight", (2, 3, 0, 1))
    return [kernel, _unchanged(variables, "bias", module)] if layer.use_bias else [kernel]


@_conversions.register(keras.layers.LayerNormalization)
def _(layer: keras.layers.LayerNormalization, variables: Variables) -> list[_Conversion]:
    module = Module("LayerNorm", {"eps": layer.epsilon})
    return [_unchanged(variables, "gamma", module, "weight"), _unchanged(variables, "beta", module, "bias")]


@_conversions.register(GDN)
def _(layer: GDN, variables: Variables) -> list[_Conversion]:
    magnitude, norm = ("x^2", "sqrt(beta + gamma x^2)") if layer.square_root else ("|x|", "beta + gamma |x|")
    roots = "beta = max(b, (1e-6 + 2^-36)^0.5)^2 - 2^-36, gamma = max(g, 2^-18)^2 - 2^-36"
    note = f"x {'*' if layer.inverse else '/'} ({norm}), gamma {magnitude} a 1x1 convolution; of these roots {roots}"
    module = Module("Parameter", {"inverse": layer.inverse, "square_root": layer.square_root}, "", note)
    return [
        _unchanged(variables, "reparam_beta", module),
        _transposed(variables, "reparam_gamma", module, "reparam_gamma"),
    ]


@_conversions.register(KLTAnalysis)
def _(layer: KLTAnalysis, variables: Variables) -> list[_Conversion]:
    note = (
        f"of (image - {MIDDLE}) / {ANALYSIS_GAIN:g}; plus the branch, which sees 8x8 pixels as (row, column, channel)"
    )
    module = Module("Conv2d", {"stride": BLOCK, "padding": 0}, "", note)

    def to_torch() -> np.ndarray:
        return rearrange(
            value_of(variables["linear"]),
            "(row column colour) filters -> filters colour row column",
            row=BLOCK,
            column=BLOCK,
        )

    def from_torch(tensor: np.ndarray) -> list[np.ndarray]:
        return [rearrange(tensor, "filters colour row column -> (row column colour) filters")]

    return [_Conversion("linear.weight", ("linear",), module, to_torch, from_torch)]


@_conversions.register(KLTSynthesis)
def _(layer: KLTSynthesis, variables: Variables) -> list[_Conversion]:
    note = (
        f"of the latent / {SYNTHESIS_GAIN:g}; plus {MIDDLE} and the branch, whose channels are (row, column, channel)"
    )
    module = Module("ConvTranspose2d", {"stride": BLOCK, "padding": 0, "output_padding": 0}, "", note)

    def to_torch() -> np.ndarray:
        return rearrange(
            value_of(variables["linear"]),
            "filters (row column colour) -> filters colour row column",
            row=BLOCK,
            column=BLOCK,
        )

    def from_torch(tensor: np.ndarray) -> list[np.ndarray]:
        return [rearrange(tensor, "filters colour row column -> filters (row column colour)")]

    return [_Conversion("linear.weight", ("linear",), module, to_torch, from_torch)]


@_conversions.register(FactorizedPrior)
def _(layer: FactorizedPrior, variables: Variables) -> list[_Conversion]:
    note = "logits: x = softplus(matrix) x + bias, then x + tanh(factor) tanh(x) where there is a factor"
    return [_unchanged(variables, weight, Module("Parameter", note=note)) for weight in variables]


@_conversions.register(Gains)
def _(layer: Gains, variables: Variables) -> list[_Conversion]:
    note = "logarithms [qualities, channels]: of the gain, of the spread beside it, of the factor before the synthesis"
    return [_unchanged(variables, weight, Module("Parameter", note=note)) for weight in variables]


@_conversions.register(PatchEmbedding)
def _(layer: PatchEmbedding, variables: Variables) -> list[_Conversion]:
    module = Module("Conv2d", {"stride": 2, "padding": 0})
    norm = _norm(variables, "gamma", "beta", "norm") if layer.norm else []
    kernel = _transposed(variables, "kernel", module, "weight", (3, 2, 0, 1))
    return [kernel, _unchanged(variables, "bias", module), *norm]


@_conversions.register(Patches)
def _(layer: Patches, variables: Variables) -> list[_Conversion]:
    conversions = [_transposed(variables, "kernel", Module("Linear"), "weight")]
    if "bias" in variables:
        conversions.append(_unchanged(variables, "bias", Module("Linear")))
    if "gamma" in variables:
        conversions += _norm(variables, "gamma", "beta", "norm")
    return conversions


@_conversions.register(SwinBlock)
def _(layer: SwinBlock, variables: Variables) -> list[_Conversion]:
    conversions = [_position_bias(variables)]
    for name in ("attention", "perceptron"):
        conversions += _norm(variables, f"{name}_gamma", f"{name}_beta", f"{name}_norm")
    for name in ("attention", "projection", "expansion", "contraction"):
        conversions += _linear(variables, name, then="gelu" if name == "expansion" else "")
    return conversions


@_conversions.register(WindowAttention)
def _(layer: WindowAttention, variables: Variables) -> list[_Conversion]:
    return [_position_bias(variables), *_linear(variables, "attention"), *_linear(variables, "projection")]


@_conversions.register(OmniShift)
def _(layer: OmniShift, variables: Variables) -> list[_Conversion]:
    conversions = []
    for number, size in enumerate((1, 3, 5)):
        module = Module("Conv2d", {"stride": 1, "padding": size // 2, "groups": layer.kernels[number].shape[2]})
        kernel = f"kernels/{number}"
        conversions.append(_transposed(variables, kernel, module, f"kernels.{number}.weight", (2, 3, 0, 1)))
    return conversions


def _position_bias(variables: Variables) -> _Conversion:
    return _unchanged(variables, "position_bias", Module("Parameter", note="of each offset in a window, for each head"))


def _linear(variables: Variables, name: str, then: str = "") -> list[_Conversion]:
    module = Module("Linear", then=then)
    kernel = _transposed(variables, f"{name}_kernel", module, f"{name}.weight")
    return [kernel, _unchanged(variables, f"{name}_bias", module, f"{name}.bias")]


def _norm(variables: Variables, gamma: str, beta: str, name: str) -> list[_Conversion]:
    module = Module("LayerNorm", {"eps": 1e-5})
    return [_unchanged(variables, gamma, module, f"{name}.weight"), _unchanged(variables, beta, module, f"{name}.bias")]


def _module_of_convolution(layer: Convolution) -> Module:
    masked = isinstance(layer, CheckerboardContext)
    note = "only taps at odd row + column distance count, the others are zero" if masked else ""
    name, arguments, padding = _conv_transpose_2d(layer) if layer.up > 1 else _conv_2d(layer)
    return Module(name, arguments, _activation(layer), "; ".join(filter(None, (note, padding))))


def _conv_2d(layer: Convolution) -> tuple[str, dict[str, int], str]:
    less, more = (layer.kernel_size - 1) // 2, layer.kernel_size // 2
    if less == more:
        return "Conv2d", {"stride": layer.down, "padding": more}, ""
    before, after = (more, less) if layer.correlation else (less, more)
    padding = f"after nn.ZeroPad2d(({before}, {after}, {before}, {after}))"
    return "Conv2d", {"stride": layer.down, "padding": 0}, padding


def _conv_transpose_2d(layer: Convolution) -> tuple[str, dict[str, int], str]:
    size, up = layer.kernel_size, layer.up
    padding = (size - 1) // 2 if layer.correlation else size // 2
    added = up + 2 * padding - size
    if 0 <= added < up:
        return "ConvTranspose2d", {"stride": up, "padding": padding, "output_padding": added}, ""
    cropped = f"rows and columns {padding} to {padding} + {up} times the size, zeros where there are none"
    return "ConvTranspose2d", {"stride": up, "padding": 0, "output_padding": 0}, cropped


def _activation(layer: Convolution | DepthwiseConvolution) -> str:
    name = layer.get_config()["activation"]
    if name in (None, "linear"):
        return ""
    if str(name).startswith("leaky_relu"):
        return f"leaky_relu {-float(layer.activation(tf.constant(-1.0))):g}"
    return str(name)
