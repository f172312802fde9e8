"""The Swin transformer block: attention within windows, then a perceptron."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.environment import keras, tf
from lic.transforms.chunks import CHUNK, compiled, in_chunks, specs_of
from lic.transforms.derived import Derives
from lic.transforms.norm import Product, fold_norm, product, standardised
from lic.transforms.windows import Tokens, Windows

_APART = -100.0  # Added to the scores of tokens that must not see each other, as published.


class BlockWeights(NamedTuple):
    """What a block computes with: norms, and the scale of queries, are folded into the matrices behind them.

    Attributes:
      positions: What is added to the scores [heads, window * window, window * window].
      attention: Kernel and bias that give queries, keys and values.
      projection: Kernel and bias after attention.
      expansion: Kernel and bias of the perceptron's wide layer.
      contraction: Kernel and bias of its last layer.
    """

    positions: tf.Tensor
    attention: tuple[tf.Tensor, tf.Tensor]
    projection: tuple[tf.Tensor, tf.Tensor]
    expansion: tuple[tf.Tensor, tf.Tensor]
    contraction: tuple[tf.Tensor, tf.Tensor]


class SwinBlock(Derives, keras.layers.Layer):
    """Attention within windows and a perceptron with exact GELU, each after a layer norm and added to its input.

    Source: Liu et al., ICCV 2021; as in Zhu, Yang, Cohen, ICLR 2022, appendix A.

    Args:
      width: Channels.
      window: Height and width of the windows.
      shift: How far windows are shifted, less than `window`.
      head_dim: Channels of a head.
      mlp_ratio: How many times wider the perceptron is than the block.

    Raises:
      ValueError: `width` is no multiple of `head_dim`, or `shift` is outside the window.
    """

    def __init__(
        self,
        width: int,
        window: int = 8,
        shift: int = 0,
        head_dim: int = 32,
        mlp_ratio: int = 4,
        **kwargs,
    ):
        # The tokens stay in float32 from block to block, and only what goes into products is cast.
        super().__init__(autocast=False, **kwargs)
        if width % head_dim:
            raise ValueError(
                f"SwinBlock: expected a width that is a multiple of head_dim. Received: width={width}, "
                f"head_dim={head_dim}. Change one of them."
            )
        if not 0 <= shift < window:
            raise ValueError(f"SwinBlock: expected shift from 0 to window - 1. Received: {shift}, window={window}.")
        self.width, self.window, self.shift = width, window, shift
        self.head_dim, self.mlp_ratio = head_dim, mlp_ratio

        self.attention_gamma, self.attention_beta = self._add_norm("attention", width)
        self.position_bias = self.add_weight(
            name="position_bias",
            shape=((2 * window - 1) ** 2, width // head_dim),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        )
        self.attention_kernel, self.attention_bias = self._add_dense("attention", width, 3 * width)
        self.projection_kernel, self.projection_bias = self._add_dense("projection", width, width)
        self.perceptron_gamma, self.perceptron_beta = self._add_norm("perceptron", width)
        self.expansion_kernel, self.expansion_bias = self._add_dense("expansion", width, mlp_ratio * width)
        self.contraction_kernel, self.contraction_bias = self._add_dense("contraction", mlp_ratio * width, width)
        self.built = True

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, channels], of any height and width, to values of the same shape."""
        return self.process(Tokens.of(tf.cast(values, "float32")), bool(training)).grid()

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        """Does the same for tokens; those it returns lie in the order of the windows."""
        weights = self.derived()
        specs = (tf.TensorSpec((None, self.width), tf.float32), tf.TensorSpec((None,) * 3, tf.int32), specs_of(weights))
        function = compiled(_process, specs, self.window, self.shift, training)
        return Tokens(*function(tokens.rows, tokens.places, weights))

    def derive(self) -> BlockWeights:
        """Returns the weights as they are used."""
        scale = np.repeat([self.head_dim**-0.5, 1.0, 1.0], self.width).astype(np.float32)
        attention = fold_norm(self.attention_gamma, self.attention_beta, self.attention_kernel, self.attention_bias)
        attention = tuple(tensor * scale for tensor in attention)
        expansion = fold_norm(self.perceptron_gamma, self.perceptron_beta, self.expansion_kernel, self.expansion_bias)
        weights = BlockWeights(
            self._positions(),
            attention,
            (self.projection_kernel, self.projection_bias),
            expansion,
            (self.contraction_kernel, self.contraction_bias),
        )
        return tf.nest.map_structure(lambda tensor: tf.cast(tensor, self.compute_dtype), weights)

    def _positions(self) -> tf.Tensor:
        """The learnt bias of each head, for each pair of positions in a window."""
        rows, columns = np.divmod(np.arange(self.window**2), self.window)
        down, right = (axis[:, None] - axis + self.window - 1 for axis in (rows, columns))
        # Along the second axis, since the gradient along the first is sparse, which optimisers treat in another way.
        table = tf.transpose(tf.cast(self.position_bias, "float32"))
        return tf.gather(table, down * (2 * self.window - 1) + right, axis=1)

    def _add_norm(self, name: str, width: int) -> list[tf.Variable]:
        values = {"gamma": "ones", "beta": "zeros"}
        return [self.add_weight(name=f"{name}_{key}", shape=(width,), initializer=how) for key, how in values.items()]

    def _add_dense(self, name: str, inputs: int, outputs: int) -> list[tf.Variable]:
        initializer = keras.initializers.TruncatedNormal(stddev=0.02)
        kernel = self.add_weight(name=f"{name}_kernel", shape=(inputs, outputs), initializer=initializer)
        return [kernel, self.add_weight(name=f"{name}_bias", shape=(outputs,), initializer="zeros")]


