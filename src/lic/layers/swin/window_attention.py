"""Attention inside windows and the perceptron of a Swin block, chunk after chunk, with a gradient of its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lic.environment import tf
from lic.layers.chunks import compiled, loop_over_chunks, map_chunks, specs_of
from lic.layers.swin.norm import Product, fold_norm, product, standardised
from lic.layers.tracing import is_plain, outside_xla

_APART = -100.0  # Added to the score of two tokens that must not see each other, as in the published code.


class StoredWeights(NamedTuple):
    """The weights of a block as it stores and trains them.

    Attributes:
      attention_gamma: Scale of the layer norm before attention.
      attention_beta: Offset of that norm.
      position_bias: Bias of the scores for each offset between two positions [(2 window - 1) ** 2, heads].
      attention_kernel: Kernel that gives queries, keys and values.
      attention_bias: Their bias.
      projection_kernel: Kernel after attention.
      projection_bias: Its bias.
      perceptron_gamma: Scale of the layer norm before the perceptron.
      perceptron_beta: Offset of that norm.
      expansion_kernel: Kernel of the perceptron's wide layer.
      expansion_bias: Its bias.
      contraction_kernel: Kernel of the perceptron's last layer.
      contraction_bias: Its bias.
    """

    attention_gamma: tf.Tensor
    attention_beta: tf.Tensor
    position_bias: tf.Tensor
    attention_kernel: tf.Tensor
    attention_bias: tf.Tensor
    projection_kernel: tf.Tensor
    projection_bias: tf.Tensor
    perceptron_gamma: tf.Tensor
    perceptron_beta: tf.Tensor
    expansion_kernel: tf.Tensor
    expansion_bias: tf.Tensor
    contraction_kernel: tf.Tensor
    contraction_bias: tf.Tensor


class BlockWeights(NamedTuple):
    """The weights that a block computes with: norms and the scale of queries are folded into the matrices after them.

    Attributes:
      positions: Bias of the scores [heads, window * window, window * window].
      attention: Kernel and bias that give queries, keys and values.
      projection: Kernel and bias after attention.
      expansion: Kernel and bias of the perceptron's wide layer.
      contraction: Kernel and bias of its last layer.
      padding: Queries, keys and values of padding, in a tuple that is empty where no token attends to it.
    """

    positions: tf.Tensor
    attention: tuple[tf.Tensor, tf.Tensor]
    projection: tuple[tf.Tensor, tf.Tensor]
    expansion: tuple[tf.Tensor, tf.Tensor]
    contraction: tuple[tf.Tensor, tf.Tensor]
    padding: tuple[tf.Tensor, ...]


def derive_weights(window: int, head_dim: int, sees_padding: bool, dtype: str, stored: StoredWeights) -> BlockWeights:
    """Returns the weights that a block computes with.

    Args:
      window: Height and width of the windows.
      head_dim: Channels of each head.
      sees_padding: Whether tokens attend to padding.
      dtype: Type of the products.
      stored: The weights as the block stores them.
    """
    width = stored.attention_gamma.shape[0]
    scale = np.repeat([head_dim**-0.5, 1.0, 1.0], width).astype(np.float32)
    attention = fold_norm(stored.attention_gamma, stored.attention_beta, stored.attention_kernel, stored.attention_bias)
    weights = BlockWeights(
        bias_of_positions(stored.position_bias, window),
        tuple(tensor * scale for tensor in attention),
        (stored.projection_kernel, stored.projection_bias),
        fold_norm(stored.perceptron_gamma, stored.perceptron_beta, stored.expansion_kernel, stored.expansion_bias),
        (stored.contraction_kernel, stored.contraction_bias),
        (stored.attention_bias * scale,) if sees_padding else (),
    )
    return tf.nest.map_structure(lambda tensor: tf.cast(tensor, dtype), weights)


def bias_of_positions(table: tf.Tensor, window: int) -> tf.Tensor:
    """Returns the learnt bias of each head for each pair of positions in a window [heads, window ** 2, window ** 2].

    Args:
      table: The bias for each offset between two positions [(2 window - 1) ** 2, heads].
      window: Height and width of the windows.
    """
    rows, columns = np.divmod(np.arange(window**2), window)
    down, right = (axis[:, None] - axis + window - 1 for axis in (rows, columns))
    # Along the second axis: the gradient of a gather along the first is sparse, and optimisers treat it differently.
    return tf.gather(tf.transpose(table), down * (2 * window - 1) + right, axis=1)


def _block(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights, product: Product, gelu: Callable) -> tf.Tensor:
    """Returns the block, on the rows of whole windows [count * window * window, channels]."""
    queries_keys_values = product(standardised(rows), weights.attention)
    if weights.padding:
        is_padding = regions < 0
        queries_keys_values = tf.where(tf.reshape(is_padding, (-1, 1)), *weights.padding, queries_keys_values)
        regions = tf.where(is_padding, -1 - regions, regions)
    seen = attention(queries_keys_values, regions, weights.positions)
    rows += tf.cast(product(seen, weights.projection), "float32")
    hidden = gelu(product(standardised(rows), weights.expansion))
    return rows + tf.cast(product(hidden, weights.contraction), "float32")


def _inference(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> tf.Tensor:
    # TensorFlow fuses this GELU with the product before it.
    return _block(rows, regions, weights, product, functools.partial(tf.nn.gelu, approximate=False))


def attention(queries_keys_values: tf.Tensor, regions: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns the sum of the values that each token of a window attends to [count * window ** 2, heads * depth].

    Args:
      queries_keys_values: They side by side, each with its heads side by side [count * window ** 2, 3 heads * depth].
      regions: The region of each token [count, window ** 2]; different ones do not see each other.
      positions: The bias of the scores [heads, window ** 2, window ** 2].
    """
    heads, size, _ = positions.shape
    depth = queries_keys_values.shape[-1] // heads // 3
    split = tf.reshape(queries_keys_values, (-1, size, 3, heads, depth))
    queries, keys, values = tf.unstack(tf.transpose(split, (2, 0, 3, 1, 4)))
    scores = tf.matmul(queries, keys, transpose_b=True) + _bias(regions, positions)
    seen = tf.matmul(tf.nn.softmax(scores), values)
    return tf.reshape(tf.transpose(seen, (0, 2, 1, 3)), (-1, heads * depth))


