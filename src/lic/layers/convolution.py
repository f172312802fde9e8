"""Convolutions that keep, reduce or enlarge height and width, padded as tensorflow-compression's `SignalConv2D`."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from lic.argument_types import Count, Stride
from lic.environment import keras, tf
from lic.errors import check
from lic.layers import activations
from lic.layers.base import Layer
from lic.layers.tracing import HasDerivedWeights, Interceptable

Pair = tuple[int, int]


class Convolution(HasDerivedWeights, Interceptable, Layer):
    """A two-dimensional convolution for any height and width, with zeros outside.

    The output has ceil(height / down) rows with `down`, and height * up rows with `up`. The defaults of `correlation`
    are those of published models: correlation with a stride, convolution on the way up and in place.

    Source: Balle et al., tensorflow-compression's `SignalConv2D` with `padding="same_zeros"`.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel.
      down: Stride of the output.
      up: Factor by which the output is higher and wider than the input; not together with `down`.
      correlation: Whether the kernel is applied as it is, not mirrored. Default: only if `down` is over 1.
      bias: Whether a bias is added.
      activation: Name of a Keras activation, "leaky_relu_SLOPE", or None.
      full_precision: Whether the layer computes in float32 whatever the policy. The layer that returns pixels needs it,
        since bfloat16 would round them to whole numbers.
      kernel_form: "plain", or "dft" for a kernel that is stored and trained as its orthonormal real Fourier transform.
      kernel_initializer: Initialiser of the plain kernel.
      bias_initializer: Initialiser of the bias.

    Raises:
      ValueError: `down` and `up` are both over 1, `kernel_form` is unknown, or a "dft" kernel is larger than 31x31.
    """

    def __init__(
        self,
        filters: Count,
        kernel_size: Count,
        *,
        down: Stride = 1,
        up: Stride = 1,
        correlation: bool | None = None,
        bias: bool = True,
        activation: str | None = None,
        full_precision: bool = False,
        kernel_form: Literal["plain", "dft"] = "plain",
        kernel_initializer: str | keras.initializers.Initializer | None = None,
        bias_initializer: str | keras.initializers.Initializer = "zeros",
        **kwargs,
    ):
        super().__init__(**{"autocast": not full_precision} | kwargs)
        if down > 1 and up > 1:
            raise ValueError(
                f"Convolution: expected down or up to be 1. Received: down={down}, up={up}. Use two layers."
            )
        if kernel_form == "dft":  # Its basis has the fourth power of this many numbers.
            check("Convolution", "kernel_size", kernel_size <= 31, "at most 31 with kernel_form 'dft'", kernel_size)
        if kernel_form not in ("plain", "dft"):
            raise ValueError(f"Convolution: expected kernel_form 'plain' or 'dft'. Received: {kernel_form!r}.")
        self.filters, self.kernel_size, self.down, self.up = filters, kernel_size, down, up
        self.correlation = down > 1 if correlation is None else correlation
        self.use_bias, self.full_precision, self.kernel_form = bias, full_precision, kernel_form
        self.activation = activations.get(activation)
        # On the way up by two, each output sees only a quarter of the kernel's taps.
        self.kernel_initializer = keras.initializers.get(
            kernel_initializer or keras.initializers.VarianceScaling(scale=float(up * up))
        )
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

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
        super().build(input_shape)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Convolves values [batch, height, width, channels]."""
        values = tf.cast(values, "float32") if self.full_precision else values
        return self.correlate(values, self.derived(), self.bias if self.use_bias else None, self.activation)

    def correlate(
        self, values: tf.Tensor, kernels: Sequence[tf.Tensor], bias: tf.Tensor | None, activation: Callable
    ) -> tf.Tensor:
        """Correlates values with kernels, such as those that `derive` returns, and interleaves the phases of `up`.

        Args:
          values: The input [batch, height, width, channels].
          kernels: The kernels, as many and of the shapes that `derive` returns.
          bias: The bias of each filter [filters], or None.
          activation: The activation, applied after the bias.
        """
        pairs = zip(kernels, self._paddings(), strict=True)
        results = [activation(self._correlate(values, kernel, bias, padding)) for kernel, padding in pairs]
        together = results[0] if len(results) == 1 else tf.concat(results, -1)
        return tf.nn.depth_to_space(together, self.up) if self.up > 1 else together

    def spatial_kernel(self) -> tf.Tensor:
        """Returns the kernel [height, width, inputs, outputs]."""
        if self.kernel_form == "dft":
            return from_dft(self.kernel_real, self.kernel_imag, self.kernel_size)
        return tf.convert_to_tensor(self.kernel)

    def derive(self) -> list[tf.Tensor]:
        """Returns the kernels that values are correlated with: one, or with `up` one for each phase of the output."""
        kernel = tf.cast(self.spatial_kernel(), "float32")
        kernel = kernel if self.correlation else tf.reverse(kernel, (0, 1))
        kernels = [kernel] if self.up == 1 else self._phase_kernels(kernel)
        return [tf.cast(kernel, "float32" if self.full_precision else self.compute_dtype) for kernel in kernels]

    def _correlate(
        self, values: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None, padding: list[Pair]
    ) -> tf.Tensor:
        kernel = tf.cast(kernel, values.dtype)
        if kernel.shape[:2] == (1, 1):
            # TensorFlow's own gradient of a 1x1 convolution with a stride writes outside its memory, with oneDNN.
            values = _at_each_position(values[:, :: self.down, :: self.down], kernel[0, 0])
        else:
            values = _pad_and_convolve(values, kernel, self.down, padding)
        if bias is None:
            return values
        bias, phases = tf.cast(bias, values.dtype), kernel.shape[-1] // self.filters
        return tf.nn.bias_add(values, bias if phases == 1 else tf.tile(bias, [phases]))

    def _paddings(self) -> list[list[Pair]]:
        """Rows and columns of zeros before and after the values, for each kernel."""
        if self.up > 1:
            pairs = [padding for _, padding in self._phases()]
            return [[_widest(pairs)] * 2] if self._few else [[*each] for each in itertools.product(pairs, pairs)]
        less, more = (self.kernel_size - 1) // 2, self.kernel_size // 2
        return [[(more, less) if self.correlation else (less, more)] * 2]

    @property
    def _few(self) -> bool:
        """With few filters, one product for all phases, with zeros in it, is faster than one for each phase."""
        return self.filters < 16

    def _phases(self) -> list[tuple[slice, Pair]]:
        """Returns the taps of the kernel, and the zeros before and after the values, of each phase of the output.

        An output in row r * up + phase sees only every `up`-th row of the kernel: all others fall on the zeros that a
        transposed convolution writes between the values. So small kernels on the values themselves, one for each phase,
        give the same as one large kernel on values with zeros between them.
        """
        size, margin = self.kernel_size, self._margin()
        after = margin + ((size - 1) // 2 if self.correlation else size // 2)
        size += 2 * margin
        phases = []
        for phase in range(self.up):
            first = (size - 1 - phase - after) % self.up
            padding = (size - 1 - phase - after) // self.up, (phase + after) // self.up
            phases.append((slice(first, None, self.up), padding))
        return phases

    def _margin(self) -> int:
        """Returns the zeros around a kernel that is so small that some phases would have no tap."""
        return max(0, self.up - self.kernel_size // 2)

    def _phase_kernels(self, kernel: tf.Tensor) -> list[tf.Tensor]:
        margin, phases = [self._margin()] * 2, self._phases()
        kernel = tf.pad(kernel, [margin, margin, [0, 0], [0, 0]])
        pairs = list(itertools.product(phases, phases))
        kernels = [kernel[rows, columns] for (rows, _), (columns, _) in pairs]
        if not self._few:
            return kernels
        before, after = _widest([padding for _, padding in phases])
        padded = [
            tf.pad(each, [*((before - pair[0], after - pair[1]) for pair in (rows, columns)), (0, 0), (0, 0)])
            for each, ((_, rows), (_, columns)) in zip(kernels, pairs, strict=True)
        ]
        return [tf.concat(padded, -1)]

    def _add_dft(self, channels: int) -> list[tf.Variable]:
        size = self.kernel_size

        @functools.cache
        def start() -> np.ndarray:
            with tf.init_scope():
                return to_dft(self.kernel_initializer((size, size, channels, self.filters))).numpy()

        halves = {"kernel_real": lambda *_, **__: start().real, "kernel_imag": lambda *_, **__: start().imag}
        shape = (channels, self.filters, size, size // 2 + 1)
        return [self.add_weight(name=name, shape=shape, initializer=half) for name, half in halves.items()]


def _widest(pairs: list[Pair]) -> Pair:
    return max(before for before, _ in pairs), max(after for _, after in pairs)


def _pad_and_convolve(values: tf.Tensor, kernel: tf.Tensor, stride: int, padding: list[Pair]) -> tf.Tensor:
    same = [((size - 1) // 2, size // 2) for size in kernel.shape[:2]]
    if stride == 1 and padding == same and values.dtype == tf.float32:
        return tf.nn.conv2d(values, kernel, 1, "SAME")
    # A pad of its own: with explicit paddings, gradients of a convolution are slower, in bfloat16 thirty times.
    return tf.nn.conv2d(tf.pad(values, [(0, 0), *padding, (0, 0)]), kernel, stride, "VALID")


def _at_each_position(values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Multiplies the channels by a matrix; unlike `tf.nn.conv2d` this works on tensors without positions too."""
    shape = tf.unstack(tf.shape(values))[:3]
    product = tf.matmul(tf.reshape(values, (-1, matrix.shape[0])), matrix)
    return tf.reshape(product, (*shape, matrix.shape[1]))


def to_dft(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the orthonormal real DFT of a kernel.

    Args:
      kernel: The kernel [height, width, inputs, outputs].

    Returns:
      Its DFT [inputs, outputs, height, width // 2 + 1], complex64.
    """
    size = tf.cast(kernel.shape[0] * kernel.shape[1], kernel.dtype)
    return tf.signal.rfft2d(tf.transpose(kernel, (2, 3, 0, 1))) / tf.cast(tf.sqrt(size), "complex64")


def from_dft(real: tf.Tensor, imag: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the kernel [size, size, inputs, outputs] of an orthonormal real DFT.

    Args:
      real: The real half of the DFT [inputs, outputs, size, size // 2 + 1].
      imag: Its imaginary half, in the same shape.
      size: Height and width of the kernel.
    """
    halves = zip((real, imag), _inverse_dft(size), strict=True)
    return tf.add_n([tf.einsum("iofg,fghw->hwio", tf.cast(half, "float32"), basis) for half, basis in halves])


@functools.cache
def _inverse_dft(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel [size, size] of each unit vector of the halves; a product with it is faster than an FFT."""
    frequencies = (size, size // 2 + 1)
    units = np.eye(math.prod(frequencies)).reshape(-1, *frequencies)
    kernels = (np.fft.irfft2(units * factor, (size, size), norm="ortho") for factor in (1, 1j))
    return tuple(each.reshape(*frequencies, size, size).astype(np.float32) for each in kernels)