def _block(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights, product: Product) -> tf.Tensor:
    """The block on whole windows [count * window * window, channels]."""
    seen = _attention(product(standardised(rows), weights.attention), regions, weights.positions)
    rows += tf.cast(product(seen, weights.projection), "float32")
    hidden = tf.nn.gelu(product(standardised(rows), weights.expansion), approximate=False)
    return rows + tf.cast(product(hidden, weights.contraction), "float32")


def _inference(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> tf.Tensor:
    return _block(rows, regions, weights, product)


def _attention(queries_keys_values: tf.Tensor, regions: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    heads, size, _ = positions.shape
    depth = queries_keys_values.shape[-1] // heads // 3
    split = tf.reshape(queries_keys_values, (-1, size, 3, heads, depth))
    queries, keys, values = tf.unstack(tf.transpose(split, (2, 0, 3, 1, 4)))
    scores = tf.matmul(queries, keys, transpose_b=True) + _bias(regions, positions)
    seen = tf.matmul(tf.nn.softmax(scores), values)
    return tf.reshape(tf.transpose(seen, (0, 2, 1, 3)), (-1, heads * depth))


def _bias(regions: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """What is added to the scores of the windows; most windows are of one region and need no mask."""

    def masked() -> tf.Tensor:
        apart = regions[:, None, :, None] != regions[:, None, None]
        return positions + tf.where(apart, tf.constant(_APART, positions.dtype), tf.constant(0.0, positions.dtype))

    return tf.cond(tf.reduce_any(regions != regions[:, :1]), masked, lambda: positions[None])


def _process(
    window: int,
    shift: int,
    training: bool,
    rows: tf.Tensor,
    places: tf.Tensor,
    weights: BlockWeights,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The block on tokens."""
    windows = Windows(tf.shape(places), window, shift)
    run = _run_for_training if training else _run
    return run(rows, windows.partition(places), windows.regions(), weights), windows.places()


def _run(rows: tf.Tensor, order: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> tf.Tensor:
    """The block on windows of rows, in chunks."""
    block = compiled(_inference, _specs(order, weights))

    def chunk(start: tf.Tensor, stop: tf.Tensor) -> list[tf.Tensor]:
        taken = tf.gather(rows, tf.reshape(order[start:stop], [-1]))
        return [block(taken, regions[start:stop], weights)]

    arrays, _ = in_chunks(chunk, tf.shape(order)[0], _windows_in_chunk(order), [(tf.float32, rows.shape[-1])])
    return arrays[0].concat()


def _windows_in_chunk(order: tf.Tensor) -> int:
    return max(CHUNK // order.shape[-1], 1)


def _specs(order: tf.Tensor, weights: BlockWeights) -> tuple:
    """Types and shapes of what a block is called with."""
    rows = tf.TensorSpec((None, weights.projection[0].shape[0]), tf.float32)
    return rows, tf.TensorSpec((None, order.shape[-1]), tf.int32), specs_of(weights)


def _run_for_training(rows: tf.Tensor, order: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> tf.Tensor:
    """The same with a gradient that keeps results of products, and computes again what lies between them."""
    windows, size = _windows_in_chunk(order), order.shape[-1]
    specs, count = _specs(order, weights), tf.shape(order)[0]

    @tf.custom_gradient
    def run(rows: tf.Tensor, *flat: tf.Tensor) -> tuple:
        weights_ = tf.nest.pack_sequence_as(weights, flat)

        def take(start: tf.Tensor, stop: tf.Tensor) -> tuple:
            return tf.gather(rows, tf.reshape(order[start:stop], [-1])), regions[start:stop], weights_

        forward = compiled(_forward, specs)
        (result, *kept), _ = in_chunks(lambda *bounds: forward(*take(*bounds)), count, windows, _kept(weights))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            upstream = tf.convert_to_tensor(upstream)
            backward = compiled(_backward, (*specs, *_kept_specs(weights)))

            def chunk(start: tf.Tensor, stop: tf.Tensor) -> list[tf.Tensor]:
                above = upstream[start * size : stop * size]
                return backward(*take(start, stop), above, *(array.read(start // windows) for array in kept))

            zeros = [tf.zeros(tensor.shape) for tensor in flat]
            arrays, sums = in_chunks(chunk, count, windows, [(tf.float32, rows.shape[-1])], zeros)
            of_rows = tf.math.unsorted_segment_sum(arrays[0].concat(), tf.reshape(order, [-1]), tf.shape(rows)[0])
            return [of_rows, *(tf.cast(total, tensor.dtype) for total, tensor in zip(sums, flat))]

        return result.concat(), gradient

    return run(rows, *tf.nest.flatten(weights))


def _kept(weights: BlockWeights) -> list[tuple[tf.DType, int]]:
    """Types and channels of a block's result and of what is kept: the results of all products but the last."""
    products = (weights.attention, weights.projection, weights.expansion)
    return [(tf.float32, weights.projection[0].shape[1]), *((bias.dtype, bias.shape[0]) for _, bias in products)]


def _kept_specs(weights: BlockWeights) -> list[tf.TensorSpec]:
    return [tf.TensorSpec((None, width), dtype) for dtype, width in _kept(weights)]


def _forward(rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights) -> list[tf.Tensor]:
    kept = []

    def keeping(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        kept.append(product(rows, weights))
        return kept[-1]

    return [_block(rows, regions, weights, keeping), *kept[:-1]]


def _backward(
    rows: tf.Tensor, regions: tf.Tensor, weights: BlockWeights, upstream: tf.Tensor, *kept: tf.Tensor
) -> list[tf.Tensor]:
    results = iter([*kept, tf.cast(rows, weights.contraction[0].dtype)])  # The last one's values are not needed.

    def known(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return _known_product(tf.cast(rows, weights[0].dtype), *weights, next(results))

    # No tape: this is only called while a graph is traced, where tapes may be stopped.
    gradients = tf.gradients(_block(rows, regions, weights, known), [rows, *tf.nest.flatten(weights)], upstream)
    return [tf.cast(each, "float32") for each in gradients]


@tf.custom_gradient
def _known_product(rows: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, result: tf.Tensor) -> tuple:
    """A product whose result is known already."""

    def gradient(upstream: tf.Tensor) -> tuple:
        of_rows = tf.matmul(upstream, kernel, transpose_b=True)
        return of_rows, tf.matmul(rows, upstream, transpose_a=True), tf.reduce_sum(upstream, 0), None

    return tf.identity(result), gradient
