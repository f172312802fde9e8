"""The complexity of a compression model: parameters, and multiply-accumulates of encoding and decoding, by parts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from lic.argument_types import check_argument
from lic.complexity.complexity import Complexity, PartComplexity, PartScopes, count
from lic.complexity.interpreter import Counts
from lic.entropy.coders import Estimate, Recorder
from lic.entropy.coders.base import HyperAnalysis, Latent, side_zeros
from lic.entropy.orders import Order
from lic.environment import tf
from lic.layers.tracing import snapshot_weights
from lic.weights import named_layers, named_variables

if TYPE_CHECKING:
    from lic.models.base import CompressionModel
    from lic.transforms.base import HyperTransform

# The parts of entropy models, by the attributes that hold their layers. Any other attribute is a part by its own name.
_ROLES = {
    "context": "context",
    "channel_context": "context",
    "slices": "context",  # The networks of a slice are context and parameters in one.
    "parameters": "parameters",
    "correction": "parameters",
    "residual": "latent residual prediction",
}


def complexity(model: CompressionModel, height: int = 512, width: int = 768) -> Complexity:
    """Counts the parameters and multiply-accumulates of a model's parts, without computing an image.

    Args:
      model: The model.
      height: Height of the image in pixels.
      width: Width of the image in pixels.

    Raises:
      ValueError: A size is less than 1.
      LicError: The count depends on values, and not on sizes alone.
    """
    for name, size in (("height", height), ("width", width)):
        check_argument("complexity", name, size, int)
    if height < 1 or width < 1:
        raise ValueError(f"complexity: expected height and width of at least 1. Received: {height}x{width}.")
    parameters = parameters_of(model)
    encode, decode = _multiply_accumulates(model, height, width)
    parts = dict.fromkeys([*parameters, *encode, *decode])
    rows = tuple(PartComplexity(part, parameters[part], encode[part], decode[part]) for part in parts)
    return Complexity(height, width, rows)


def parameters_of(model: CompressionModel) -> Counts:
    """Returns the number of parameters of each part of a model that has run; shared ones count once."""
    parameters = Counts()
    for path, variable in named_variables(model).items():
        parameters[_part_of(path)] += variable.shape.num_elements()
    return parameters


def _part_of(path: str) -> str:
    """Returns the part that a layer or weight belongs to, by its attribute path in the model."""
    match path.split("/"):
        case ["transform", "analysis" | "synthesis" as way, *_]:
            return way
        case ["entropy", "hyper", "analysis" | "synthesis" as way, *_]:
            return f"hyper {way}"
        case ["entropy", *inner]:
            return next((_ROLES[name] for name in reversed(inner) if name in _ROLES), inner[0])
        case ["rate", *_]:
            return "gains"
    return path.split("/")[0]


def _multiply_accumulates(model: CompressionModel, height: int, width: int) -> tuple[Counts, Counts]:
    """Returns the multiply-accumulates of each part, first for encoding an image, then for decoding it."""
    scopes, derived = PartScopes(), {}
    layers = {path: layer for path, layer in named_layers(model).items() if path.startswith("entropy/")}
    down = model.transform.downscale
    latent = [1, -(-height // down), -(-width // down), model.transform.depth]

    def counted(function: Callable, shape: list[int]) -> Counts:
        with snapshot_weights(derived), scopes.scopes_of(layers, _part_of):
            return count(functools.partial(function, model, scopes), shape, label_of=scopes.part_of)

    return counted(_encode, [1, height, width, model.transform.channels]), counted(_decode, latent)


class _EstimateAtOnce(Estimate):
    """Computes the steps of `coder.serial` together, for as many multiply-accumulates as one after the other."""

    def _known_at_once(self, latent: Latent, order: Order) -> tf.Tensor:
        return latent.values


class _DecodeAtOnce(_EstimateAtOnce):
    """Has side information that no analysis made."""

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        zeros = side_zeros(latent, hyper)
        return Latent(name, zeros, zeros, latent.downscale * hyper.downscale)


def _encode(model: CompressionModel, scopes: PartScopes, images: tf.Tensor) -> list[tf.Tensor]:
    with scopes.scope("analysis"):
        latent = model.analyse(images)
    quality = model.rate.qualities(tf.constant(1))
    with scopes.scope("gains"):
        recorder = Recorder(_EstimateAtOnce(model.rate.apply_gain(latent, quality)))
    _walk(model, scopes, recorder, quality)
    return _needed(recorder)


def _decode(model: CompressionModel, scopes: PartScopes, latent: tf.Tensor) -> list[tf.Tensor]:
    recorder, quality = Recorder(_DecodeAtOnce(latent)), model.rate.qualities(tf.constant(1))
    y_hat = _walk(model, scopes, recorder, quality)
    with scopes.scope("synthesis"):
        return [model.synthesise(y_hat), *_needed(recorder)]


def _walk(model: CompressionModel, scopes: PartScopes, recorder: Recorder, quality: tf.Tensor) -> tf.Tensor:
    """Takes the steps of `CompressionModel.walk`, each in the scope of the part that it belongs to."""
    with scopes.scope("gains"):
        gains = model.rate.gains_at(quality)
        coder = model.rate.coder(recorder, gains)
    with scopes.scope("entropy model"):
        y_hat = model.entropy.walk(coder)
    with scopes.scope("gains"):
        return model.rate.apply_output_gain(y_hat, gains)


def _needed(recorder: Recorder) -> list[tf.Tensor]:
    """Returns the tensors that a codec needs to code all parts: numbers and their cdfs, but no bits.

    The interpreter counts only operations that these depend on. So when encoding, latent residual prediction after the
    last part does not count.
    """
    parts = [(each.values, each.distribution.coded_by()) for each in [*recorder.further, *recorder.records]]
    return [tensor for pair in parts for tensor in pair]
