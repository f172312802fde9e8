"""A latent coded at three scales, from the smallest to the largest, with attention to what was predicted before.

Source: Li, Zhang, Li, Liu, Learned Image Compression with Hierarchical Progressive Context Modeling, ICCV 2025, and its
code.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from lic.argument_types import Count, WindowSize
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.parameters import convolutions
from lic.entropy.parts import Part, positions, repeated, runs_of
from lic.environment import keras, tf
from lic.layers.convolution import Convolution
from lic.layers.cross_attention import CrossAttention
from lic.layers.depthwise import DepthwiseBlock
from lic.layers.padding import pad
from lic.layers.sequential import ChannelScale, Sequential
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform

_SCALES = {"quarter": 2, "half": 3, "whole": 6}  # The number of steps at each scale, in coding order.
_RUNS = 8  # The channels are so many runs, each of which takes other positions.
# The place of every 2x2, counted as 2 row + column, that each run has in the next smaller scale.
_TO_HALF = (0, 3, 1, 2, 0, 3, 1, 2)
_TO_QUARTER = (0, 0, 1, 1, 2, 2, 3, 3)
_SMALLER = (_TO_HALF, _TO_QUARTER)
# The steps at the half scale: the place of every 2x2 that each run codes.
_HALF_STEPS = ((3, 3, 2, 2, 1, 1, 0, 0), (2, 2, 3, 3, 0, 0, 1, 1), (1, 1, 0, 0, 3, 3, 2, 2))
# The steps at the whole scale: the set of two places of every 4x4 that each run codes. The table numbers these sets.
_WHOLE_STEPS = (
    (2, 4, 6, 0, 3, 5, 7, 1),
    (3, 5, 7, 1, 2, 4, 6, 0),
    (4, 6, 0, 2, 5, 7, 1, 3),
    (5, 7, 1, 3, 4, 6, 0, 2),
    (6, 0, 2, 4, 7, 1, 3, 5),
    (7, 1, 3, 5, 6, 0, 2, 4),
)
_SETS = ((0, 4, 1, 5), (6, 2, 7, 3), (1, 5, 0, 4), (7, 3, 6, 2))
# The published code leaves out these places where it reads the features of the half scale, not those of `_TO_QUARTER`.
_MISREAD = (0, 0, 0, 0, 1, 1, 1, 1)


@register_entropy_model("hierarchical")
class Hierarchical(EntropyModel):
    """Codes three scales of a latent in 2 + 3 + 6 steps, each step a part of all channels at different positions.

    Each scale holds one number of every 2x2 of the next larger one, in each run of channels another. From the second
    step on, a network sees the numbers that are known and a context, and predicts parameters; cross attention in
    windows makes of both the next context.

    Source: Li, Zhang, Li, Liu, ICCV 2025, with the published code's networks.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      parameter_network: Whether a 1x1 convolution makes the parameters of the first step from the features. Without it
        the features are the parameters: first all scales, then all means.
      prior_blocks: Numbers of blocks before and after a step's factors, in the network of the two smaller scales and in
        that of the whole latent.
      attention_windows: Height and width of the windows of attention at each scale.
      attention_heads: Number of heads, or the largest divisor that it shares with the number of parameters.
      misread_features: Whether three quarters of the channels see features of other positions at the half scale, as
        the published code reads them.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: `parameter_network` is False and the features are not as many as the parameters.
    """

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        parameter_network: bool = True,
        prior_blocks: tuple[tuple[Count, Count], tuple[Count, Count]] = ((2, 1), (3, 2)),
        attention_windows: tuple[WindowSize, WindowSize, WindowSize] = (4, 8, 8),
        attention_heads: Count = 32,
        misread_features: bool = False,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        width, last = self.likelihood.parameters * latent_depth, {"bias_initializer": self.start_bias(latent_depth)}
        fits, advice = parameter_network or hyper.features == width, "or parameter_network=True"
        self._check("the hyper transform's features", fits, f"{width} channels, {advice}", hyper.features)
        self.misread_features, inner = misread_features, width + latent_depth
        self.parameters = convolutions((width,), (1,), **last) if parameter_network else None
        later = sum(_SCALES.values()) - 1  # All steps but the first.
        self.adaptors = [Convolution(inner, 1) for _ in range(later)]
        self.factors = [ChannelScale() for _ in range(later)]
        self.before, self.after = [], []
        for before, after in prior_blocks:
            self.before.append(Sequential([DepthwiseBlock(inner) for _ in range(before)]))
            blocks = [DepthwiseBlock(inner) for _ in range(after)]
            # Each step sees what the step before has predicted, so that larger kernels would begin with huge numbers.
            small = keras.initializers.VarianceScaling(scale=0.001)
            self.after.append(Sequential([*blocks, Convolution(width, 1, kernel_initializer=small, **last)]))
        heads = math.gcd(width, attention_heads)
        self.attention = [CrossAttention(width, window, heads) for window in attention_windows]
        self.context = [Convolution(width, 1) for _ in range(len(_SCALES) - 1)]

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then step after step, from the smallest scale to the whole latent."""
        features = self._features(coder.side(self.hyper, self.prior))
        context, y_hat = features[0], coder.zeros
        for scale, steps in enumerate(self._steps()):
            if scale:
                context = self._enlarged(scale, context, features)
            for number, part in steps:
                parameters = self._predicted(number, scale, context, y_hat)
                distribution = self.likelihood.at(part, self._in_latent(scale, parameters, y_hat))
                y_hat = part.put(y_hat, coder.code(part, distribution))
                if number:  # The first context predicts itself.
                    context = self.attention[scale]([self._reversed(parameters), context])
        return y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        networks = [*self.after, self.parameters] if self.parameters else self.after
        return [(network.layers[-1], 0, self.latent_depth) for network in networks]

    def _steps(self) -> list[list[tuple[int, Part]]]:
        """Returns number and part of each step at each scale."""
        table = np.array([_step_of(*place) for place in np.ndindex(8, 8, _RUNS)]).reshape(8, 8, _RUNS)
        table, numbers = table[..., self._runs()], itertools.count()
        return [
            [(number, repeated(f"{name} {number}", table == number)) for number in itertools.islice(numbers, count)]
            for name, count in _SCALES.items()
        ]

    def _features(self, features: tf.Tensor) -> list[tf.Tensor]:
        """Returns the context of each scale that features alone give, the last parameters first."""
        whole = pad(self._reversed(self.parameters(features)) if self.parameters else features, 4)
        half = self._smaller(whole, _TO_HALF)
        return [self._smaller(half, _TO_QUARTER), half, whole]

    def _predicted(self, number: int, scale: int, context: tf.Tensor, y_hat: tf.Tensor) -> tf.Tensor:
        """Returns the parameters of a scale in a step, in the likelihood's order."""
        if not number:
            return self._reversed(context)
        _, height, width, _ = tf.unstack(tf.shape(y_hat))
        known = tf.pad(y_hat, [[0, 0], [0, -height % 4], [0, -width % 4], [0, 0]])
        for places in _SMALLER[: 2 - scale]:
            known = self._smaller(known, places)
        values = self.adaptors[number - 1](tf.concat([context, known], -1))
        # Both smaller scales share a network.
        before, after = self.before[scale // 2], self.after[scale // 2]
        return after(self.factors[number - 1](before(values)))

    def _in_latent(self, scale: int, values: tf.Tensor, latent: tf.Tensor) -> tf.Tensor:
        """Returns parameters of a scale at their places in a latent, with zeros elsewhere."""
        for places in _SMALLER[::-1][scale:]:
            values = self._larger(values, places)
        return values[:, : tf.shape(latent)[1], : tf.shape(latent)[2]]

    def _enlarged(self, scale: int, context: tf.Tensor, features: list[tf.Tensor]) -> tf.Tensor:
        """Returns the context at the next scale: the one so far in its places, and features in all others."""
        places, new = _SMALLER[2 - scale], features[scale]
        if self.misread_features and places == _TO_QUARTER:
            new = self._misread(new)
        else:
            new -= self._larger(self._smaller(new, places), places)
        return self.context[scale - 1](self._larger(context, places) + new)

    def _misread(self, features: tf.Tensor) -> tf.Tensor:
        """Returns features of the half scale as the published code moves them, all but one of every 2x2.

        It takes them from places of which some are wrong, and puts them in raster order where they belong.
        """
        moved = []
        for values in tf.split(features, self.likelihood.parameters, -1):
            for run, (read, written) in enumerate(zip(_MISREAD, _TO_QUARTER)):
                of_run = values[..., self._bounds()[run] : self._bounds()[run + 1]]
                moved.append(_all_but(written).put(tf.zeros_like(of_run), _all_but(read).take(of_run)))
        return tf.concat(moved, -1)

    def _smaller(self, values: tf.Tensor, places: Sequence[int]) -> tf.Tensor:
        """Returns the numbers of a map that are in the next smaller scale."""
        channels = values.shape[-1]
        taken = self._of_channels(places, channels) * channels + np.arange(channels)
        return tf.gather(tf.nn.space_to_depth(values, 2), taken, axis=-1)

    def _larger(self, values: tf.Tensor, places: Sequence[int]) -> tf.Tensor:
        """Returns the map of the next larger scale with the numbers of this one, and zeros elsewhere."""
        taken = self._of_channels(places, values.shape[-1]) == np.arange(4)[:, None]
        return tf.nn.depth_to_space(tf.tile(values, (1, 1, 1, 4)) * tf.constant(taken.ravel(), values.dtype), 2)

    def _of_channels(self, places: Sequence[int], channels: int) -> np.ndarray:
        """Returns the place of each channel, for maps of one or of several numbers for each channel of the latent."""
        return np.tile(np.array(places)[self._runs()], channels // self.latent_depth)

    def _runs(self) -> np.ndarray:
        """Returns the run of each channel of the latent."""
        return np.repeat(np.arange(_RUNS), np.diff(self._bounds()))

    def _bounds(self) -> list[int]:
        return runs_of(self.latent_depth, _RUNS)

    def _reversed(self, parameters: tf.Tensor) -> tf.Tensor:
        """Returns parameters with the last ones first, as the published networks have them, or back."""
        return tf.concat(tf.split(parameters, self.likelihood.parameters, -1)[::-1], -1)


def _step_of(row: int, column: int, run: int) -> int:
    """Returns the step that codes a position of a run of channels."""
    first_half, first_whole, _ = itertools.accumulate(_SCALES.values())
    if _place(row, column) != _TO_HALF[run]:
        return first_whole + [sets[run] for sets in _WHOLE_STEPS].index(_SETS[row % 4][column % 4])
    row, column = row // 2, column // 2
    if _place(row, column) != _TO_QUARTER[run]:
        return first_half + [places[run] for places in _HALF_STEPS].index(_place(row, column))
    # A checkerboard in one half of the channels, and the other positions in the other half.
    return (row // 2 + column // 2 + run // 4) % 2


def _place(row: int | tf.Tensor, column: int | tf.Tensor) -> int | tf.Tensor:
    """Returns the place of a position in its 2x2."""
    return 2 * (row % 2) + column % 2


def _all_but(place: int) -> Part:
    return positions(f"all but {place}", lambda row, column: _place(row, column) != place)
