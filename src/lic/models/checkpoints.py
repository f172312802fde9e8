"""Checkpoints of the published code: its variables found by the object graph, and given to our parts."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from lic.environment import tf
from lic.errors import CheckpointError
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.tensors import named_variables, set_tensors

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
IMPORTED = ("hzswq2021", "ms2020")

# Where the published code keeps a weight, by our name of it: numbers in brackets are filled in, layers are counted
# without those that have no weights.
_PLACES = {
    r"transform/analysis/layers/(?P<layer>\d+)": "analysis_transform/layer_with_weights-{half}",
    r"transform/synthesis/layers/(?P<layer>\d+)": "synthesis_transform/layer_with_weights-{half}",
    r"entropy/hyper/analysis/layers/(?P<layer>\d+)": "hyper_analysis_transform/layer_with_weights-{layer}",
    r"entropy/hyper/synthesis/layers/(?P<layer>\d+)": "hyper_synthesis_transform/layer_with_weights-{layer}",
    r"entropy/hyper/synthesis/layers/0/layers/(?P<layer>\d+)": (
        "hyper_synthesis_mean_transform/layer_with_weights-{layer}"
    ),
    r"entropy/hyper/synthesis/layers/1/layers/(?P<layer>\d+)": (
        "hyper_synthesis_scale_transform/layer_with_weights-{layer}"
    ),
    r"entropy/slices/(?P<slice>\d+)/mean/layers/(?P<layer>\d+)": (
        "cc_mean_transforms/{slice}/transform/layer_with_weights-{layer}"
    ),
    r"entropy/slices/(?P<slice>\d+)/index/layers/(?P<layer>\d+)": (
        "cc_scale_transforms/{slice}/transform/layer_with_weights-{layer}"
    ),
    r"entropy/slices/(?P<slice>\d+)/residual/network/layers/(?P<layer>\d+)": (
        "lrp_transforms/{slice}/transform/layer_with_weights-{layer}"
    ),
    r"entropy/parameters/layers/(?P<layer>\d+)": "entropy_params/transform/layer_with_weights-{layer}",
    r"entropy/residual/network/layers/(?P<layer>\d+)": "lrp_transform/transform/layer_with_weights-{layer}",
    r"entropy/context": "context_prediction",
    r"entropy/prior/matrices": "hyperprior/_base/_matrices",
    r"entropy/prior/biases": "hyperprior/_base/_biases",
    r"entropy/prior/factors": "hyperprior/_base/_factors",
}
_LEAVES = {
    "kernel": "_kernel_parameter",
    "kernel_real": "_kernel_parameter/real",
    "kernel_imag": "_kernel_parameter/imag",
    "bias": "_bias_parameter",
    "reparam_beta": "_activation/_beta_parameter/variable",
    "reparam_gamma": "_activation/_gamma_parameter/variable",
}
# What the published code keeps beside its weights: these are passed over.
_PASSED_OVER = {"optimizer", "loss", "bpp", "mse", "em_y", "em_z", "keras_api", "signatures", "save_counter"}
_PASSED_OVER |= {"variables", "trainable_variables", "non_trainable_variables", "regularization_losses"}


def import_checkpoint(path: str | os.PathLike, name: str) -> CompressionModel:
    """Makes a model with the weights that the published code trained.

    The published code estimates the rate with the real scale index and truncates the index when it codes; ours rounds
    it for both, so that estimates differ a little and streams are not those of the published code.

    Args:
      path: A SavedModel of the published code, its folder `variables`, or the prefix or folder of a
        `tf.train.Checkpoint`.
      name: Which model it is: "hzswq2021" or "ms2020".

    Raises:
      CheckpointError: There is no checkpoint, or a variable in it is missing, too many, or of another shape.
    """
    if name not in IMPORTED:
        raise CheckpointError(f"Checkpoints of {', '.join(IMPORTED)} can be imported. Received: {name!r}.")
    checkpoint = PublishedCheckpoint(path)
    model = create_model(name)
    model.make_variables()
    places = {ours: published_place(ours) for ours in named_variables(model)}
    checkpoint.check(places.values())
    set_tensors(model, {ours: checkpoint.read(place) for ours, place in places.items()})
    return model


def published_place(name: str) -> str:
    """Returns the path, in the published code's object graph, of the weight that we name so."""
    parent, leaf = name.rsplit("/", 1)
    for pattern, place in _PLACES.items():
        found = re.fullmatch(pattern, parent)
        if found:
            numbers = {key: int(value) for key, value in found.groupdict().items()}
            # Our transforms keep convolutions and GDN as layers of their own; an analysis starts with one that scales.
            half = (numbers.get("layer", 0) - ("analysis" in parent)) // 2
            ending = leaf if place.startswith(("hyperprior", "context")) else _LEAVES[leaf]
            return f"{place.format(half=half, **numbers)}/{ending}"
    raise CheckpointError(f"The published code has no weight like {name!r}.")


