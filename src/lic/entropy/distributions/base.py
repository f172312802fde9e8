"""Distributions, under which a coder codes, and likelihoods, which make them from the results of networks."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lic import registry
from lic.config import Configured
from lic.entropy.range_coding.cdf_tables import Pmf
from lic.environment import keras, tf
from lic.errors import LicError

if TYPE_CHECKING:
    from lic.entropy.parts import Part


class ChannelGains(NamedTuple):
    """The gains of a latent's channels at the qualities of a batch.

    Attributes:
      gain: The number that each channel is multiplied by before it is coded, [batch, 1, 1, depth] or, where the quality
        varies over the image, [batch, rows, columns, depth]; for a part, likewise below, in the shape of its numbers or
        broadcastable to it.
      scale: The number that each channel's scales are multiplied by: gain times scale factor.
      log_scale: Its logarithm.
      output_gain: The number that each channel is multiplied by before the synthesis.
    """

    gain: tf.Tensor
    scale: tf.Tensor
    log_scale: tf.Tensor
    output_gain: tf.Tensor

    def apply(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers multiplied by the gain."""
        return values * self.gain

    def remove(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers divided by the gain."""
        return values / self.gain


class Distribution(abc.ABC):
    """The distributions of the numbers of one part, one for each number.

    A number is rounded to whole steps from its offset. A symbol is the number of these steps.

    Attributes:
      offset: The origin of rounding, such as the means; in the shape of the part or broadcastable to it.
      likelihood: The likelihood whose probabilities the coder's tables hold; None if they hold the distribution's own,
        such as those of a prior.
      mixture_size: Zero, since only likelihoods make mixtures.
      kept: Whether each number is coded, a tensor of bool; None if all are. The others stand at their offset.
    """

    offset: tf.Tensor | float
    likelihood: Likelihood | None = None
    mixture_size: int = 0
    kept: tf.Tensor | None = None

    @property
    @abc.abstractmethod
    def shape(self) -> tf.TensorShape:
        """The shape of the numbers as far as the distributions know it; None for an axis that may have any length."""

    @abc.abstractmethod
    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        """Returns the bits of each number, for steps of one, in log space throughout.

        Args:
          centred: The numbers as differences from the offset, in any form: rounded, or with noise.
        """

    def bits_between_integers(self, centred: tf.Tensor) -> tf.Tensor:
        """Returns the bits of each number, which lie on straight lines between those of whole numbers.

        A straight line is the mean of the bits of the two integers next to a number that is drawn from them.

        Args:
          centred: The numbers as differences from the offset.
        """
        below = tf.stop_gradient(tf.floor(centred))
        share = centred - below
        return (1 - share) * self.bits(below) + share * self.bits(below + 1)

    @abc.abstractmethod
    def pmf_index(self) -> tf.Tensor:
        """Returns for each number the index of its pmf, int32.

        It counts in `likelihood.pmfs()`, or in the distribution's own `pmfs()` if no likelihood made it.
        """

    def mixtures(self) -> tf.Tensor:
        """Returns the mixture of each number in whole numbers [..., size], int32, for likelihoods that make mixtures.

        `lic.entropy.range_coding.fixed_point` describes them.
        """
        raise LicError(f"{type(self).__name__} is no mixture, so the coder's tables need to hold its cdfs.")

    def coded_by(self) -> tf.Tensor:
        """Returns all that the coder knows of the distributions, in whole numbers: mixtures, or the indexes of pmfs."""
        mixture = self.likelihood is not None and self.likelihood.mixture_size
        return self.mixtures() if mixture else self.pmf_index()

    @property
    def scale(self) -> tf.Tensor | None:
        """The scale of each number, or None for distributions that have none."""
        return None

    def centre(self, values: tf.Tensor) -> tf.Tensor:
        """Returns numbers of the part as differences from the offset."""
        return values - self.offset

    def restore(self, centred: tf.Tensor) -> tf.Tensor:
        """Returns the numbers of the part whose differences from the offset are given."""
        return centred + self.offset

    def in_part(self, part: Part, zeros: tf.Tensor) -> Distribution:
        """Returns the distribution with all that it keeps for each channel in the shape of a part's numbers.

        A coder calls it before anything else. Only the part knows which channels its numbers are of.

        Args:
          part: The part that is coded under it.
          zeros: A latent of zeros [batch, height, width, depth].
        """
        return self

    def as_coded(self) -> Distribution:
        """Returns the distribution that the coder's tables hold, such as that of a rounded scale index."""
        return self

    def under_gain(self, gains: ChannelGains) -> Distribution:
        """Returns the distribution of the same numbers in a latent that gains have multiplied (variable rate).

        Args:
          gains: The gains of the part, each in the shape of its numbers or broadcastable to it.

        Raises:
          LicError: The distribution does not define this.
        """
        raise LicError(
            f"{type(self).__name__} does not define the distribution of a latent that gains have multiplied, so it "
            f"works in models of one rate only. Write {type(self).__name__}.under_gain, or give one number as lmbda."
        )

    def scale_is_at_least(self, limit: float) -> tf.Tensor:
        """Returns whether the scale that each number is coded with is at least a limit, as a tensor of bool.

        Args:
          limit: The limit.

        Raises:
          LicError: The distribution has no scales.
        """
        raise LicError(
            f"{type(self).__name__} has no scales, so no numbers can be skipped for a small one. Give skip_below=None, "
            f"or a model whose likelihood has a table of scales, such as lic.entropy.Normal."
        )

    def training_loss(self) -> tf.Tensor | None:
        """Returns a number that is zero but has gradients for weights that the bits do not train, or None.

        Training adds it to the bits.
        """
        return None


class Likelihood(Configured, abc.ABC):
    """Base of likelihoods. A likelihood makes distributions from the parameters that networks give.

    Two likelihoods of one class with the same arguments are equal, and share a part of the coder's tables. A likelihood
    that learns derives from `keras.layers.Layer` too; it has weights of its own, and equals itself only.

    Attributes:
      parameters: Number of parameters for each number of the latent.
      channels: Number of channels of the latent that it has weights for; None if it takes any.
      mixture_size: The number of whole numbers by which the coder knows a mixture; 0 if tables hold the cdfs.
      families: The likelihoods whose pmfs it has, one after the other, so that their tables are made once; or none.
    """

    registry = registry.likelihoods
    parameters: int
    channels: int | None = None
    mixture_size: int = 0
    families: tuple[Likelihood, ...] = ()

    @abc.abstractmethod
    def __call__(self, parameters: tf.Tensor) -> Distribution:
        """Returns the distribution of a part.

        Args:
          parameters: The parameters [batch, height, width, parameters x channels]; the first parameters of all
            channels come first, then the second ones.
        """

    def at(self, part: Part, parameters: tf.Tensor) -> Distribution:
        """Returns the distribution of a part, from the parameters of the whole latent.

        Args:
          part: The part.
          parameters: The parameters [batch, height, width, parameters x depth].
        """
        return self(tf.concat([part.take(each) for each in tf.split(parameters, self.parameters, -1)], -1))

    @abc.abstractmethod
    def pmfs(self) -> Iterable[Pmf]:
        """Returns the probabilities from which the coder's tables are made, in float64, as `pmf_index` counts them."""

    @property
    @abc.abstractmethod
    def num_pmfs(self) -> int:
        """The number of the pmfs."""

    @abc.abstractmethod
    def start(self, deviations: np.ndarray) -> np.ndarray:
        """Returns the parameters [parameters x channels] that the biases of networks start from.

        Args:
          deviations: The standard deviation [channels] of the numbers of each channel, about zero.
        """

    def __init_subclass__(cls, **kwargs: object):
        super().__init_subclass__(**kwargs)
        if issubclass(cls, keras.layers.Layer):
            cls.__eq__, cls.__hash__ = object.__eq__, object.__hash__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.configuration() == other.configuration()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.configuration())))

    def __reduce__(self) -> tuple:
        """Copies and pickles by the configuration, from which an equal likelihood is made, and by the weights."""
        weights = self.get_weights() if isinstance(self, keras.layers.Layer) else []
        return _remade, (type(self), self.configuration(), weights)


def _remade(maker: type[Likelihood], configuration: dict[str, Any], weights: list[np.ndarray]) -> Likelihood:
    likelihood = maker.from_configuration(configuration)
    if weights:
        likelihood.set_weights(weights)
    return likelihood
