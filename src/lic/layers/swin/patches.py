"""Patches: layers that make tokens from images, merge or split tokens, and make images from tokens again."""

from __future__ import annotations

from collections.abc import Callable

from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.chunks import CHUNK, compiled, map_chunks, specs_of
from lic.layers.swin.norm import fold_norm, layer_norm, product, standardised
from lic.layers.swin.tokens import TokenLayer, Tokens
from lic.layers.tracing import HasDerivedWeights


class PatchEmbedding(Layer):
    """Makes a token of each patch of 2x2 positions, by a convolution with stride 2 in float32.

    Args:
      width: Channels of the tokens.
      norm: Whether a layer norm follows.
    """

    def __init__(self, width: int, norm: bool = False, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.width, self.norm = width, norm

    def build(self, input_shape: tuple):
        shape = (2, 2, input_shape[-1], self.width)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.width,), initializer="zeros")
        if self.norm:
            self.gamma = self.add_weight(name="gamma", shape=(self.width,), initializer="ones")
            self.beta = self.add_weight(name="beta", shape=(self.width,), initializer="zeros")
        super().build(input_shape)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, 2 height, 2 width, channels] to tokens [batch, height, width, width]."""
        kernel, bias = (tf.cast(tensor, "float32") for tensor in (self.kernel, self.bias))
        tokens = tf.nn.bias_add(tf.nn.conv2d(tf.cast(values, "float32"), kernel, 2, "VALID"), bias)
        if not self.norm:
            return tokens
        gamma, beta = (tf.cast(tensor, "float32") for tensor in (self.gamma, self.beta))
        return layer_norm(tokens, gamma, beta)


class Patches(HasDerivedWeights, TokenLayer):
    """Base of layers between stages, with one product for each token or for each 2x2 tokens.

    Args:
      inputs: Channels of the product's input.
      outputs: Channels of the product's result.
      norm: Channels of the layer norm, or 0 for none.
      bias: Whether a bias is added.
    """

    def __init__(self, inputs: int, outputs: int, norm: int = 0, bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        if norm:
            self.gamma = self.add_weight(name="gamma", shape=(norm,), initializer="ones")
            self.beta = self.add_weight(name="beta", shape=(norm,), initializer="zeros")
        initializer = keras.initializers.TruncatedNormal(stddev=0.02)
        self.kernel = self.add_weight(name="kernel", shape=(inputs, outputs), initializer=initializer)
        self.bias = self.add_weight(name="bias", shape=(outputs,), initializer="zeros") if bias else None

    def _apply(self, function: Callable, rows: tf.Tensor, order: tf.Tensor, training: bool) -> tf.Tensor:
        """Applies a function to rows in an order [count, number of rows side by side].

        Chunks save memory and time, but not in training, where the gradient needs all of them.
        """
        weights, width = self.derived(), rows.shape[-1] * order.shape[-1]

        def take(order: tf.Tensor) -> tf.Tensor:
            return tf.reshape(tf.gather(rows, order), (-1, width))

        if training:
            return function(take(order), weights)
        specs = (tf.TensorSpec((None, width), tf.float32), specs_of(weights))
        return map_chunks(
            lambda start, stop: compiled(function, specs)(take(order[start:stop]), weights),
            tf.shape(order)[0],
            CHUNK // order.shape[-1],
            self.kernel.shape[-1],
        )


class PatchMerging(Patches):
    """Merges 2x2 tokens into one: a layer norm over all four side by side, and a product.

    Source: Liu et al., ICCV 2021, section 3.1.

    Args:
      inputs: Channels of the tokens.
      outputs: Channels of the merged tokens.
    """

    def __init__(self, inputs: int, outputs: int, **kwargs):
        super().__init__(4 * inputs, outputs, norm=4 * inputs, **kwargs)

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        corners = [tokens.places[:, down::2, right::2] for right in (0, 1) for down in (0, 1)]
        shape = tf.shape(corners[0])
        order = tf.reshape(tf.stack(corners, -1), (-1, 4))
        places = tf.reshape(tf.range(tf.reduce_prod(shape)), shape)
        return Tokens(self._apply(_after_norm, tokens.rows, order, training), places)

    def derive(self) -> tuple[tf.Tensor, ...]:
        return _cast(fold_norm(self.gamma, self.beta, self.kernel, None), self.compute_dtype)


class PatchSplitting(Patches):
    """Splits one token into 2x2: a product, and a layer norm over all four side by side, or over the token before it.

    Source: Zhu, Yang, Cohen, ICLR 2022, section 3.2, as in the published code; with the norm before the product Zou,
    Song, Zhang, CVPR 2022.

    Args:
      inputs: Channels of the tokens.
      outputs: Channels of each of the four tokens.
      norm_first: Whether the norm comes before the product.
    """

    def __init__(self, inputs: int, outputs: int, norm_first: bool = False, **kwargs):
        super().__init__(inputs, 4 * outputs, norm=inputs if norm_first else 4 * outputs, **kwargs)
        self.norm_first = norm_first

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        function = _after_norm if self.norm_first else _split
        return _split_in_four(tokens, lambda order: self._apply(function, tokens.rows, order, training))

    def derive(self) -> tuple[tf.Tensor, ...]:
        if self.norm_first:
            return _cast(fold_norm(self.gamma, self.beta, self.kernel, None), self.compute_dtype)
        kernel = tf.cast(self.kernel, self.compute_dtype)
        return kernel, tf.cast(self.gamma, "float32"), tf.cast(self.beta, "float32")


class PatchUnpacking(Patches):
    """Splits one token into 2x2 positions of the result, by a product in float32.

    Args:
      inputs: Channels of the tokens.
      outputs: Channels of each position.
    """

    def __init__(self, inputs: int, outputs: int, **kwargs):
        super().__init__(inputs, 4 * outputs, bias=True, **kwargs)

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        return _split_in_four(tokens, lambda order: self._apply(_unpack, tokens.rows, order, training))

    def derive(self) -> tuple[tf.Tensor, ...]:
        return _cast((self.kernel, self.bias), "float32")  # bfloat16 has 8 bits, too few for pixels.


def _cast(tensors: tuple[tf.Tensor, ...], dtype: str) -> tuple[tf.Tensor, ...]:
    return tuple(tf.cast(tensor, dtype) for tensor in tensors)


def _after_norm(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    return tf.cast(product(standardised(rows), weights), "float32")


def _split(rows: tf.Tensor, weights: tuple[tf.Tensor, ...]) -> tf.Tensor:
    kernel, gamma, beta = weights
    return layer_norm(tf.cast(tf.matmul(tf.cast(rows, kernel.dtype), kernel), "float32"), gamma, beta)


def _unpack(rows: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    return tf.cast(product(rows, weights), "float32")


def _split_in_four(tokens: Tokens, function: Callable[[tf.Tensor], tf.Tensor]) -> Tokens:
    """Splits each token into 2x2 by a function that maps an order [count, 1] to rows of four tokens side by side."""
    rows = function(tf.reshape(tokens.places, (-1, 1)))
    batch, height, width = tf.unstack(tf.shape(tokens.places))
    before = tf.reshape(4 * tf.range(batch * height * width), (batch, height, 1, width, 1))
    places = tf.reshape(before + tf.constant([[0, 1], [2, 3]])[:, None], (batch, 2 * height, 2 * width))
    return Tokens(tf.reshape(rows, (-1, rows.shape[-1] // 4)), places)
