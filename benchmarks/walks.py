"""The three walks of an entropy model as graphs, and latents for them. This file imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from tasks import Task

from lic import CompressionModel
from lic.entropy import Coder, Decode, Distribution, Encode, Estimate, FactorizedPrior, Part, Recorder
from lic.entropy.coders import Encoded
from lic.entropy.distributions.normal_mixture import NormalMixtureDistribution
from lic.entropy.range_coding.cdf_tables import Cdfs
from lic.environment import tf
from lic.layers.tracing import snapshot_weights
from lic.weights import value_of

# Share of a latent's numbers -> their largest standard deviation by the first edition of `default`, on the photograph
# that ships. Between these shares its logarithm is interpolated linearly.
DEVIATIONS = {0.6: 0.11, 0.7: 0.16, 0.8: 0.23, 0.85: 0.29, 0.9: 0.43, 0.95: 0.7, 0.98: 1.5, 1.0: 52.0}
DAMPING = 0.1  # The weight of the parameters that fresh networks give, which are added to the drawn ones.
LOGISTIC = math.pi / math.sqrt(3)  # Standard deviation of the logistic distribution of slope one.
Wrap = Callable[[Coder], Coder]


class Walks:
    """The walks of a model's entropy model, each traced once for all sizes, as in a codec.

    Args:
      model: The model.
      within: Wraps the coder of a walk.
    """

    def __init__(self, model: CompressionModel, within: Wrap):
        self._entropy, self._within, self._derived = model.entropy, within, {}
        self.tables = model.entropy.make_tables()
        latent, string = tf.TensorSpec((1, None, None, model.transform.depth)), tf.TensorSpec((), tf.string)
        self.estimate = tf.function(self._estimate, [latent], autograph=False)
        self.encode = tf.function(self._encode, [latent], autograph=False)
        self.decode = tf.function(self._decode, [string, latent], autograph=False)

    def _estimate(self, latent: tf.Tensor) -> tf.Tensor:
        """Returns the bits of a latent."""
        self._walk(coder := Estimate(latent))
        return tf.add_n(list(coder.bits.values()))[0]

    def _encode(self, latent: tf.Tensor) -> Encoded:
        """Encodes a latent."""
        self._walk(coder := Encode(latent, self.tables))
        return coder.finish()

    def _decode(self, string: tf.Tensor, zeros: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, Cdfs]:
        """Returns y_hat, the symbols, and the cdfs of all values."""
        coder = Decode(string, zeros, self.tables)
        return self._walk(coder), *coder.finish()

    def _walk(self, coder: Coder) -> tf.Tensor:
        with snapshot_weights(self._derived):
            return self._entropy.walk(self._within(coder))


def drawn(model: CompressionModel, task: Task) -> tuple[tf.Tensor, Wrap]:
    """Returns a random latent whose scales spread as a trained model's, and a wrapper for walks under these scales."""
    entropy, depth = model.entropy, model.transform.depth
    random = np.random.default_rng(0)
    deviations = random.permutation(deviations_of(depth))
    rows, columns = (-(-size // model.transform.downscale) for size in (task.height, task.width))
    latent = random.normal(0, deviations, (1, rows, columns, depth)).astype(np.float32)
    if entropy.prior is not None:
        under_prior = latent if entropy.hyper is None else np.asarray(entropy.hyper.analysis(latent))
        narrow(entropy.prior, under_prior.std((0, 1, 2)))
    if entropy.likelihood is None:
        return tf.constant(latent), lambda coder: coder
    starts = entropy.likelihood.start(deviations).reshape(entropy.likelihood.parameters, depth)

    def spread(coder: Coder) -> Recorder:
        # The parameters of fresh networks still count a little, so that TensorFlow removes no network from the graph.
        wanted = tf.concat([coder.zeros + start for start in starts], -1)

        def replace(part: Part, distribution: Distribution) -> Distribution:
            likelihood, names = distribution.likelihood, ("offset", "index")
            started = likelihood.at(part, wanted)
            if isinstance(started, NormalMixtureDistribution):
                names = ("logits", "means", "index")
            moved = [getattr(started, name) + DAMPING * getattr(distribution, name) for name in names]
            return NormalMixtureDistribution(likelihood, *moved) if len(moved) > 2 else likelihood.of(*moved)

        return Recorder(coder, replace)

    return tf.constant(latent), spread


def deviations_of(depth: int) -> np.ndarray:
    """Returns rising standard deviations [depth] by `DEVIATIONS`."""
    shares = (np.arange(depth) + 0.5) / depth
    return np.exp(np.interp(shares, list(DEVIATIONS), np.log(list(DEVIATIONS.values()))))


def narrow(prior: FactorizedPrior, deviations: np.ndarray) -> None:
    """Gives the density of each channel of a fresh prior about its standard deviation in `deviations` [channels]."""
    deviations = np.maximum(deviations, min(DEVIATIONS.values()))
    matrix = prior.matrices[0]  # A fresh network is linear, so its slope is the product of its layers' slopes.
    slope = np.logaddexp(0, value_of(matrix)) * prior.init_scale * LOGISTIC / deviations[:, None, None]
    matrix.assign(slope + np.log(-np.expm1(-slope)))


def analysed(model: CompressionModel, task: Task) -> tuple[tf.Tensor, Wrap]:
    """Returns the latent of the task's image, and the wrapper of coders at the model's middle quality."""
    quality = model.rate.qualities(1)
    latent = model.rate.apply_gain(model.analyse(tf.cast(task.pixels()[:1], "float32")), quality)
    return latent, lambda coder: model.rate.coder(coder, model.rate.gains_at(quality))
