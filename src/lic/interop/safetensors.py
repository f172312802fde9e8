"""Weights as PyTorch has them: a safetensors file of named tensors, out and in again."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lic._version import __version__
from lic.atomic_write import atomic_write
from lic.entropy.checkerboard import CheckerboardContext
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.environment import keras, tf
from lic.errors import CheckpointError
from lic.interop.torch_state_dict import safetensors_package
from lic.layers.convolution import Convolution, to_dft
from lic.layers.gdn import GDN
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.patches import PatchEmbedding, Patches
from lic.models.base import CompressionModel
from lic.models.rate import Gains
from lic.models.untrusted_config import described_by_file
from lic.transforms.klt import ANALYSIS_GAIN, BLOCK, MIDDLE, SYNTHESIS_GAIN, KLTAnalysis, KLTSynthesis
from lic.weights import named_layers, named_variables, require_fitting, set_tensors, value_of

Variables = Mapping[str, tf.Variable]


class Module(NamedTuple):
    """What a tensor belongs to in PyTorch.

    Attributes:
      name: A class of `torch.nn`, or "Parameter" where none computes the same.
      arguments: Arguments of the class that shapes do not tell, such as the stride.
      then: What of `torch.nn.functional` follows, such as "relu", or "leaky_relu 0.2" with its slope; or "".
      note: What else is to be known, such as the formula of a parameter.
    """

    name: str
    arguments: Mapping[str, Any] = {}
    then: str = ""
    note: str = ""


class TorchTensor(NamedTuple):
    """A row of the table of names.

    Attributes:
      name: The tensor's name, an attribute path with dots.
      shape: Its shape in PyTorch's layout.
      module: What it belongs to.
    """

    name: str
    shape: tuple[int, ...]
    module: Module


class _Form(NamedTuple):
    """How weights of a layer become one tensor, and back."""

    name: str
    leaves: tuple[str, ...]
    module: Module
    out: Callable[[], np.ndarray]
    back: Callable[[np.ndarray], Sequence[np.ndarray]]


def export_tensors(model: CompressionModel, path: str | os.PathLike) -> list[TorchTensor]:
    """Writes the weights of a model as PyTorch has them, and returns the table of their names.

    The file's metadata hold the model's configuration ("config") and the table ("modules"), both as JSON.

    Args:
      model: The model.
      path: The safetensors file to write.

    Raises:
      ImportError: The package safetensors is not installed.
    """
    package = safetensors_package()
    model.make_variables()
    forms = _forms_of(model)
    tensors = {name: np.ascontiguousarray(form.out()) for name, form in forms.items()}
    modules = {name: form.module._asdict() for name, form in forms.items()}
    texts = {"config": json.dumps(model.get_config()), "modules": json.dumps(modules)}
    content = package.numpy.save(tensors, {"format": "pt", "lic": __version__} | texts)
    with atomic_write(path) as file:
        file.write(content)
    return [TorchTensor(name, tensors[name].shape, form.module) for name, form in forms.items()]


def import_tensors(path: str | os.PathLike) -> CompressionModel:
    """Makes a model from a file such as `export_tensors` writes; its weights may have been trained since.

    Raises:
      CheckpointError: It is no such file, or a tensor is missing, too many, or of another shape; it is named.
      RegistryError: A part of the model is not registered here.
      ImportError: The package safetensors is not installed.
    """
    config, tensors = _read(path)
    with described_by_file(sum(array.size for array in tensors.values())):
        model = CompressionModel.from_config(config)
        model.make_variables()
    forms = _forms_of(model)
    try:
        require_fitting({name: form.out().shape for name, form in forms.items()}, tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    set_tensors(model, _weights(forms, tensors))
    return model


def is_exported(path: str | os.PathLike) -> bool:
    """Returns whether `export_tensors` wrote a file, or something that keeps what that says of the model.

    Raises:
      ImportError: The package safetensors is not installed.
    """
    package = safetensors_package()
    try:
        with package.safe_open(os.fspath(path), "np") as file:
            return "config" in (file.metadata() or {})
    except (package.SafetensorError, OSError):
        return False


def table_of(model: CompressionModel) -> list[TorchTensor]:
    """Returns the table of the names that `export_tensors` gives to the weights of a model."""
    model.make_variables()
    return [TorchTensor(name, form.out().shape, form.module) for name, form in _forms_of(model).items()]


def _read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    package = safetensors_package()
    try:
        with package.safe_open(os.fspath(path), "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            config = json.loads((file.metadata() or {})["config"])
    except FileNotFoundError:
        raise CheckpointError(f"There is no file {os.fspath(path)!r}.") from None
    except KeyError:
        raise CheckpointError(
            f"{path} has no configuration in its metadata, so it cannot be said of which model it is. "
            "Save tensors with the metadata of the file that `export_tensors` wrote."
        ) from None
    except (package.SafetensorError, OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is not a safetensors file of a model ({error}).") from error
    return config, tensors


def _weights(forms: Mapping[str, _Form], tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights by their own names."""
    weights = {}
    for name, form in forms.items():
        parent = name.removesuffix(form.name).replace(".", "/")
        values = form.back(tensors[name].astype(np.float32))
        weights |= {parent + leaf: np.asarray(value) for leaf, value in zip(form.leaves, values, strict=True)}
    return weights


