"""The three walks of an entropy model, each as one call, and coders that look at what a walk does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.entropy.base import EntropyModel
from lic.entropy.coders.coder import Decode, Encode, Estimate
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.parts import Part
from lic.environment import tf
from lic.transforms.base import HyperTransform


class Walked(NamedTuple):
    """What one walk gave.

    Attributes:
      y_hat: What the walk returned.
      z_hat: The quantised side information, or None.
      symbols: The coded symbols, or None where it estimated.
      string: The coded string, or None where it did not encode.
    """

    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    symbols: tf.Tensor | None = None
    string: tf.Tensor | None = None


class Walks:
    """The walks of an entropy model with the weights and tables that it has now.

    Args:
      entropy: An entropy model that has its variables.
    """

    def __init__(self, entropy: EntropyModel):
        self.entropy, self.tables = entropy, entropy.make_tables()
        depth = entropy.latent_depth
        latent = tf.TensorSpec((1, None, None, depth))
        self.traced_encode = tf.function(self.encode, [latent], autograph=False)
        self.traced_decode = tf.function(self.decode, [tf.TensorSpec((), tf.string), latent], autograph=False)
        self.traced_estimate = tf.function(self.estimate, [latent], autograph=False)

    def estimate(self, latent: tf.Tensor) -> Walked:
        """Estimates a latent [1, height, width, depth]."""
        coder = Estimate(latent, self.entropy.scales)
        return Walked(self.entropy.walk(coder), coder.z_hat)

    def encode(self, latent: tf.Tensor) -> Walked:
        """Encodes a latent [1, height, width, depth]."""
        coder = Encode(latent, self.tables, self.entropy.priors)
        y_hat = self.entropy.walk(coder)
        coded = coder.finish()
        return Walked(y_hat, coder.z_hat, coded.symbols, coded.string)

    def decode(self, string: tf.Tensor, zeros: tf.Tensor) -> Walked:
        """Decodes a string into a latent of the shape of `zeros`."""
        coder = Decode(string, zeros, self.tables, self.entropy.priors)
        y_hat = self.entropy.walk(coder)
        return Walked(y_hat, coder.z_hat, coder.finish()[0])

    def drawn(self, height: int, width: int, seed: int = 0) -> tf.Tensor:
        """Returns a latent [1, height, width, depth] drawn from the model's own distributions, part after part."""
        coder = _Draw(tf.zeros((1, height, width, self.entropy.latent_depth)), self.entropy, seed)
        self.entropy.walk(coder)
        return coder.latent

    def observed(self, latent: tf.Tensor, changed: tf.Tensor | None = None) -> Observed:
        """Estimates a latent with a coder that keeps what it is told.

        Args:
          latent: A latent [1, height, width, depth].
          changed: The latent that takes its place once side information is coded.
        """
        coder = Observed(latent, self.entropy, changed)
        self.entropy.walk(coder)
        return coder


class Observed(Estimate):
    """Estimates, and keeps which parts it is given under which parameters.

    Attributes:
      parts: The parts in order.
      parameters: Mean and scale index of each part, or None for one under a learnt prior.
    """

    def __init__(self, latent: tf.Tensor, entropy: EntropyModel, changed: tf.Tensor | None = None):
        super().__init__(latent, entropy.scales)
        self.parts, self.parameters, self._changed = [], [], changed
        if entropy.hyper is None:
            self._change()

    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        features = super().side(hyper, prior)
        self._change()
        return features

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        self.parts.append(part)
        self.parameters.append((np.array(mean), np.array(index)))
        return super().normal(part, mean, index)

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        self.parts.append(part)
        self.parameters.append(None)
        return super().learnt(part, prior)

    def _change(self) -> None:
        self.latent = self.latent if self._changed is None else self._changed


class _Draw(Estimate):
    """Draws each part from the distribution that it is coded under, and goes on with what it drew."""

    def __init__(self, latent: tf.Tensor, entropy: EntropyModel, seed: int):
        super().__init__(latent, entropy.scales)
        self._random = np.random.default_rng(seed)

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        deviation = self.scales.deviation(tf.cast(self.scales.row(index), "float32"))
        noise = self._random.normal(size=mean.shape).astype(np.float32)
        self.latent = part.put(self.latent, mean + noise * deviation)
        return super().normal(part, mean, index)
