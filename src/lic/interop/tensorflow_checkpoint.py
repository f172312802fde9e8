"""Models from checkpoints of the published TensorFlow code, whose variables are found by the object graph."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from lic.environment import tf
from lic.errors import CheckpointError, as_checkpoint_error
from lic.layers.initial_weights import skip_random_init
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.weights import named_variables, set_tensors

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# Our name of a weight -> its path below the layer in the published code.
_CONVOLUTION = {
    "kernel": "_kernel_parameter",
    "kernel_real": "_kernel_parameter/real",
    "kernel_imag": "_kernel_parameter/imag",
    "bias": "_bias_parameter",
    "reparam_beta": "_activation/_beta_parameter/variable",
    "reparam_gamma": "_activation/_gamma_parameter/variable",
}
_BLOCK = {
    "attention_gamma": "norm1/gamma",
    "attention_beta": "norm1/beta",
    "position_bias": "attn/relative_position_bias_table",
    "attention_kernel": "attn/qkv/kernel",
    "attention_bias": "attn/qkv/bias",
    "projection_kernel": "attn/proj/kernel",
    "projection_bias": "attn/proj/bias",
    "perceptron_gamma": "norm2/gamma",
    "perceptron_beta": "norm2/beta",
    "expansion_kernel": "mlp/layer_with_weights-0/kernel",
    "expansion_bias": "mlp/layer_with_weights-0/bias",
    "contraction_kernel": "mlp/layer_with_weights-1/kernel",
    "contraction_bias": "mlp/layer_with_weights-1/bias",
}
_PATCHES = {
    "gamma": "norm/gamma",
    "beta": "norm/beta",
    "kernel": "reduction/kernel",
    "bias": "reduction/bias",
}
_SAME_NAMES: dict[str, str] = {}

# Our path of a layer -> its path in the published code, and the names of its weights. Numbers in brackets are filled
# in. The published code counts only layers that have weights.
_LAYER, _STAGE, _SLICE = r"layers/(?P<layer>\d+)", r"stages/(?P<stage>\d+)", r"entropy/slices/(?P<slice>\d+)"
_SHARED_PATHS = {
    rf"{_SLICE}/mean/{_LAYER}": ("cc_mean_transforms/{slice}/transform/layer_with_weights-{layer}", _CONVOLUTION),
    rf"{_SLICE}/index/{_LAYER}": ("cc_scale_transforms/{slice}/transform/layer_with_weights-{layer}", _CONVOLUTION),
    "entropy/prior/matrices": ("hyperprior/_base/_matrices", _SAME_NAMES),
    "entropy/prior/biases": ("hyperprior/_base/_biases", _SAME_NAMES),
    "entropy/prior/factors": ("hyperprior/_base/_factors", _SAME_NAMES),
}
_CONVOLUTIONAL_PATHS = {
    **_SHARED_PATHS,
    rf"transform/analysis/{_LAYER}": ("analysis_transform/layer_with_weights-{half}", _CONVOLUTION),
    rf"transform/synthesis/{_LAYER}": ("synthesis_transform/layer_with_weights-{half}", _CONVOLUTION),
    rf"entropy/hyper/analysis/{_LAYER}": ("hyper_analysis_transform/layer_with_weights-{layer}", _CONVOLUTION),
    rf"entropy/hyper/synthesis/{_LAYER}": ("hyper_synthesis_transform/layer_with_weights-{layer}", _CONVOLUTION),
    rf"entropy/hyper/synthesis/layers/0/{_LAYER}": (
        "hyper_synthesis_mean_transform/layer_with_weights-{layer}",
        _CONVOLUTION,
    ),
    rf"entropy/hyper/synthesis/layers/1/{_LAYER}": (
        "hyper_synthesis_scale_transform/layer_with_weights-{layer}",
        _CONVOLUTION,
    ),
    rf"{_SLICE}/residual/network/{_LAYER}": (
        "lrp_transforms/{slice}/transform/layer_with_weights-{layer}",
        _CONVOLUTION,
    ),
    rf"entropy/parameters/{_LAYER}": ("entropy_params/transform/layer_with_weights-{layer}", _CONVOLUTION),
    rf"entropy/residual/network/{_LAYER}": ("lrp_transform/transform/layer_with_weights-{layer}", _CONVOLUTION),
    "entropy/context": ("context_prediction", _SAME_NAMES),
}


def _stages(ours: str, published: str, end: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Returns the paths of the blocks of Swin stages, and of the layer that ends a stage."""
    blocks = (published + "/blocks/{block}", _BLOCK)
    return {
        rf"{ours}/{_STAGE}/blocks/(?P<block>\d+)": blocks,
        rf"{ours}/{_STAGE}/end": (f"{published}/{end}", _PATCHES),
    }


