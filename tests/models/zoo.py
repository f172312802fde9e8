"""Systems that other code computed: their weights are drawn by a rule for each tensor, and their numbers are in files.

`tests/data/zoo` has for each system the list of its tensors with their rules, the input, the decoded image, and the
numbers that the authors' code computes with these weights.
"""

import gzip
import json
import zlib

import numpy as np
from PIL import Image

from lic.entropy import Recorder
from lic.entropy.coders.base import LatentCoder
from lic.environment import tf
from tests.conftest import DATA

FOLDER = DATA / "zoo"


def weights(name):
    """Returns the tensors of a system by their names in its state dict."""
    with gzip.open(FOLDER / f"{name}.variables.json.gz", "rt") as file:
        recipe = json.load(file)
    drawn = {}
    for tensor in recipe["tensors"]:
        kind, *numbers = tensor["rule"]
        if kind not in ("table", "same"):
            random = np.random.RandomState(zlib.crc32(f"{recipe['seed']}/{tensor['name']}".encode()))
            values = _RULES[kind](random, tuple(tensor["shape"]), *numbers)
            drawn[tensor["name"]] = np.asarray(values, tensor["dtype"]).reshape(tensor["shape"])
    return drawn


def expected(name):
    """Returns the numbers of a system, its input and its decoded image."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        numbers = dict(arrays)
    height, width, _ = (16 * size for size in numbers["symbols"].shape)
    names = f"x-{width}x{height}", f"{name}.decoded"
    return numbers, *(np.asarray(Image.open(FOLDER / f"{each}.png")) for each in names)


class Forced(LatentCoder):
    """Restores given symbols, as a decoder does, so that no rounding is in what a walk computes.

    Args:
      symbols: The symbols of the latent [1, height, width, depth].
      side: Those of the side information, likewise.
    """

    def _code(self, latent, part, distribution):
        return distribution.restore(part.take(latent.values))

    def _code_centred(self, name, centred, distribution):
        raise NotImplementedError


def forced(entropy, symbols, side_symbols):
    """Returns y_hat, the recorder of a walk over forced symbols, the bits of its parts, and means and scales."""
    symbols = tf.constant(symbols[None], tf.float32)
    recorder = Recorder(Forced(symbols, tf.constant(side_symbols[None], tf.float32)))
    y_hat = entropy.walk(recorder)
    means, scales, bits = tf.zeros_like(symbols), tf.zeros_like(symbols), []
    for record in recorder.records:
        part, distribution = record.part, record.distribution
        means = part.put(means, tf.zeros_like(record.values) + distribution.offset)
        scales = part.put(scales, distribution.scale)
        of_part = tf.minimum(distribution.bits(part.take(symbols)), -np.log2(entropy.likelihood_bound))
        bits.append(of_part.numpy().sum(dtype=np.float64))
    return y_hat[0].numpy(), recorder, bits, means[0].numpy(), scales[0].numpy()


def _halves(random, shape, mean, deviation, other_mean, other_deviation):
    values, half = random.standard_normal(shape), shape[0] // 2
    return np.concatenate([mean + deviation * values[:half], other_mean + other_deviation * values[half:]])


def _centred(random, shape, deviation):
    values = deviation * random.standard_normal(shape)
    return values - values.mean(axis=tuple(range(1, len(shape))), keepdims=True)


def _eye(random, shape, diagonal, mean, deviation):
    values = mean + deviation * np.abs(random.standard_normal(shape))
    values[np.diag_indices(shape[0])] = diagonal * (1 + 0.1 * random.standard_normal(shape[0]))
    return values


def _quantiles(random, shape, reach, deviation):
    medians = deviation * random.standard_normal(shape[0])
    reaches = reach * (1 + 0.1 * np.abs(random.standard_normal((shape[0], 2))))
    return np.stack([medians - reaches[:, 0], medians, medians + reaches[:, 1]], -1)


def _checkerboard(random, shape):
    rows, columns = np.indices(shape[2:])
    return np.broadcast_to((rows + columns) % 2 == 1, shape)


def _causal(random, shape):
    before = np.arange(shape[2] * shape[3]) < shape[2] * shape[3] // 2
    return np.broadcast_to(before.reshape(shape[2:]), shape)


_RULES = {
    "normal": lambda random, shape, mean, deviation: mean + deviation * random.standard_normal(shape),
    "centred": _centred,
    "halves": _halves,
    "eye": _eye,
    "uniform": lambda random, shape, low, high: low + (high - low) * random.random_sample(shape),
    "quantiles": _quantiles,
    "constant": lambda random, shape, value: np.full(shape, value),
    "position_index": lambda random, shape, *window: np.zeros(shape),
    "mask_raster": _causal,
    "mask_checkerboard": _checkerboard,
}