def _forms_of(model: CompressionModel) -> dict[str, _Form]:
    """The forms of all tensors by their names, in the order of the weights."""
    layers, own = {"": model} | named_layers(model), {}
    for name, variable in named_variables(model).items():
        parent = name
        while parent not in layers:
            parent = parent.rpartition("/")[0]
        own.setdefault(parent, {})[name.removeprefix(parent).lstrip("/")] = variable
    forms = {}
    for parent, variables in own.items():
        for form in _all_forms(layers[parent], variables):
            forms[f"{parent}/{form.name}".lstrip("/").replace("/", ".")] = form
    return forms


def _all_forms(layer: keras.layers.Layer, variables: Variables) -> list[_Form]:
    """The forms of a layer's own weights; those of which nothing is said stay as they are."""
    forms = _forms(layer, variables)
    told = {leaf for form in forms for leaf in form.leaves}
    return forms + [_same(variables, leaf, Module("Parameter")) for leaf in variables if leaf not in told]


def _same(variables: Variables, leaf: str, module: Module, name: str = "") -> _Form:
    return _Form(
        name or leaf.replace("/", "."), (leaf,), module, lambda: value_of(variables[leaf]), lambda tensor: [tensor]
    )


def _turned(variables: Variables, leaf: str, module: Module, name: str, axes: Sequence[int] = (1, 0)) -> _Form:
    """A weight whose axes come in another order."""
    back = np.argsort(axes)
    return _Form(
        name,
        (leaf,),
        module,
        lambda: value_of(variables[leaf]).transpose(axes),
        lambda tensor: [tensor.transpose(back)],
    )


@functools.singledispatch
def _forms(layer: keras.layers.Layer, variables: Variables) -> list[_Form]:
    """How the weights of a layer itself, by their attributes, become tensors."""
    return []


@_forms.register(Convolution)
def _(layer: Convolution, variables: Variables) -> list[_Form]:
    module = _module_of_convolution(layer)
    # PyTorch correlates in place and on the way down, and convolves on the way up.
    mirrored = slice(None, None, -1 if (layer.up > 1) == layer.correlation else 1)
    axes = (2, 3, 0, 1) if layer.up > 1 else (3, 2, 0, 1)

    def out() -> np.ndarray:
        return np.asarray(layer.spatial_kernel())[mirrored, mirrored].transpose(axes)

    def back(tensor: np.ndarray) -> list[np.ndarray]:
        kernel = tensor.transpose(np.argsort(axes))[mirrored, mirrored]
        if layer.kernel_form == "plain":
            return [kernel]
        transformed = to_dft(tf.constant(kernel)).numpy()
        return [transformed.real, transformed.imag]

    leaves = ("kernel",) if layer.kernel_form == "plain" else ("kernel_real", "kernel_imag")
    bias = [_same(variables, "bias", module)] if "bias" in variables else []
    return [_Form("weight", leaves, module, out, back), *bias]


@_forms.register(GDN)
def _(layer: GDN, variables: Variables) -> list[_Form]:
    magnitude, norm = ("x^2", "sqrt(beta + gamma x^2)") if layer.square_root else ("|x|", "beta + gamma |x|")
    roots = "beta = max(b, (1e-6 + 2^-36)^0.5)^2 - 2^-36, gamma = max(g, 2^-18)^2 - 2^-36"
    note = f"x {'*' if layer.inverse else '/'} ({norm}), gamma {magnitude} a 1x1 convolution; of these roots {roots}"
    module = Module("Parameter", {"inverse": layer.inverse, "square_root": layer.square_root}, "", note)
    return [
        _same(variables, "reparam_beta", module),
        _turned(variables, "reparam_gamma", module, "reparam_gamma"),
    ]


@_forms.register(KLTAnalysis)
def _(layer: KLTAnalysis, variables: Variables) -> list[_Form]:
    note = (
        f"of (image - {MIDDLE}) / {ANALYSIS_GAIN:g}; plus the branch, which sees 8x8 pixels as (row, column, channel)"
    )
    module = Module("Conv2d", {"stride": BLOCK, "padding": 0}, "", note)

    def out() -> np.ndarray:
        return value_of(variables["linear"]).T.reshape(-1, BLOCK, BLOCK, 3).transpose(0, 3, 1, 2)

    def back(tensor: np.ndarray) -> list[np.ndarray]:
        return [tensor.transpose(0, 2, 3, 1).reshape(len(tensor), -1).T]

    return [_Form("linear.weight", ("linear",), module, out, back)]


