"""The decoding walk of a codec as ONNX networks, one for what lies between two parts of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.gains import IntegerGains
from lic.entropy.coders import skipping
from lic.entropy.coders.base import Latent, Step
from lic.entropy.coders.decode import SymbolsCoder
from lic.entropy.distributions.base import Distribution
from lic.entropy.orders import Order
from lic.entropy.parts import Part
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import tf
from lic.errors import LicError
from lic.layers.tracing import plain_graphs, snapshot_weights
from lic.models.base import CompressionModel

SYMBOLS, IMAGE = "symbols_", "image"  # Names: the inputs of parts, with their number, and the last output.
_SIZES = ("rows", "columns")
_SHORT = 1024  # Weights of fewer numbers stay float32.


class CodedPart(NamedTuple):
    """A part of the stream, as tensors of the networks.

    Attributes:
      name: The part's name.
      depth: Channels of its symbols.
      index: The index of the cdf of each number.
      kept: Whether each number is coded; None if all are.
    """

    name: str
    depth: int
    index: tf.Tensor
    kept: tf.Tensor | None


class Stage(NamedTuple):
    """A network, whose inputs and outputs have names that the stages share.

    Attributes:
      model: The network, an `onnx.ModelProto`.
      inputs: The names of its inputs.
      outputs: The names of its outputs.
    """

    model: Any
    inputs: list[str]
    outputs: list[str]


class StagedCoder(SymbolsCoder):
    """Takes the symbols of each part from a tensor, where a decoder reads them from a stream.

    Args:
      zeros: A latent of zeros [1, height, width, depth].
      tables: The coder's tables.
      symbols: The symbols of each part [1, height, width, channels], float32; zeros in place of those that are missing.

    Attributes:
      parts: The parts that the walk has coded.
    """

    def __init__(self, zeros: tf.Tensor, tables: CdfTables, symbols: Sequence[tf.Tensor] = ()):
        super().__init__(zeros, tables)
        self._symbols = symbols
        self.parts: list[CodedPart] = []

    def serial(self, order: Order, step: Step) -> tf.Tensor:
        """Raises a LicError: the number of networks would depend on the size of the image."""
        raise LicError(
            f"A portable codec has a network for each part. This one codes in the order {order.name!r}, whose number "
            "of steps depends on the size of the image. Take another entropy model, such as 'checkerboard'."
        )

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        index = self._cdfs(latent, part, distribution).index
        number, depth = len(self.parts), distribution.shape[-1]
        self.parts.append(CodedPart(part.name, depth, index, distribution.kept))
        symbols = self._symbols[number] if number < len(self._symbols) else tf.zeros(tf.shape(index))
        return distribution.restore(tf.ensure_shape(symbols, (None, None, None, depth)))


def stages_of(
    model: CompressionModel, tables: CdfTables, arithmetic: IntegerArithmetic, skip_below: float | None, convert: Any
) -> tuple[list[Stage], list[dict[str, Any]]]:
    """Returns the networks of the decoding walk, and a description of each part of the stream.

    The inputs of the first are `rows` and `columns` of the latent and, where the model has several qualities, `gains`
    [5, rows, columns, depth] (see `IntegerGains`), with one row and column where all positions have the same. Before
    each further network a part is read, whose symbols are its input. The output `image` [height, width, channels] of
    the last is not clipped.

    Args:
      model: The model.
      tables: The coder's tables.
      arithmetic: The arithmetic of the parameter networks.
      skip_below: As for `lic.Codec`.
      convert: The result of `onnx_converter`.

    Raises:
      LicError: The walk codes in an order whose number of steps depends on the size of the image, or has an operation
        without an equal in ONNX.
    """
    transform, derived = model.transform, {}

    def walk(sizes: Sequence[tf.Tensor], gains: Any, symbols: Sequence[tf.Tensor], constants: dict[int, Any]) -> Any:
        coder = StagedCoder(tf.zeros((1, *sizes, transform.depth)), tables, symbols)
        rows = None if gains is None else IntegerGains(*tf.split(gains, len(IntegerGains._fields)))
        with plain_graphs(), snapshot_weights(constants):
            y_hat = arithmetic.walk(skipping(coder, skip_below), tf.ones([1]), rows)
            return coder.parts, model.synthesise(y_hat)[0]

    several = model.rate.count > 1
    gains = tf.ones((len(IntegerGains._fields), 1, 1, transform.depth)) if several else None
    parts, _ = walk((tf.constant(4), tf.constant(4)), gains, (), derived)
    derived = {key: tf.nest.map_structure(np.asarray, each) for key, each in derived.items()}
    integer = [tf.TensorSpec((), tf.int32, name) for name in _SIZES]
    shape = len(IntegerGains._fields), None, None, transform.depth
    given = [tf.TensorSpec(shape, tf.float32, "gains")] if several else []
    specs = [tf.TensorSpec((None, None, None, part.depth), name=f"{SYMBOLS}{n}") for n, part in enumerate(parts)]

    def whole(rows: tf.Tensor, columns: tf.Tensor, *others: tf.Tensor) -> dict[str, tf.Tensor]:
        constants = {key: tf.nest.map_structure(tf.constant, each) for key, each in derived.items()}
        split = len(given)
        coded, image = walk((rows, columns), others[0] if split else None, others[split:], constants)
        kept = {f"kept_{number}": part.kept for number, part in enumerate(coded) if part.kept is not None}
        return {**{f"index_{number}": part.index for number, part in enumerate(coded)}, **kept, IMAGE: image}

    proto = convert("walk of the codec", tf.function(whole, [*integer, *given, *specs], autograph=False))
    described = [
        {"name": part.name, "depth": part.depth, "index": f"index_{number}", "symbols": f"{SYMBOLS}{number}"}
        | ({} if part.kept is None else {"kept": f"kept_{number}"})
        for number, part in enumerate(parts)
    ]
    goals = [[each["index"], *([each["kept"]] if "kept" in each else [])] for each in described]
    return list(_split(proto, [*goals, [IMAGE]])), described


def _split(proto: Any, goals: Sequence[Sequence[str]]) -> Iterator[Stage]:
    """Yields a network for each list of outputs; each may depend on the symbols of the parts before."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(proto).graph
    weights = {each.name: each for each in graph.initializer}
    types = {each.name: each.type.tensor_type.elem_type for each in (*graph.value_info, *graph.input, *graph.output)}
    maker = {name: node for node in graph.node for name in node.output}
    # The stage in which each tensor is known first, and whether it depends on sizes alone: such tensors are computed
    # anew in each stage.
    level = {each.name: _level(each.name) for each in graph.input}
    of_sizes = {each.name: each.name in _SIZES for each in graph.input}
    for node in graph.node:
        inputs = [name for name in node.input if name and name not in weights]
        for name in node.output:
            level[name] = max((level[each] for each in inputs), default=0)
            of_sizes[name] = all(of_sizes[each] for each in inputs)

    wanted: list[set[str]] = [set() for _ in goals]
    for name in (name for names in goals for name in names):
        wanted[level[name]].add(name)
    needed: list[tuple[set[int], set[str]]] = []
    for number in reversed(range(len(goals))):
        nodes, inputs, waiting = set(), set(), list(wanted[number])
        while waiting:
            name = waiting.pop()
            if not name or name in weights:
                continue
            if name not in maker or (level[name] < number and not of_sizes[name]):
                inputs.add(name)
            elif id(maker[name]) not in nodes:
                nodes.add(id(maker[name]))
                waiting += maker[name].input
        for name in inputs & maker.keys():
            wanted[level[name]].add(name)
        needed.append((nodes, inputs))
    for number, (nodes, inputs) in enumerate(reversed(needed)):
        chosen = [node for node in graph.node if id(maker[node.output[0]]) in nodes]
        used = {name for node in chosen for name in node.input}
        ends = [
            [onnx.helper.make_tensor_value_info(name, types[name], None) for name in sorted(names)]
            for names in (inputs, wanted[number])
        ]
        for node in chosen:
            if node.op_type == "Reshape" and node.input[1] not in weights:  # A part may have no positions.
                node.attribute.append(onnx.helper.make_attribute("allowzero", 1))
        casts, short = _in_half(weights[name] for name in sorted(used & weights.keys()))
        network = onnx.helper.make_graph([*casts, *chosen], f"stage{number}", *ends, short)
        model = onnx.helper.make_model(network, opset_imports=proto.opset_import, ir_version=proto.ir_version)
        yield Stage(model, sorted(inputs), sorted(wanted[number]))


def _level(name: str) -> int:
    """Returns the first stage that an input is known in: the one after the part has been read."""
    return int(name.removeprefix(SYMBOLS)) + 1 if name.startswith(SYMBOLS) else 0


def _in_half(weights: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Returns weights in float16 where that loses nothing, and the nodes that make them float32 again."""
    import onnx

    casts, stored = [], []
    for weight in weights:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= _SHORT:
            with np.errstate(over="ignore"):
                short = values.astype(np.float16)
            if np.array_equal(short.astype(np.float32), values):
                name = f"{weight.name}/float16"
                casts.append(onnx.helper.make_node("Cast", [name], [weight.name], to=onnx.TensorProto.FLOAT))
                weight = onnx.numpy_helper.from_array(short, name)
        stored.append(weight)
    return casts, stored
