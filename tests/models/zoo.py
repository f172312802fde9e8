"""Systems that other code computed: their weights are drawn by a rule for each tensor, and their numbers are in files.

`tests/data/zoo` has for each system the list of its tensors with their rules, the input, the decoded image, and the
numbers that the authors' code computes with these weights.
"""

import gzip
import json
import zlib

import numpy as np
import pytest
import scipy.special
from PIL import Image

from lic.entropy import GeneralizedNormal, Recorder
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
      sides: Those of the side information, by its hyper transform.
    """

    def _code(self, latent, part, distribution):
        return distribution.restore(part.take(latent.values))

    def _code_centred(self, name, centred, distribution):
        raise NotImplementedError


def forced(entropy, symbols, side_symbols):
    """Returns the results of a walk over forced symbols.

    These are y_hat, the recorder, the bits of each part, means and scales, and the bits of the side information.
    """
    symbols, side_symbols = (tf.constant(each[None], tf.float32) for each in (symbols, side_symbols))
    recorder = Recorder(Forced(symbols, {entropy.hyper: side_symbols}))
    y_hat = entropy.walk(recorder)
    means, scales, bits = tf.zeros_like(symbols), tf.zeros_like(symbols), []
    for record in recorder.records:
        part, distribution = record.part, record.distribution
        means = part.put(means, tf.zeros_like(record.values) + distribution.offset)
        scales = part.put(scales, distribution.scale)
        bits.append(_bits(distribution, part.take(symbols), entropy.likelihood_bound))
    (side,) = recorder.further
    side_bits = _bits(side.distribution, side_symbols, entropy.likelihood_bound)
    return y_hat[0].numpy(), recorder, bits, means[0].numpy(), scales[0].numpy(), side_bits


def _bits(distribution, symbols, bound):
    """Returns the bits of symbols as the authors' code computes them."""
    bits = tf.minimum(distribution.bits(symbols), -np.log2(bound)).numpy().sum(dtype=np.float64)
    if not isinstance(distribution.likelihood, GeneralizedNormal):
        return bits
    # Of a generalized normal the code subtracts two float32 near one, which changes the bits by up to 0.2 %. So ours
    # are compared with float64, and the authors' with this formula.
    symbols, scales = (np.asarray(each, np.float32) for each in (symbols, distribution.scale))
    exact = _of_steps(-np.abs(symbols), scales, np.float64)
    assert bits == pytest.approx(-np.log2(np.maximum(exact, bound)).sum(), rel=1e-5)
    theirs = _of_steps(symbols, scales, np.float32)
    return -np.log2(np.maximum(theirs, bound), dtype=np.float64).sum()


def _of_steps(symbols, scales, dtype):
    """Returns probabilities of generalized normals of shape 1.5, whose distribution functions have a type."""
    lower, upper = (((symbols + half) / scales).astype(np.float64) for half in np.float32([-0.5, 0.5]))
    if dtype == np.float64:  # Where nothing cancels, below the mean.
        below = [scipy.special.gammaincc(2 / 3, np.abs(each) ** 1.5) / 2 for each in (lower, upper)]
        return np.where(upper > 0, 1 - below[1], below[1]) - below[0]
    shares = [np.sign(each) * scipy.special.gammainc(2 / 3, np.abs(each) ** 1.5) for each in (lower, upper)]
    lower, upper = ((1 + share.astype(dtype)) / 2 for share in shares)
    return upper - lower


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
