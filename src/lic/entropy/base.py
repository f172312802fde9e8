"""The contract of entropy models: one walk that says in which order a latent is coded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lic import registry
from lic.config import Configured
from lic.entropy.coders.coder import QUANTIZATIONS, Coder, Estimate
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import ROUNDINGS, ScaleTable
from lic.entropy.range_coding.cdf_tables import Tables, make_tables
from lic.environment import compute_in, keras, tf
from lic.errors import check
from lic.layers.convolution import Convolution
from lic.transforms.base import HyperTransform


class Estimated(NamedTuple):
    """What an entropy model returns when it is called.

    Attributes:
      y_hat: The quantised latent [batch, height, width, depth].
      z_hat: The quantised side information, or None where the model has none.
      bits: Part -> estimated bits [batch].
    """

    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    bits: dict[str, tf.Tensor]


class EntropyModel(Configured, keras.layers.Layer):
    """Base of entropy models: a subclass makes its layers in the constructor and writes `walk`.

    The same walk estimates the rate, encodes and decodes, depending on the coder that it is given, so that the three
    cannot drift apart. Everything here is float32, whatever the policy.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform whose features the walk uses, or None.
      quantization: How training stands in for rounding, for the rate and for the decoder: "noise/ste", "noise/noise"
        or "ste/ste".
      scales: Number, lowest and highest of the scales that indexes stand for; after them "up" where a number is coded
        with the next larger scale of the table, not with the nearest.
      prior_filters: Widths of the inner layers of the learnt prior's networks.
      prior_medians: Whether the learnt prior has medians that numbers are rounded from.
      likelihood_bound: In estimates numbers are taken to be at least so probable, such as 1e-9, or None.

    Attributes:
      prior: The learnt prior of the side information, or of the latent where there is no hyper transform.

    Raises:
      ValueError: An argument is outside what is said here.
    """

    registry = registry.entropy_models

    def __init__(
        self,
        latent_depth: int,
        hyper: HyperTransform | None = None,
        *,
        quantization: str = "noise/ste",
        scales: tuple[int, float, float] | tuple[int, float, float, str] = ScaleTable(),
        prior_filters: Sequence[int] = (3, 3),
        prior_medians: bool = False,
        likelihood_bound: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._check("latent_depth", latent_depth >= 1, "at least 1", latent_depth)
        self._check("quantization", quantization in QUANTIZATIONS, f"one of {QUANTIZATIONS}", quantization)
        self.latent_depth, self.hyper, self.quantization = latent_depth, hyper, quantization
        self.scales = ScaleTable(*scales)
        count, lowest, highest, rounding = self.scales
        self._check(
            "scales",
            count >= 2 and 0 < lowest < highest and rounding in ROUNDINGS,
            f"(count, lowest, highest), rising, or the same with one of {ROUNDINGS}",
            scales,
        )
        probable = likelihood_bound is None or 0 < likelihood_bound < 1
        self._check("likelihood_bound", probable, "None or between 0 and 1", likelihood_bound)
        self.likelihood_bound = likelihood_bound
        depth = hyper.depth if hyper else latent_depth
        self.prior = FactorizedPrior(depth, filters=prior_filters, medians=prior_medians)

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes every part of the latent in order, and returns y_hat."""
        raise NotImplementedError(
            f"{type(self).__name__} has no walk. Write walk(self, coder): code every part of the latent with "
            "coder.normal or coder.learnt, in order, and return y_hat."
        )

    def build(self, input_shape: tuple):
        """Keeps the layers of the entropy path in float32."""
        compute_in(self, "float32")

    def call(
        self, latent: tf.Tensor, training: bool = False, within: Callable[[Coder], Coder] | None = None
    ) -> Estimated:
        """Estimates the bits of latents [batch, height, width, latent_depth].

        Args:
          latent: The latents.
          training: Whether noise stands in for rounding.
          within: Wraps the coder that the walk is given.
        """
        options = bool(training), self.quantization, self.likelihood_bound
        coder = Estimate(tf.cast(latent, "float32"), self.scales, *options)
        y_hat = self.walk(within(coder) if within else coder)
        return Estimated(y_hat, coder.z_hat, coder.bits)

    @property
    def heads(self) -> list[tuple[Convolution, int, int]]:
        """Layers whose bias starts means and scale indexes, each with its first channel and the one after its last.

        Training may start the scales there; a walk whose networks have no such bias has none.
        """
        return []

    @property
    def priors(self) -> list[FactorizedPrior]:
        """All learnt priors inside, in the order of their attributes."""
        return [layer for layer in self._flatten_layers() if isinstance(layer, FactorizedPrior)]

    def make_tables(self) -> Tables:
        """Makes the coder's tables from the weights as they are now."""
        return make_tables(self.priors, self.scales)

    def _check(self, name: str, holds: bool, expected: str, received: object) -> None:
        check(type(self).__name__, name, holds, expected, received)