_SWIN_PATHS = {
    **_SHARED_PATHS,
    "transform/analysis/layers/1": ("analysis_transform/layer_with_weights-0", _SAME_NAMES),
    **_stages("transform/analysis/layers/2", "analysis_transform/layer_with_weights-{next_stage}", "downsample"),
    **_stages("transform/synthesis/layers/0", "synthesis_transform/layer_with_weights-{stage}", "upsample"),
    "entropy/hyper/analysis/layers/1": ("hyper_analysis_transform/layer_with_weights-0", _SAME_NAMES),
    **_stages(
        "entropy/hyper/analysis/layers/2", "hyper_analysis_transform/layer_with_weights-{next_stage}", "downsample"
    ),
    **_stages("entropy/hyper/synthesis", "hyper_synthesis_mean_scale_transform/layer_with_weights-{stage}", "upsample"),
}
_PATHS = {"hzswq2021": _CONVOLUTIONAL_PATHS, "ms2020": _CONVOLUTIONAL_PATHS, "zyc2022": _SWIN_PATHS}
# The published code saves these objects beside its weights.
_IGNORED = {"optimizer", "loss", "bpp", "mse", "em_y", "em_z", "keras_api", "signatures", "save_counter"}
_IGNORED |= {"variables", "trainable_variables", "non_trainable_variables", "regularization_losses"}


def import_tensorflow_checkpoint(path: str | os.PathLike, name: str | None) -> CompressionModel:
    """Makes a model with the weights that published TensorFlow code trained; see `lic.import_checkpoint`."""
    if name not in _PATHS:
        raise CheckpointError(
            f"Expected the name of the published model to be one of {', '.join(_PATHS)}. Received: {name!r}."
        )
    checkpoint = PublishedCheckpoint(path)
    with skip_random_init():
        model = create_model(name)
    paths = {weight: published_path(name, weight) for weight in named_variables(model)}
    checkpoint.check(paths.values())
    set_tensors(model, {weight: checkpoint.read(path) for weight, path in paths.items()})
    return model


def published_path(model: str, weight: str) -> str:
    """Returns the path of a weight in the object graph of the published code.

    Args:
      model: Name of the published model.
      weight: Our name of the weight.
    """
    parent, leaf = weight.rsplit("/", 1)
    for pattern, (path, leaves) in _PATHS[model].items():
        found = re.fullmatch(pattern, parent)
        if found:
            numbers = {key: int(value) for key, value in found.groupdict().items()}
            # In our transforms GDN is a layer of its own, in the published code it belongs to the convolution. Our
            # analysis starts with a layer that scales the image.
            half = (numbers.get("layer", 0) - ("analysis" in parent)) // 2
            path = path.format(half=half, next_stage=numbers.get("stage", 0) + 1, **numbers)
            return f"{path}/{leaves.get(leaf, leaf)}"
    raise CheckpointError(f"The published code has no weight like {weight!r}.")


class PublishedCheckpoint:
    """A checkpoint whose tensors are found by following names from object to object.

    Args:
      path: As for `import_checkpoint`.

    Raises:
      CheckpointError: The checkpoint cannot be read, has no object graph, or has no transforms in it.
    """

    def __init__(self, path: str | os.PathLike):
        from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

        self.path = path
        with as_checkpoint_error(f"{path} is not a checkpoint with an object graph"):
            self._reader = tf.train.load_checkpoint(_prefix(pathlib.Path(path)))
            graph = TrackableObjectGraph.FromString(self._reader.get_tensor(_GRAPH))
        self._nodes = graph.nodes
        self._root = self._find_model()

    def read(self, path: str) -> np.ndarray:
        """Returns the tensor at a path of names that starts from the model."""
        key = self._keys(self._follow(path))[0]
        with as_checkpoint_error(f"{self.path} is damaged: {key!r} cannot be read", "Get it anew."):
            return self._reader.get_tensor(key)

    def check(self, expected: Iterator[str]) -> None:
        """Raises a CheckpointError that names the first variable that is missing or that no weight corresponds to."""
        nodes = {self._follow(path) for path in expected}
        for node, path in self._variables():
            if node not in nodes:
                raise CheckpointError(f"{self.path} has the variable {path!r}, which this model does not have.")

    def _follow(self, path: str) -> int:
        node = self._root
        for name in path.split("/"):
            children = {child.local_name: child.node_id for child in self._nodes[node].children}
            if name not in children:
                raise CheckpointError(f"{self.path} lacks the variable {path!r}. Is it a checkpoint of this model?")
            node = children[name]
        if not self._keys(node):
            raise CheckpointError(f"{self.path} lacks values for the variable {path!r}.")
        return node

    def _variables(self) -> Iterator[tuple[int, str]]:
        """Returns the nodes of all weights below the model, with a path to each."""
        seen, waiting = {self._root}, [(self._root, "")]
        while waiting:
            node, path = waiting.pop()
            if self._keys(node):
                yield node, path
            for child in self._nodes[node].children:
                if child.node_id not in seen and child.local_name not in _IGNORED:
                    seen.add(child.node_id)
                    waiting.append((child.node_id, f"{path}/{child.local_name}".lstrip("/")))

    def _keys(self, node: int) -> list[str]:
        return [attribute.checkpoint_key for attribute in self._nodes[node].attributes]

    def _find_model(self) -> int:
        """Returns the node that has the transforms: the root, or its child in a tf.train.Checkpoint(model=...)."""
        for node in (0, *(child.node_id for child in self._nodes[0].children)):
            if any(child.local_name == "analysis_transform" for child in self._nodes[node].children):
                return node
        raise CheckpointError(f"{self.path} lacks the object 'analysis_transform'. Is it a checkpoint of this model?")


def _prefix(path: pathlib.Path) -> str:
    for candidate in (path / "variables" / "variables", path / "variables"):
        if candidate.with_name(candidate.name + ".index").exists():
            return str(candidate)
    return (tf.train.latest_checkpoint(str(path)) if path.is_dir() else None) or str(path)
