"""A linear block transform that starts as the Karhunen-Loeve transform (KLT) of photographs, with learnt branches.

Images of other channels than 3 have no such statistics, and the transform starts as a cosine transform.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import numbers
from typing import ClassVar, Literal

import numpy as np

from lic.argument_types import Count, CountOrZero, ImageChannels
from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.blocks import depth_to_space, space_to_depth
from lic.layers.convolution import Convolution
from lic.layers.depthwise import DepthwiseConvolution
from lic.layers.sequential import Scale, Sequential
from lic.registry import register_transform
from lic.transforms.base import Transform

BLOCK = 16
MIDDLE = 127.5
# Linear weights are stored multiplied by these gains, and inputs are divided by them. The size of Adam's steps does not
# depend on that of the weights, so that the steps are small beside them.
ANALYSIS_GAIN, SYNTHESIS_GAIN = 40.0, 1000.0
BRANCH_GAIN = 32.0  # Grey levels for each unit of the residual branch's result in the synthesis.
DAMPING = 0.03  # The scale of kernels that end a half of a depthwise block, so that blocks start near the identity.


@functools.cache
def klt() -> tuple[np.ndarray, np.ndarray]:
    """Returns the KLT of 16x16 blocks of photographs.

    Returns:
      The basis [768, 768], one vector in each column, by falling variance, for blocks flattened in the order row,
      column, channel; and the variances [768] on the 0..255 scale.
    """
    with importlib.resources.files("lic.transforms").joinpath("klt.npz").open("rb") as file:
        arrays = np.load(file)
        return arrays["basis"].astype(np.float32), arrays["variances"]


def cosine_basis(channels: int, count: int) -> np.ndarray:
    """Returns the first vectors of the separable cosine transform (DCT-II) of 16x16 blocks, for each channel alone.

    Args:
      channels: Channels of the blocks.
      count: Number of vectors.

    Returns:
      The orthonormal vectors [256 * channels, count], one in each column, by rising frequency, for blocks flattened in
      the order row, column, channel. The channels of one frequency follow each other.
    """
    numbers = np.arange(BLOCK)
    waves = np.cos(np.pi / BLOCK * (numbers[:, None] + 0.5) * numbers) * np.sqrt(2 / BLOCK)
    waves[:, 0] /= np.sqrt(2)
    down, across = np.divmod(np.arange(BLOCK**2), BLOCK)
    order = np.lexsort((down, down**2 + across**2))[: -(-count // channels)]
    plane = np.kron(waves, waves)[:, order]
    return np.kron(plane, np.eye(channels))[:, :count].astype(np.float32)


def start_of(channels: int, latent_depth: int) -> np.ndarray:
    """Returns the vectors [256 * channels, latent_depth] that the linear transform starts with."""
    return klt()[0][:, :latent_depth] if channels == 3 else cosine_basis(channels, latent_depth)


@register_transform("klt")
class KLTTransform(Transform):
    """Analyses 16x16 blocks with a linear transform that starts as the KLT of photographs, and adds residual branches.

    Where images have other channels than 3, it starts as the cosine transform of each channel. The branches are
    convolutional, work at 1/8 of the image's height and width, and start at zero. So an untrained model codes like a
    block transform, and training improves on that.

    Args:
      width: Channels of the residual branches.
      latent_depth: Channels of the latent, at most 256 for each channel of the images.
      num_blocks: Residual blocks in each branch, or in the analysis and in the synthesis.
      step: Initial step of the quantiser, in grey levels.
      channels: Channels of the images.
      block: "plain", two 3x3 convolutions; or "depthwise", which has less than half the multiplications at equal width.

    Raises:
      ValueError: `latent_depth` is over 256 for each channel, or `step` is not over 0 and finite.
    """

    added_arguments: ClassVar = {"channels": 3, "block": "plain"}

    def __init__(
        self,
        width: Count = 128,
        latent_depth: Count = 192,
        num_blocks: CountOrZero | tuple[CountOrZero, CountOrZero] = 3,
        step: float = 52.0,
        channels: ImageChannels = 3,
        block: Literal["plain", "depthwise"] = "plain",
        **kwargs,
    ):
        super().__init__(latent_depth, BLOCK, **kwargs)
        self.channels = channels
        if latent_depth > channels * BLOCK**2:
            raise ValueError(
                f"KLTTransform: expected latent_depth of at most {channels * BLOCK**2}, the numbers in a block. "
                f"Received: latent_depth={latent_depth}. Pass less, or use the transform 'conv'."
            )
        check("KLTTransform", "step", 0 < step < math.inf, "over 0 and finite", step)
        ahead, behind = (num_blocks, num_blocks) if isinstance(num_blocks, numbers.Real) else num_blocks
        # A block sees one or two positions of 8 pixels further, and the convolution at the analysis's end one more.
        reach = {"plain": 2, "depthwise": 1}[block]
        self.tile_overlap = (ahead * reach + 2) // 2, (behind * reach + 1) // 2
        self.analysis = KLTAnalysis(width, latent_depth, ahead, step, channels, block)
        self.synthesis = KLTSynthesis(width, latent_depth, behind, step, channels, block)


class KLTAnalysis(Layer):
    """The analysis of `KLTTransform`; its arguments are the transform's."""

    added_arguments: ClassVar = {"channels": 3, "block": "plain"}

    def __init__(
        self,
        width: int,
        latent_depth: int,
        num_blocks: int,
        step: float,
        channels: int = 3,
        block: str = "plain",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # The linear transform is float32 whatever the policy.
        self.latent_depth, self.step, self.channels = latent_depth, step, channels
        self.branch = Sequential(
            [
                Scale(1 / MIDDLE),
                Convolution(width, 1),
                *(_BLOCKS[block](width) for _ in range(num_blocks)),
                Convolution(latent_depth, 3, down=2, kernel_initializer="zeros"),
            ]
        )

    def build(self, input_shape: tuple):
        start = functools.partial(start_of, self.channels, self.latent_depth)
        self.linear = self.add_weight(
            name="linear",
            shape=(self.channels * BLOCK**2, self.latent_depth),
            dtype="float32",
            initializer=lambda shape, dtype=None: tf.constant(start() * (ANALYSIS_GAIN / self.step)),
        )
        super().build(input_shape)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        """Maps images [batch, height, width, channels] on 0..255 to latents."""
        image = tf.cast(image, "float32") - MIDDLE
        blocks = space_to_depth(image, BLOCK)
        latent = _multiply(blocks / ANALYSIS_GAIN, self.linear)
        refined = self.branch(space_to_depth(image, BLOCK // 2))
        return latent + tf.cast(refined, "float32")


class KLTSynthesis(Layer):
    """The synthesis of `KLTTransform`; its arguments are the transform's."""

    added_arguments: ClassVar = {"channels": 3, "block": "plain"}

    def __init__(
        self,
        width: int,
        latent_depth: int,
        num_blocks: int,
        step: float,
        channels: int = 3,
        block: str = "plain",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # The linear transform is float32 whatever the policy.
        self.latent_depth, self.step, self.channels = latent_depth, step, channels
        self.entrance = Convolution(4 * width, 1)
        self.branch = Sequential(
            [
                *(_BLOCKS[block](width) for _ in range(num_blocks)),
                Convolution(channels * (BLOCK // 2) ** 2, 1, kernel_initializer="zeros"),
                Scale(BRANCH_GAIN),
            ]
        )

    def build(self, input_shape: tuple):
        start = functools.partial(start_of, self.channels, self.latent_depth)
        self.linear = self.add_weight(
            name="linear",
            shape=(self.latent_depth, self.channels * BLOCK**2),
            dtype="float32",
            initializer=lambda shape, dtype=None: tf.constant(start().T * (self.step * SYNTHESIS_GAIN)),
        )
        super().build(input_shape)

    def call(self, latent: tf.Tensor) -> tf.Tensor:
        """Maps latents [batch, height, width, latent_depth] to images on 0..255."""
        blocks = _multiply(tf.cast(latent, "float32") / SYNTHESIS_GAIN, self.linear)
        image = depth_to_space(blocks, BLOCK)
        refined = self.branch(depth_to_space(self.entrance(latent), 2))
        refined = depth_to_space(refined, BLOCK // 2)
        return image + tf.cast(refined, "float32") + MIDDLE


class PlainResidualBlock(Layer):
    """Two 3x3 convolutions with a ReLU between, added to the input.

    Args:
      width: Channels of input and output.
    """

    def __init__(self, width: int, **kwargs):
        super().__init__(**kwargs)
        self.first = Convolution(width, 3, activation="relu")
        self.second = Convolution(width, 3)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Refines values [batch, height, width, width]."""
        return values + self.second(self.first(values))


class DepthwiseResidualBlock(Layer):
    """A depthwise convolution between two of 1x1, added to its input, and a gated perceptron, added to the sum.

    The perceptron widens to four times the channels, of which the upper and the lower half are added up.

    Args:
      width: Channels of input and output.
    """

    def __init__(self, width: int, **kwargs):
        super().__init__(**kwargs)
        self.first = Convolution(width, 1, activation="leaky_relu_0.01")
        self.depthwise = DepthwiseConvolution(3)
        self.second = Convolution(width, 1, kernel_initializer=keras.initializers.VarianceScaling(scale=DAMPING))
        self.wide = Convolution(4 * width, 1, activation="leaky_relu_0.01")
        self.last = Convolution(width, 1, kernel_initializer=keras.initializers.VarianceScaling(scale=DAMPING))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Refines values [batch, height, width, width]."""
        values = values + self.second(self.depthwise(self.first(values)))
        upper, lower = tf.split(self.wide(values), 2, -1)
        return values + self.last(upper + lower)


_BLOCKS = {"plain": PlainResidualBlock, "depthwise": DepthwiseResidualBlock}


def _multiply(values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(values, tf.cast(tf.convert_to_tensor(matrix), values.dtype)[None, None], 1, "VALID")
