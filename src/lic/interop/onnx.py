"""The networks of a model as ONNX files for any batch, height and width."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lic._version import __version__
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.environment import KERAS_3, keras, tf
from lic.errors import LicError, check_kind, check_path
from lic.layers.tracing import intercept, plain_graphs, snapshot_weights
from lic.models.base import CompressionModel
from lic.weights import named_layers

OPSET = 17
DESCRIPTION = "networks.json"
_AXES = ("batch", "height", "width")


class Network(NamedTuple):
    """A network that a model calls.

    Attributes:
      path: The network's attribute path in the model.
      channels: Channels of the input [batch, height, width, channels].
      filters: Channels of the output.
    """

    path: str
    channels: int
    filters: int

    @property
    def file(self) -> str:
        """The name of the network's file."""
        return self.path.replace("/", ".") + ".onnx"


def export_onnx(model: CompressionModel, folder: str | os.PathLike) -> list[Network]:
    """Writes each network of a model as an ONNX file: analysis, synthesis, hyper networks and parameter networks.

    Files are named by attribute paths with dots, such as `transform.analysis.onnx`. Each maps `input`
    [batch, height, width, channels] to `output`, float32, for any batch and every height and width that the network
    takes. `networks.json` beside them lists the networks and holds the model's configuration.

    Args:
      model: The model.
      folder: The folder for the files; it is made if it does not exist.

    Raises:
      LicError: tf2onnx cannot be imported, or a network has operations without an equal in ONNX, which are named.
    """
    check_path("export_onnx", "folder", folder)
    check_kind("export_onnx", "model", model, CompressionModel, "a lic.CompressionModel, such as codec.model")
    convert = onnx_converter()
    networks, derived = networks_of(model)
    layers, folder = named_layers(model), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for network in networks:
        proto = convert(f"network {network.path}", _function_of(layers[network.path], network.channels, derived))
        _name_axes(proto.graph)
        (folder / network.file).write_bytes(proto.SerializeToString())
    (folder / DESCRIPTION).write_text(json.dumps(_described(model, networks), indent=1))
    return networks


def networks_of(model: CompressionModel) -> tuple[list[Network], dict[int, Any]]:
    """Returns the networks that a model calls, in order, and what each layer derives from its weights as arrays."""
    networks: dict[str, Network] = {}
    derived: dict[int, Any] = {}
    running: list[str] = []

    def note(path: str, layer: keras.layers.Layer, call: Callable, values: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        running.append(path)
        result = call(values, *args, **kwargs)
        running.pop()
        if not running:  # Only the outermost layers are networks of the model.
            networks[path] = Network(path, values.shape[-1], result.shape[-1])
        return result

    layers = {path: layer for path, layer in named_layers(model).items() if _may_be_network(model, layer)}
    with snapshot_weights(derived), plain_graphs(), intercept(layers, note):
        model(tf.zeros((1, 64, 64, model.transform.channels)))
    return list(networks.values()), {key: tf.nest.map_structure(np.asarray, each) for key, each in derived.items()}


def _may_be_network(model: CompressionModel, layer: keras.layers.Layer) -> bool:
    return layer is not model.entropy and not isinstance(layer, FactorizedPrior)


def _function_of(layer: keras.layers.Layer, channels: int, derived: dict[int, Any]) -> Callable:
    """Returns a layer as a `tf.function` in which what is derived from weights is constant."""

    def compute(values: tf.Tensor) -> dict[str, tf.Tensor]:
        constants = {key: tf.nest.map_structure(tf.constant, each) for key, each in derived.items()}
        with plain_graphs(), snapshot_weights(constants):
            return {"output": layer(values)}

    return tf.function(compute, [tf.TensorSpec((None, None, None, channels), tf.float32, "input")], autograph=False)


def onnx_converter() -> Callable[[str, Callable], Any]:
    """Returns a function that converts a `tf.function`, which messages call by a name, to an ONNX model.

    The function raises a LicError that names an operation without an equal in ONNX.

    Raises:
      LicError: tf2onnx cannot be imported.
    """
    needs = (
        "ONNX files are made by tf2onnx, which supports TensorFlow 2.14 on Python 3.10 and 3.11: there, "
        "pip install 'keras-lic[onnx]'"
    )
    if KERAS_3:
        raise LicError(f"{needs}. This is TensorFlow {tf.__version__}.")
    try:
        import tf2onnx
    except (ImportError, AttributeError) as error:  # A newer onnx misses names in TensorFlow's own requirements.
        raise LicError(f"{needs}. It cannot be imported here ({error}).") from error

    def convert(name: str, function: Callable) -> Any:
        import onnx

        proto, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=OPSET)
        try:
            onnx.checker.check_model(proto)
        except onnx.checker.ValidationError as error:
            raise LicError(f"The {name} cannot be written as ONNX: {error}.") from error
        return proto

    return convert


def _name_axes(graph: Any) -> None:
    for value, prefix in ((graph.input[0], ""), (graph.output[0], "output_")):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES):
            axis.dim_param = name if name == "batch" else prefix + name


def _described(model: CompressionModel, networks: list[Network]) -> dict[str, Any]:
    described = [
        {
            "file": network.file,
            "input": {"name": "input", "type": "float32", "shape": [*_AXES, network.channels]},
            "output": {"name": "output", "type": "float32", "shape": [*_AXES, network.filters]},
        }
        for network in networks
    ]
    return {"made by": f"lic {__version__}", "opset": OPSET, "model": model.configuration(), "networks": described}
