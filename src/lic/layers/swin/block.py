"""The Swin transformer block: attention inside windows, then a perceptron."""

from __future__ import annotations

from lic.argument_types import Count, WindowSize
from lic.environment import keras, tf
from lic.layers.chunks import CHUNK, compiled, specs_of
from lic.layers.swin.tokens import TokenLayer, Tokens
from lic.layers.swin.window_attention import BlockWeights, StoredWeights, derive_weights, run, run_for_training
from lic.layers.swin.windows import arrange
from lic.layers.tracing import HasDerivedWeights, refuse_xla


class SwinBlock(HasDerivedWeights, TokenLayer):
    """Attention inside windows and a perceptron with exact GELU, each after a layer norm and added to its input.

    Source: Liu et al., ICCV 2021; as in Zhu, Yang, Cohen, ICLR 2022, appendix A.

    Args:
      width: Number of channels.
      window: Height and width of the windows.
      shift: How far windows are shifted, less than `window`.
      head_dim: Channels of each head.
      mlp_ratio: How many times wider the perceptron is than the block.
      sees_padding: Whether tokens attend to the padding of their window, whose queries, keys and values are the biases
        of their product; as in Zou et al., CVPR 2022.

    Raises:
      ValueError: `width` is no multiple of `head_dim`, or `shift` is outside the window.
    """

    def __init__(
        self,
        width: Count,
        window: WindowSize = 8,
        shift: int = 0,
        head_dim: Count = 32,
        mlp_ratio: Count = 4,
        sees_padding: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if width % head_dim:
            raise ValueError(
                f"SwinBlock: expected a width that is a multiple of head_dim. Received: width={width}, "
                f"head_dim={head_dim}. Change one of them."
            )
        if not 0 <= shift < window:
            raise ValueError(
                f"SwinBlock: expected shift from 0 to window - 1. Received: {shift}, window={window}. Pass window // 2."
            )
        self.width, self.window, self.shift = width, window, shift
        self.head_dim, self.mlp_ratio, self.sees_padding = head_dim, mlp_ratio, sees_padding

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

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        """Returns the tokens in the order of the windows."""
        refuse_xla("SwinBlock")  # XLA would end the process.
        rows, places = tokens
        arranged = compiled(
            arrange, (tf.TensorSpec((None,) * 3, tf.int32),), self.window, self.shift, self.sees_padding
        )
        order, regions, places = arranged(places)
        weights = self.derived()
        windows = tf.TensorSpec((None, self.window**2), tf.int32)
        specs = (tf.TensorSpec((None, self.width)), windows, windows, specs_of(weights))
        function = compiled(run_for_training if training else run, specs, max(CHUNK // self.window**2, 1))
        return Tokens(function(rows, order, regions, weights), places)

    def derive(self) -> BlockWeights:
        """Returns the weights with norms and the scale of queries folded in."""
        stored = StoredWeights(*(tf.convert_to_tensor(getattr(self, name)) for name in StoredWeights._fields))
        options = self.window, self.head_dim, self.sees_padding, self.compute_dtype
        return compiled(derive_weights, (specs_of(stored),), *options)(stored)

    def _add_norm(self, name: str, width: int) -> list[tf.Variable]:
        values = {"gamma": "ones", "beta": "zeros"}
        return [self.add_weight(name=f"{name}_{key}", shape=(width,), initializer=how) for key, how in values.items()]

    def _add_dense(self, name: str, inputs: int, outputs: int) -> list[tf.Variable]:
        initializer = keras.initializers.TruncatedNormal(stddev=0.02)
        kernel = self.add_weight(name=f"{name}_kernel", shape=(inputs, outputs), initializer=initializer)
        return [kernel, self.add_weight(name=f"{name}_bias", shape=(outputs,), initializer="zeros")]
