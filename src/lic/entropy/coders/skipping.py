"""The coder that skips numbers of small scales: they are not coded, and stand at their means."""

from __future__ import annotations

from collections.abc import Callable

from lic.entropy.coders.base import Coder, CoderAround, Latent
from lic.entropy.distributions.base import Distribution
from lic.entropy.parts import Part
from lic.environment import tf


def skipping(coder: Coder, skip_below: float | None) -> Coder:
    """Returns a coder around another that skips numbers whose scale is below a limit, or the other if it is None.

    Args:
      coder: The coder of the numbers that are left.
      skip_below: The limit. A scale is the one of the table that a number is coded with, under its gain.
    """
    return coder if skip_below is None else SkippingCoder(coder, skip_below)


class SkippingCoder(CoderAround):
    """Passes parts, except those of further latents, to another coder under distributions that skip numbers."""

    def __init__(self, coder: Coder, skip_below: float):
        super().__init__(coder)
        self._skip_below = skip_below

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        if not latent.is_further:
            distribution = SkippingDistribution(distribution, self._skip_below)
        return super()._code(latent, part, distribution)

    def _looped(self, latent: Latent, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        def skipped() -> Distribution:
            made = distribution()
            return made if latent.is_further else SkippingDistribution(made, self._skip_below)

        super()._looped(latent, whole, skipped, values)


class SkippingDistribution(Distribution):
    """Numbers under another distribution, of which those of small scales are skipped.

    A skipped number is zero steps from its offset, and takes no bits.

    Args:
      distribution: The other distribution.
      skip_below: Numbers of smaller scales are skipped.

    Raises:
      LicError: The distribution has no scales.
    """

    def __init__(self, distribution: Distribution, skip_below: float):
        self._distribution, self._skip_below = distribution, skip_below
        self.offset, self.likelihood = distribution.offset, distribution.likelihood
        self.kept = distribution.scale_is_at_least(skip_below)

    @property
    def shape(self) -> tf.TensorShape:
        return self._distribution.shape

    @property
    def scale(self) -> tf.Tensor | None:
        return self._distribution.scale

    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        return tf.where(self.kept, self._distribution.bits(centred), 0.0)

    def bits_between_integers(self, centred: tf.Tensor) -> tf.Tensor:
        return tf.where(self.kept, self._distribution.bits_between_integers(centred), 0.0)

    def pmf_index(self) -> tf.Tensor:
        return self._distribution.pmf_index()

    def centre(self, values: tf.Tensor) -> tf.Tensor:
        # Skipped numbers are multiplied by zero, so that a coder still finds those that are not finite.
        return self._distribution.centre(values) * tf.cast(self.kept, "float32")

    def restore(self, centred: tf.Tensor) -> tf.Tensor:
        return self._distribution.restore(centred)

    def as_coded(self) -> SkippingDistribution:
        return SkippingDistribution(self._distribution.as_coded(), self._skip_below)

    def training_loss(self) -> tf.Tensor | None:
        return self._distribution.training_loss()