def _bias(regions: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns the bias of the scores, with a mask only if a window of this chunk holds several regions; most do not."""

    def masked() -> tf.Tensor:
        apart = regions[:, None, :, None] != regions[:, None, None]
        return positions + tf.where(apart, tf.constant(_APART, positions.dtype), tf.constant(0.0, positions.dtype))

    if is_plain():
        return masked()
    return tf.cond(tf.reduce_any(regions != regions[:, :1]), outside_xla(masked), lambda: positions[None])


def run(chunk: int, rows: tf.Tensor, order: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> tf.Tensor:
    """Applies a block to tokens, and returns them in the order of the windows.

    Args:
      chunk: Number of windows in a chunk.
      rows: The tokens [count, channels].
      order: The row of each token of the windows [windows, window * window].
      regions: The region of each token, in the same shape.
      weights: The block's weights.
    """
    block = compiled(_inference, _specs(order, weights))

    def compute(start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
        taken = tf.gather(rows, tf.reshape(order[start:stop], [-1]))
        return block(taken, regions[start:stop], weights)

    return map_chunks(compute, tf.shape(order)[0], chunk, rows.shape[-1])


def _specs(order: tf.Tensor, weights: BlockWeights) -> tuple:
    """Types and shapes of the arguments of `_inference` and `_forward`."""
    rows = tf.TensorSpec((None, weights.projection[0].shape[0]), tf.float32)
    return rows, tf.TensorSpec((None, order.shape[-1]), tf.int32), specs_of(weights)


def run_for_training(
    chunk: int, rows: tf.Tensor, order: tf.Tensor, regions: tf.Tensor, weights: BlockWeights
) -> tf.Tensor:
    """Returns the same as `run`, with a gradient that keeps the results of products and recomputes all else.

    TensorFlow's own gradient would keep every tensor of every chunk.

    Args:
      chunk: Number of windows in a chunk.
      rows: The tokens [count, channels].
      order: The row of each token of the windows [windows, window * window].
      regions: The region of each token, in the same shape.
      weights: The block's weights.
    """
    specs, count, size = _specs(order, weights), tf.shape(order)[0], order.shape[-1]

    @tf.custom_gradient
    def block(rows: tf.Tensor, *flat: tf.Tensor) -> tuple:
        weights_ = tf.nest.pack_sequence_as(weights, flat)

        def take(start: tf.Tensor, stop: tf.Tensor) -> tuple:
            return tf.gather(rows, tf.reshape(order[start:stop], [-1])), regions[start:stop], weights_

        forward = compiled(_forward, specs)
        (result, *kept), _ = loop_over_chunks(lambda *bounds: forward(*take(*bounds)), count, chunk, _kept(weights))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            upstream = tf.convert_to_tensor(upstream)
            backward = compiled(_backward, (*specs, *_kept_specs(weights)))

            def compute(start: tf.Tensor, stop: tf.Tensor) -> list[tf.Tensor]:
                above = upstream[start * size : stop * size]
                return backward(*take(start, stop), above, *(array.read(start // chunk) for array in kept))

            zeros = [tf.zeros(tensor.shape) for tensor in flat]
            arrays, sums = loop_over_chunks(compute, count, chunk, [(tf.float32, rows.shape[-1])], zeros)
            of_rows = tf.math.unsorted_segment_sum(arrays[0].concat(), tf.reshape(order, [-1]), tf.shape(rows)[0])
            return [of_rows, *(tf.cast(total, tensor.dtype) for total, tensor in zip(sums, flat))]

        return result.concat(), gradient

    return block(rows, *tf.nest.flatten(weights))


def _kept(weights: BlockWeights) -> list[tuple[tf.DType, int]]:
    """Types and channels of a block's result and of the results of all products but the last, which are kept."""
    products = (weights.attention, weights.projection, weights.expansion)
    return [(tf.float32, weights.projection[0].shape[1]), *((bias.dtype, bias.shape[0]) for _, bias in products)]


def _kept_specs(weights: BlockWeights) -> list[tf.TensorSpec]:
    return [tf.TensorSpec((None, width), dtype) for dtype, width in _kept(weights)]


def _forward(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> list[tf.Tensor]:
    kept = []

    def keeping(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        kept.append(product(rows, weights))
        return kept[-1]

    return [_block(rows, regions, _for_scaled_gelu(weights), keeping, _scaled_gelu), *kept[:-1]]


def _backward(
    rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights, upstream: tf.Tensor, *kept: tf.Tensor
) -> list[tf.Tensor]:
    # No gradient depends on the result of the last product, so that any tensor of its shape will do.
    results = iter([*kept, tf.cast(rows, weights.contraction[0].dtype)])

    def known(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return _known_product(tf.cast(rows, weights[0].dtype), *weights, next(results))

    # Not a tape, since a gradient may be traced while tapes are stopped.
    result = _block(rows, regions, _for_scaled_gelu(weights), known, _scaled_gelu)
    gradients = tf.gradients(result, [rows, *tf.nest.flatten(weights)], upstream)
    return [tf.cast(each, "float32") for each in gradients]


def _for_scaled_gelu(weights: BlockWeights) -> BlockWeights:
    """Returns the weights that give with `_scaled_gelu` what the given ones give with GELU."""
    root = tf.constant(0.5**0.5, weights.expansion[0].dtype)
    expansion = tuple(tensor * root for tensor in weights.expansion)
    kernel, bias = weights.contraction
    return weights._replace(expansion=expansion, contraction=(kernel * root, bias))


@tf.custom_gradient
def _scaled_gelu(values: tf.Tensor) -> tuple:
    """Returns sqrt(2) * GELU(sqrt(2) * values), which takes half of the operations of the exact GELU."""
    twice_cumulative = 1 + tf.math.erf(values)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        density = tf.exp(math.log(2 / math.pi**0.5) - tf.square(values))
        return upstream * (twice_cumulative + values * density)

    return values * twice_cumulative, gradient


@tf.custom_gradient
def _known_product(rows: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, result: tf.Tensor) -> tuple:
    """Returns the result that was kept from the forward pass, with the gradient of the product."""

    def gradient(upstream: tf.Tensor) -> tuple:
        of_rows = tf.matmul(upstream, kernel, transpose_b=True)
        # A product with ones sums faster than a sum, and in float32 even for bfloat16.
        ones = tf.ones((1, tf.shape(upstream)[0]), upstream.dtype)
        return of_rows, tf.matmul(rows, upstream, transpose_a=True), tf.matmul(ones, upstream)[0], None

    return tf.identity(result), gradient