class PublishedCheckpoint:
    """A checkpoint whose tensors are found by following names from object to object.

    Args:
      path: As in `import_checkpoint`.
    """

    def __init__(self, path: str | os.PathLike):
        from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

        self.path = path
        try:
            self._reader = tf.train.load_checkpoint(_prefix(pathlib.Path(path)))
            graph = TrackableObjectGraph.FromString(self._reader.get_tensor(_GRAPH))
        except (ValueError, tf.errors.OpError, RuntimeError) as error:
            raise CheckpointError(f"{path} is not a checkpoint with an object graph ({error}).") from None
        self._nodes = graph.nodes
        self._root = self._find_model()

    def read(self, place: str) -> np.ndarray:
        """Returns the tensor at a path of names from the model."""
        return self._reader.get_tensor(self._keys(self._follow(place))[0])

    def check(self, expected: Iterator[str]) -> None:
        """Raises a CheckpointError that names the first variable that is missing or too many."""
        nodes = {self._follow(place) for place in expected}
        for node, place in self._variables():
            if node not in nodes:
                raise CheckpointError(f"{self.path} has the variable {place!r}, which this model has not.")

    def _follow(self, place: str) -> int:
        node = self._root
        for name in place.split("/"):
            children = {child.local_name: child.node_id for child in self._nodes[node].children}
            if name not in children:
                raise CheckpointError(f"{self.path} lacks the variable {place!r}. Is it a checkpoint of this model?")
            node = children[name]
        if not self._keys(node):
            raise CheckpointError(f"{self.path} lacks values for the variable {place!r}.")
        return node

    def _variables(self) -> Iterator[tuple[int, str]]:
        """All variables below the model that are weights, with a path to each."""
        seen, waiting = {self._root}, [(self._root, "")]
        while waiting:
            node, place = waiting.pop()
            if self._keys(node):
                yield node, place
            for child in self._nodes[node].children:
                if child.node_id not in seen and child.local_name not in _PASSED_OVER:
                    seen.add(child.node_id)
                    waiting.append((child.node_id, f"{place}/{child.local_name}".lstrip("/")))

    def _keys(self, node: int) -> list[str]:
        return [attribute.checkpoint_key for attribute in self._nodes[node].attributes]

    def _find_model(self) -> int:
        """The root, or the child of the root (as in tf.train.Checkpoint(model=...)) that has transforms."""
        for node in (0, *(child.node_id for child in self._nodes[0].children)):
            if any(child.local_name == "analysis_transform" for child in self._nodes[node].children):
                return node
        raise CheckpointError(f"{self.path} lacks the object 'analysis_transform'. Is it a checkpoint of this model?")


def _prefix(path: pathlib.Path) -> str:
    for candidate in (path / "variables" / "variables", path / "variables"):
        if candidate.with_name(candidate.name + ".index").exists():
            return str(candidate)
    return (tf.train.latest_checkpoint(str(path)) if path.is_dir() else None) or str(path)
