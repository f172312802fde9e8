"""Random weights in the form of CompressAI's state dicts, by numpy alone: the same where fixtures are made and read.

They spread as those of trained models do: deviations of latents, scales and densities differ from channel to channel by
a factor of hundreds, means and medians are off zero, and the decoded image has contrast.
"""

import itertools

import numpy as np

_PEDESTAL = 2.0**-36


class Weights:
    """The tensors of one model by CompressAI 1.2.8's names.

    Args:
      name: CompressAI's name of the model.
      width: What CompressAI calls N.
      depth: What it calls M.
      seed: Seed of all numbers.
    """

    def __init__(self, name: str, width: int, depth: int, seed: int):
        self._random, self.tensors = np.random.RandomState(seed), {}
        self._deviation = np.exp(self._random.uniform(np.log(0.05), np.log(12), depth))
        self._mean = 0.3 * self._deviation * self._random.normal(size=depth)
        self._add_transform(width, depth)
        if name == "bmshj2018-factorized":
            self._add_prior(self._deviation, self._mean)
        else:
            self._add_hyper(width, depth, with_means=name == "mbt2018-mean")

    def _add_transform(self, width: int, depth: int) -> None:
        gains = (2.0, 1.5, 1.5)
        for number, (inputs, gain) in enumerate(zip((3, width, width), gains)):
            self._convolution(f"g_a.{2 * number}", inputs, width, gain)
            self._gdn(f"g_a.{2 * number + 1}", width)
        self._convolution("g_a.6", width, depth, self._deviation, bias=self._mean)
        for number, inputs in enumerate((depth, width, width)):
            divided = 1 / self._deviation if number == 0 else 1.0
            self._up(f"g_s.{2 * number}", inputs, width, 0.7, divided)
            self._gdn(f"g_s.{2 * number + 1}", width)
        self._up("g_s.6", width, 3, 0.3, bias=np.full(3, 0.5))

    def _add_hyper(self, width: int, depth: int, with_means: bool) -> None:
        side_deviation = np.exp(self._random.uniform(np.log(0.5), np.log(8), width))
        side_mean = side_deviation * self._random.normal(size=width)
        self._convolution("h_a.0", depth, width, 1.4, size=3, divided=1 / self._deviation)
        self._convolution("h_a.2", width, width, 1.4)
        self._convolution("h_a.4", width, width, 1.4 * side_deviation, bias=side_mean)
        self._add_prior(side_deviation, side_mean)
        inner = (depth, depth * 3 // 2) if with_means else (width, width)
        self._up("h_s.0", width, inner[0], 1.0, 1 / side_deviation)
        self._up("h_s.2", inner[0], inner[1], 1.4)
        # Some scales are far larger than the deviations, up to the end of the table, and some far smaller.
        scales = self._deviation * self._random.choice([16, 1.2, 0.1], depth, p=[0.1, 0.89, 0.01])
        if with_means:
            gain = np.concatenate([0.3 * scales, 0.5 * self._deviation])
            self._convolution("h_s.4", inner[1], 2 * depth, gain, np.concatenate([scales, self._mean]), size=3)
        else:
            self._convolution("h_s.4", inner[1], depth, 0.3 * scales, scales, size=3)

    def _add_prior(self, deviation: np.ndarray, mean: np.ndarray) -> None:
        """Densities about these means and as wide as these deviations, but for some noise."""
        channels, widths = len(deviation), (1, 3, 3, 3, 3, 1)
        slope = 1.7 / (deviation + 0.3)
        for number, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            factor = np.exp(0.2 * self._random.normal(size=(channels, outputs, inputs)))
            matrix = factor * (slope[:, None, None] if number == 0 else 1 / 3)
            self._set(f"entropy_bottleneck.matrices.{number}", np.log(np.expm1(matrix)))
            bias = 0.1 * self._random.normal(size=(channels, outputs, 1))
            if number == 0:
                bias -= (slope * mean)[:, None, None]
            self._set(f"entropy_bottleneck.biases.{number}", bias)
            if number < 4:
                factors = 0.3 * self._random.normal(size=(channels, outputs, 1))
                self._set(f"entropy_bottleneck.factors.{number}", factors)
        median = mean + 0.3 * deviation * self._random.normal(size=channels)
        reach = 10 * deviation + 5
        self._set("entropy_bottleneck.quantiles", np.stack([median - reach, median, median + reach], -1)[:, None])

    def _convolution(
        self,
        key: str,
        inputs: int,
        outputs: int,
        gain: np.ndarray | float,
        bias: np.ndarray | None = None,
        size: int = 5,
        divided: np.ndarray | float = 1.0,
    ) -> None:
        """Returns a correlation that gives about `gain` where inputs times `divided` are about one."""
        kernel = self._random.normal(0, (inputs * size * size) ** -0.5, (outputs, inputs, size, size))
        kernel *= np.broadcast_to(gain, [outputs])[:, None, None, None]
        kernel *= np.broadcast_to(divided, [inputs])[:, None, None]
        self._set(f"{key}.weight", kernel)
        self._set(f"{key}.bias", 0.1 * self._random.normal(size=outputs) if bias is None else bias)

    def _up(
        self,
        key: str,
        inputs: int,
        outputs: int,
        gain: float,
        divided: np.ndarray | float = 1.0,
        bias: np.ndarray | None = None,
    ) -> None:
        """Returns a transposed convolution, likewise; each output sees a quarter of the taps."""
        kernel = self._random.normal(0, gain * (inputs * 25 / 4) ** -0.5, (inputs, outputs, 5, 5))
        self._set(f"{key}.weight", kernel * np.broadcast_to(divided, [inputs])[:, None, None, None])
        self._set(f"{key}.bias", 0.1 * self._random.normal(size=outputs) if bias is None else bias)

    def _gdn(self, key: str, width: int) -> None:
        gamma = 0.1 * np.eye(width) + self._random.uniform(0, 0.5 / width, (width, width))
        self._set(f"{key}.beta", np.sqrt(self._random.uniform(0.5, 1.5, width) + _PEDESTAL))
        self._set(f"{key}.gamma", np.sqrt(gamma + _PEDESTAL))

    def _set(self, key: str, array: np.ndarray) -> None:
        self.tensors[key] = array.astype(np.float32)


def random_image(height: int, width: int, seed: int) -> np.ndarray:
    """Returns a smooth random image, uint8 [height, width, 3]."""
    random = np.random.RandomState(seed)
    coarse = random.uniform(0, 255, (-(-height // 16), -(-width // 16), 3))
    fine = np.repeat(np.repeat(coarse, 16, 0), 16, 1)[:height, :width]
    return np.clip(fine + random.normal(0, 12, fine.shape), 0, 255).astype(np.uint8)