@_forms.register(KLTSynthesis)
def _(layer: KLTSynthesis, variables: Variables) -> list[_Form]:
    note = (
        f"of the latent / {SYNTHESIS_GAIN:g}; plus {MIDDLE} and the branch, whose channels are (row, column, channel)"
    )
    module = Module("ConvTranspose2d", {"stride": BLOCK, "padding": 0, "output_padding": 0}, "", note)

    def out() -> np.ndarray:
        return value_of(variables["linear"]).reshape(-1, BLOCK, BLOCK, 3).transpose(0, 3, 1, 2)

    def back(tensor: np.ndarray) -> list[np.ndarray]:
        return [tensor.transpose(0, 2, 3, 1).reshape(len(tensor), -1)]

    return [_Form("linear.weight", ("linear",), module, out, back)]


@_forms.register(FactorizedPrior)
def _(layer: FactorizedPrior, variables: Variables) -> list[_Form]:
    note = "logits: x = softplus(matrix) x + bias, then x + tanh(factor) tanh(x) where there is a factor"
    return [_same(variables, leaf, Module("Parameter", note=note)) for leaf in variables]


@_forms.register(Gains)
def _(layer: Gains, variables: Variables) -> list[_Form]:
    note = "logarithms [qualities, channels]: of the gain, of the spread beside it, of the factor before the synthesis"
    return [_same(variables, leaf, Module("Parameter", note=note)) for leaf in variables]


@_forms.register(PatchEmbedding)
def _(layer: PatchEmbedding, variables: Variables) -> list[_Form]:
    module = Module("Conv2d", {"stride": 2, "padding": 0})
    return [_turned(variables, "kernel", module, "weight", (3, 2, 0, 1)), _same(variables, "bias", module)]


@_forms.register(Patches)
def _(layer: Patches, variables: Variables) -> list[_Form]:
    return [
        _turned(variables, "kernel", Module("Linear"), "weight"),
        *([_same(variables, "bias", Module("Linear"))] if "bias" in variables else []),
        *(_norm(variables, "gamma", "beta", "norm") if "gamma" in variables else []),
    ]


@_forms.register(SwinBlock)
def _(layer: SwinBlock, variables: Variables) -> list[_Form]:
    forms = [_same(variables, "position_bias", Module("Parameter", note="of each offset in a window, for each head"))]
    for name in ("attention", "perceptron"):
        forms += _norm(variables, f"{name}_gamma", f"{name}_beta", f"{name}_norm")
    for name in ("attention", "projection", "expansion", "contraction"):
        module = Module("Linear", then="gelu" if name == "expansion" else "")
        forms.append(_turned(variables, f"{name}_kernel", module, f"{name}.weight"))
        forms.append(_same(variables, f"{name}_bias", module, f"{name}.bias"))
    return forms


def _norm(variables: Variables, gamma: str, beta: str, name: str) -> list[_Form]:
    module = Module("LayerNorm", {"eps": 1e-5})
    return [_same(variables, gamma, module, f"{name}.weight"), _same(variables, beta, module, f"{name}.bias")]


def _module_of_convolution(layer: Convolution) -> Module:
    masked = isinstance(layer, CheckerboardContext)
    note = "only taps at odd row + column distance count, the others are zero" if masked else ""
    name, arguments, cut = _going_up(layer) if layer.up > 1 else _going_down(layer)
    return Module(name, arguments, _then(layer), "; ".join(filter(None, (note, cut))))


def _going_down(layer: Convolution) -> tuple[str, dict[str, int], str]:
    less, more = (layer.kernel_size - 1) // 2, layer.kernel_size // 2
    if less == more:
        return "Conv2d", {"stride": layer.down, "padding": more}, ""
    before, after = (more, less) if layer.correlation else (less, more)
    around = f"after nn.ZeroPad2d(({before}, {after}, {before}, {after}))"
    return "Conv2d", {"stride": layer.down, "padding": 0}, around


def _going_up(layer: Convolution) -> tuple[str, dict[str, int], str]:
    size, up = layer.kernel_size, layer.up
    padding = (size - 1) // 2 if layer.correlation else size // 2
    added = up + 2 * padding - size
    if 0 <= added < up:
        return "ConvTranspose2d", {"stride": up, "padding": padding, "output_padding": added}, ""
    cut = f"rows and columns {padding} to {padding} + {up} times the size, zeros where there are none"
    return "ConvTranspose2d", {"stride": up, "padding": 0, "output_padding": 0}, cut


def _then(layer: Convolution) -> str:
    name = layer.get_config()["activation"]
    if name == "linear":
        return ""
    if str(name).startswith("leaky_relu"):
        return f"leaky_relu {-float(layer.activation(tf.constant(-1.0))):g}"
    return str(name)
