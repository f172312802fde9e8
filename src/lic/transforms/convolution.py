"""Convolutions down and up with zeros outside, as tensorflow-compression's `SignalConv2D` pads them."""

from __future__ import annotations

from typing import Literal

from lic.environment import keras, tf


class Convolution(keras.layers.Layer):
    """A two-dimensional convolution for any height and width.

    Going down by `down` gives ceil(height / down) rows; going up by `up` gives height * up rows. The defaults of
    `correlation` are what published models use: correlation on the way down, convolution on the way up and in place.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel.
      down: Stride of the output.
      up: Factor by which the output is larger; not together with `down`.
      correlation: Whether the kernel is applied as it is, not mirrored. Default: only where `down` is over 1.
      bias: Whether a bias is added.
      activation: Name of a Keras activation, or None.
      kernel_form: "plain", or "dft" for a kernel that is stored and trained as its orthonormal real Fourier transform.
      kernel_initializer: Initialiser of the plain kernel.
      bias_initializer: Initialiser of the bias.

    Raises:
      ValueError: `down` and `up` are both over 1, or `kernel_form` is unknown.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        down: int = 1,
        up: int = 1,
        correlation: bool | None = None,
        bias: bool = True,
        activation: str | None = None,
        kernel_form: Literal["plain", "dft"] = "plain",
        kernel_initializer: str | keras.initializers.Initializer | None = None,
        bias_initializer: str | keras.initializers.Initializer = "zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if down > 1 and up > 1:
            raise ValueError(
                f"Convolution: expected down or up to be 1. Received: down={down}, up={up}. Chain two layers."
            )
        if kernel_form not in ("plain", "dft"):
            raise ValueError(f"Convolution: expected kernel_form 'plain' or 'dft'. Received: {kernel_form!r}.")
        self.filters, self.kernel_size, self.down, self.up = filters, kernel_size, down, up
        self.correlation = down > 1 if correlation is None else correlation
        self.use_bias, self.kernel_form = bias, kernel_form
        self.activation = keras.activations.get(activation)
        # A layer that goes up by two reads each input only at a quarter of the kernel's taps.
        self.kernel_initializer = keras.initializers.get(
            kernel_initializer or keras.initializers.VarianceScaling(scale=float(up * up))
        )
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: tuple):
        size, channels = self.kernel_size, input_shape[-1]
        if self.kernel_form == "dft":
            self.kernel_real, self.kernel_imag = self._add_dft(channels)
        else:
            self.kernel = self.add_weight(
                name="kernel",
                shape=(size, size, channels, self.filters),
                initializer=self.kernel_initializer,
            )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer=self.bias_initializer)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Convolves values [batch, height, width, channels]."""
        values = self.convolve(values, tf.cast(self.spatial_kernel(), values.dtype))
        if self.use_bias:
            values = tf.nn.bias_add(values, tf.cast(self.bias, values.dtype))
        return self.activation(values)

    def spatial_kernel(self) -> tf.Tensor:
        """Returns the kernel [height, width, inputs, outputs] that is applied."""
        if self.kernel_form == "dft":
            return from_dft(self.kernel_real, self.kernel_imag, self.kernel_size)
        return tf.convert_to_tensor(self.kernel)

    def convolve(self, values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolves with a given kernel, without bias and activation."""
        if self.kernel_size == self.up == self.down == 1:
            return _at_each_position(values, kernel[0, 0])
        if self.up > 1:
            return self._up(values, kernel[::-1, ::-1] if self.correlation else kernel)
        return self._down(values, kernel if self.correlation else kernel[::-1, ::-1])

    def _down(self, values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(values, kernel, self.down, self._padding(self.correlation))

    def _up(self, values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        batch, height, width = tf.unstack(tf.shape(values)[:3])
        shape = (batch, height * self.up, width * self.up, self.filters)
        # The gradient of a correlation that goes down, with the same padding, is the convolution that goes up.
        kernel = tf.transpose(kernel, (0, 1, 3, 2))
        values = tf.nn.conv2d_transpose(values, kernel, shape, self.up, self._padding(not self.correlation))
        return tf.ensure_shape(values, (None, None, None, self.filters))

    def _padding(self, more_before: bool) -> list[list[int]]:
        less, more = (self.kernel_size - 1) // 2, self.kernel_size // 2
        pair = [more, less] if more_before else [less, more]
        return [[0, 0], pair, pair, [0, 0]]

    def _add_dft(self, channels: int) -> list[tf.Variable]:
        with tf.init_scope():
            dft = to_dft(self.kernel_initializer((self.kernel_size, self.kernel_size, channels, self.filters))).numpy()
        halves = {"kernel_real": dft.real, "kernel_imag": dft.imag}
        return [
            self.add_weight(name=name, shape=half.shape, initializer=lambda *_, half=half, **__: tf.constant(half))
            for name, half in halves.items()
        ]

    def get_config(self) -> dict:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "down": self.down,
            "up": self.up,
            "correlation": self.correlation,
            "bias": self.use_bias,
            "activation": keras.activations.serialize(self.activation),
            "kernel_form": self.kernel_form,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def _at_each_position(values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Multiplies the channels by a matrix; unlike `tf.nn.conv2d` this takes tensors without positions too."""
    shape = tf.unstack(tf.shape(values)[:3])
    product = tf.matmul(tf.reshape(values, (-1, matrix.shape[0])), matrix)
    return tf.reshape(product, (*shape, matrix.shape[1]))


def to_dft(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the orthonormal real DFT [inputs, outputs, height, width // 2 + 1] of a kernel."""
    size = tf.cast(kernel.shape[0] * kernel.shape[1], kernel.dtype)
    return tf.signal.rfft2d(tf.transpose(kernel, (2, 3, 0, 1))) / tf.cast(tf.sqrt(size), "complex64")


def from_dft(real: tf.Tensor, imag: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the kernel [size, size, inputs, outputs] whose orthonormal real DFT is given in two halves."""
    transform = tf.complex(tf.cast(real, "float32"), tf.cast(imag, "float32"))
    return tf.transpose(tf.signal.irfft2d(transform * size, (size, size)), (2, 3, 0, 1))
