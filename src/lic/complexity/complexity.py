"""How large a model is and how much it computes: parameters and multiply-accumulates of each of its parts."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from lic.complexity.interpreter import Counts, DryRun
from lic.complexity.known_tensor import Known
from lic.entropy.coders import Estimate, Recorder
from lic.environment import tf
from lic.layers.derived import remembering
from lic.weights import named_layers, named_variables

if TYPE_CHECKING:
    from lic.models.base import CompressionModel

# Parts of entropy models, by the attributes that hold them; other layers are parts of their attribute's name.
_ROLES = {
    "context": "context",
    "channel_context": "context",
    "anchor_context": "context",
    "slices": "context",  # Networks that are context and parameters in one.
    "parameters": "parameters",
    "correction": "parameters",
    "residual": "LRP",
}


class PartComplexity(NamedTuple):
    """The size of one part of a model.

    Attributes:
      part: Its name.
      parameters: Number of its parameters.
      macs_encode: Multiply-accumulates when one image is encoded.
      macs_decode: Multiply-accumulates when it is decoded.
    """

    part: str
    parameters: int
    macs_encode: float
    macs_decode: float


@dataclasses.dataclass(frozen=True)
class Complexity:
    """The size of a model, part by part, for images of one size.

    Multiply-accumulates are those of convolutions and matrix products: convolutional and dense layers, the 1x1 products
    in GDN, queries, keys, values, scores and sums of attention. They count as the codec runs them, on the image as it
    is padded, with zeros around values and zeros in masked kernels among the rest; what a codec derives from weights
    once, such as kernels from their Fourier transform, does not count. Nor does what works on each value by itself:
    biases, activations, norms, softmax, rounding, range coding, and the lookup of the learnt prior.

    Attributes:
      height: Height of the image in pixels.
      width: Width of the image in pixels.
      rows: The parts.
    """

    height: int
    width: int
    rows: tuple[PartComplexity, ...]

    @property
    def total(self) -> PartComplexity:
        """All parts together."""
        _, *columns = zip(*self.rows)
        return PartComplexity("total", *map(sum, columns))

    @property
    def per_pixel(self) -> tuple[PartComplexity, ...]:
        """The parts with multiply-accumulates for each pixel of the image."""
        return tuple(self._per_pixel(row) for row in self.rows)

    @property
    def total_per_pixel(self) -> PartComplexity:
        """All parts together, likewise."""
        return self._per_pixel(self.total)

    def _per_pixel(self, row: PartComplexity) -> PartComplexity:
        return PartComplexity(*row[:2], *(macs / (self.height * self.width) for macs in row[2:]))


def complexity(model: CompressionModel, height: int = 512, width: int = 768) -> Complexity:
    """Counts the parameters and multiply-accumulates of a model's parts, without computing an image.

    Args:
      model: The model.
      height: Height of the image in pixels.
      width: Width of the image in pixels.

    Raises:
      ValueError: A size is less than 1.
      LicError: What the model computes depends on more than sizes, so that it cannot be counted.
    """
    if height < 1 or width < 1:
        raise ValueError(f"complexity: expected height and width of at least 1. Received: {height}x{width}.")
    model.make_variables()
    parameters = parameters_of(model)
    encode, decode = _multiply_accumulates(model, height, width)
    parts = dict.fromkeys([*parameters, *encode, *decode])
    return Complexity(
        height,
        width,
        tuple(PartComplexity(part, parameters[part], encode[part], decode[part]) for part in parts),
    )


def parameters_of(model: CompressionModel) -> Counts:
    """Returns the number of parameters of each part of a model that has run; shared ones count once."""
    parameters = Counts()
    for path, variable in named_variables(model).items():
        parameters[_part_of(path)] += variable.shape.num_elements()
    return parameters


def _part_of(path: str) -> str:
    """The part that a layer or weight belongs to, by its attribute path in the model."""
    match path.split("/"):
        case ["transform", "analysis" | "synthesis" as way, *_]:
            return way
        case ["entropy", "hyper", "analysis" | "synthesis" as way, *_]:
            return f"hyper {way}"
        case ["entropy", *inner]:
            return next((_ROLES[name] for name in reversed(inner) if name in _ROLES), inner[0])
    return path.split("/")[0]


class _Marks:
    """Marks what parts compute, in the names of a graph's operations.

    The names that Keras gives to layers differ between its versions and are not unique, so scopes of our own are opened
    around whatever is called. They reach what anybody's part computes, also in loops and in functions of its own.
    """

    def __init__(self):
        self._parts: list[str] = []

    def scope(self, part: str) -> contextlib.AbstractContextManager:
        """Opens a scope in which operations belong to a part."""
        if part not in self._parts:
            self._parts.append(part)
        return tf.name_scope(f"lic.part.{self._parts.index(part)}")

    def part_of(self, operation: str) -> str | None:
        """Returns the part of an operation by its name: that of the innermost scope."""
        found = re.findall(r"lic\.part\.(\d+)", operation)
        return self._parts[int(found[-1])] if found else None

    @contextlib.contextmanager
    def on_layers_of(self, model: CompressionModel) -> Iterator[None]:
        """Opens a scope whenever a layer of the entropy model is called, as long as this lasts."""
        layers = {path: layer for path, layer in named_layers(model).items() if path.startswith("entropy/")}
        # Past Keras's tracking of attributes.
        before = [(vars(layer), vars(layer).get("call")) for layer in layers.values()]
        for path, layer in layers.items():
            vars(layer)["call"] = self._around(layer.call, _part_of(path))
        try:
            yield
        finally:
            for attributes, call in before:
                attributes.pop("call") if call is None else attributes.update(call=call)

    def _around(self, call: Callable, part: str) -> Callable:
        @functools.wraps(call)
        def marked(*args: object, **kwargs: object) -> object:
            with self.scope(part):
                return call(*args, **kwargs)

        return marked


def _multiply_accumulates(model: CompressionModel, height: int, width: int) -> tuple[Counts, Counts]:
    """The multiply-accumulates of each part when an image is encoded, and when it is decoded."""
    marks, derived = _Marks(), {}
    dry_run = DryRun(marks.part_of)
    down, hyper = model.transform.downscale, model.entropy.hyper
    latent = [1, -(-height // down), -(-width // down), model.transform.depth]
    side = [[1, *(-(-size // hyper.downscale) for size in latent[1:3]), hyper.depth]] if hyper else []

    def count(function: Callable, *shapes: list[int]) -> Counts:
        traced = tf.function(functools.partial(function, model, marks), autograph=False)
        with remembering(derived), marks.on_layers_of(model):
            graph = traced.get_concrete_function(*map(tf.TensorSpec, shapes)).graph
        return dry_run.run(graph, [Known(tensor.shape) for tensor in graph.inputs])[1]

    return count(_encode, [1, height, width, 3]), count(_decode, latent, *side)


def _encode(model: CompressionModel, marks: _Marks, images: tf.Tensor) -> list[tf.Tensor]:
    with marks.scope("analysis"):
        latent = model.analyse(images)
    quality = model.rate.qualities(tf.constant(1))
    with marks.scope("gains"):
        recorder = Recorder(Estimate(model.rate.scale(latent, quality)))
    _walk(model, marks, recorder, quality)
    return _needed(recorder)


def _decode(
    model: CompressionModel, marks: _Marks, latent: tf.Tensor, side: tf.Tensor | None = None
) -> list[tf.Tensor]:
    recorder, quality = Recorder(Estimate(latent, side=side)), model.rate.qualities(tf.constant(1))
    y_hat = _walk(model, marks, recorder, quality)
    with marks.scope("synthesis"):
        return [model.synthesise(y_hat), *_needed(recorder)]


def _walk(model: CompressionModel, marks: _Marks, recorder: Recorder, quality: tf.Tensor) -> tf.Tensor:
    """Walks as the model does; the scope of the gains is around that of the entropy model's layers."""
    with marks.scope("gains"):
        return model.walk(recorder, quality)


def _needed(recorder: Recorder) -> list[tf.Tensor]:
    """All that a codec computes to code the parts: the numbers and the indexes of their cdfs, and no bits."""
    side = [] if recorder.z_hat is None else [recorder.z_hat]
    parts = [(each.values, each.distribution.cdf_index()) for each in recorder.records]
    return [*side, *(tensor for pair in parts for tensor in pair)]
