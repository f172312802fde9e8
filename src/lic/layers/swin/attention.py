"""Attention inside windows alone, without the norms and the perceptron of a Swin block."""

from __future__ import annotations

from lic.argument_types import Count, WindowSize
from lic.environment import keras, tf
from lic.errors import check
from lic.layers.chunks import CHUNK, compiled, map_chunks, specs_of
from lic.layers.swin.norm import product
from lic.layers.swin.tokens import TokenLayer, Tokens
from lic.layers.swin.window_attention import attention, bias_of_positions
from lic.layers.swin.windows import arrange
from lic.layers.tracing import HasDerivedWeights, refuse_xla

Dense = tuple[tf.Tensor, tf.Tensor]


class WindowAttention(HasDerivedWeights, TokenLayer):
    """Attention of several heads between the positions of each window, with a learnt bias for each offset.

    Source: Liu et al., Swin Transformer, ICCV 2021, section 3.2.

    Args:
      width: Number of channels.
      window: Height and width of the windows.
      shift: How far windows are shifted, less than `window`.
      head_dim: Channels of each head.
      skip: Whether the input is added.

    Raises:
      ValueError: `width` is no multiple of `head_dim`, or `shift` is outside the window.
    """

    def __init__(
        self, width: Count, window: WindowSize = 8, shift: int = 0, head_dim: Count = 32, skip: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        check("WindowAttention", "width", width % head_dim == 0, f"a multiple of head_dim={head_dim}", width)
        check("WindowAttention", "shift", 0 <= shift < window, f"from 0 to {window - 1}, within the window", shift)
        self.width, self.window, self.shift, self.head_dim, self.skip = width, window, shift, head_dim, skip
        self.position_bias = self.add_weight(
            name="position_bias", shape=((2 * window - 1) ** 2, width // head_dim), initializer=_small_numbers()
        )
        self.attention_kernel, self.attention_bias = self._add_dense("attention", 3 * width)
        self.projection_kernel, self.projection_bias = self._add_dense("projection", width)

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        """Returns the result of attention in the order of the windows."""
        refuse_xla("WindowAttention")
        arranged = compiled(arrange, (tf.TensorSpec((None,) * 3, tf.int32),), self.window, self.shift, False)
        order, regions, places = arranged(tokens.places)
        positions, *weights = self.derived()

        def compute(start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
            rows = tf.gather(tokens.rows, tf.reshape(order[start:stop], [-1]))
            seen = attend(rows, regions[start:stop], positions, *weights)
            return rows + seen if self.skip else seen

        size = self.window**2
        specs = (
            tf.TensorSpec((None, self.width), tf.float32),
            tf.TensorSpec((None, size), tf.int32),
            *specs_of((positions, *weights)),
        )
        attend = _attend if training else compiled(_attend, specs)
        count = tf.shape(order)[0]
        rows = compute(0, count) if training else map_chunks(compute, count, max(CHUNK // size, 1), self.width)
        return Tokens(rows, places)

    def derive(self) -> tuple[tf.Tensor, Dense, Dense]:
        """Returns the bias of pairs of positions, and the two products, of which the first scales queries too."""
        scale = tf.constant([self.head_dim**-0.5] * self.width + [1.0] * (2 * self.width))
        weights = (self.attention_kernel, self.attention_bias, self.projection_kernel, self.projection_bias)
        kernel, bias_of_kernel, *projection = (tf.cast(weight, "float32") for weight in weights)
        bias = bias_of_positions(tf.cast(self.position_bias, "float32"), self.window)
        dense, projection = (kernel * scale, bias_of_kernel * scale), tuple(projection)
        return tf.nest.map_structure(lambda tensor: tf.cast(tensor, self.compute_dtype), (bias, dense, projection))

    def _add_dense(self, name: str, outputs: int) -> list[tf.Variable]:
        kernel = self.add_weight(name=f"{name}_kernel", shape=(self.width, outputs), initializer=_small_numbers())
        return [kernel, self.add_weight(name=f"{name}_bias", shape=(outputs,), initializer="zeros")]


def _small_numbers() -> keras.initializers.Initializer:
    """Returns an initialiser, one for each weight, since the same one would give all of them the same numbers."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _attend(rows: tf.Tensor, regions: tf.Tensor, positions: tf.Tensor, dense: Dense, projection: Dense) -> tf.Tensor:
    """Returns attention between the rows of whole windows [count * window * window, channels]."""
    return tf.cast(product(attention(product(rows, dense), regions, positions), projection), "float32")
