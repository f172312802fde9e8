"""The contract of entropy models: one walk defines in which order a latent is coded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lic import registry
from lic.argument_types import Count
from lic.entropy.coders.base import Coder
from lic.entropy.coders.estimate import QUANTIZATIONS, Estimate
from lic.entropy.distributions.base import Distribution, Likelihood
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.location_scale import Normal
from lic.entropy.parameters import StartAt
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import compute_in, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.transforms.base import HyperTransform
from lic.weights import named_parts


class Estimated(NamedTuple):
    """The result of calling an entropy model.

    Attributes:
      y_hat: The quantised latent [batch, height, width, depth].
      z_hat: The quantised side information, or None where the model has none.
      bits: Part -> estimated bits [batch].
    """

    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    bits: dict[str, tf.Tensor]


class EntropyModel(Layer):
    """Base of entropy models: a subclass makes its layers in the constructor and writes `walk`.

    The same walk estimates the rate, encodes and decodes, depending on the coder that it is given, so that the three
    cannot drift apart. All computation here is in float32, whatever Keras's policy is.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform whose features the walk uses, or None.
      likelihood: Makes the distributions of the latent from parameters; the walk's networks give
        `likelihood.parameters` channels for each channel of the latent.
      quantization: The replacement of rounding in training, for the rate and for the decoder: "noise/ste",
        "noise/noise" or "ste/ste".
      prior_filters: Widths of the inner layers of the networks of the factorized prior.
      prior_medians: Whether the factorized prior has medians that numbers are rounded from.
      likelihood_bound: The lower bound of a number's probability in estimates, such as 1e-9, or None.
      hyper_entropy: The entropy model of the side information, such as a hyperprior of its own, in place of the
        factorized prior; or None.

    Attributes:
      prior: What the side information is coded by: `hyper_entropy` if it is given, else a factorized prior. Without a
        hyper transform it is the factorized prior of the latent, or None in a class whose `has_prior` is False.
      has_prior: Whether there is a prior without a hyper transform.

    Raises:
      ValueError: An argument is not valid; the message names it and its valid values.
    """

    registry = registry.entropy_models
    added_arguments: ClassVar[Mapping[str, Any]] = {"hyper_entropy": None}
    has_prior: ClassVar[bool] = True

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform | None = None,
        *,
        likelihood: Likelihood = Normal(),
        quantization: str = "noise/ste",
        prior_filters: Sequence[Count] = (3, 3),
        prior_medians: bool = False,
        likelihood_bound: float | None = None,
        hyper_entropy: EntropyModel | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._check("latent_depth", latent_depth >= 1, "at least 1", latent_depth)
        valid_hyper = hyper is None or isinstance(hyper, HyperTransform)
        self._check("hyper", valid_hyper, "a lic.HyperTransform, such as lic.transforms.ConvHyperTransform", hyper)
        valid_likelihood = likelihood is None or isinstance(likelihood, Likelihood)
        self._check("likelihood", valid_likelihood, "a lic.Likelihood, such as lic.entropy.Laplace()", likelihood)
        self._check("quantization", quantization in QUANTIZATIONS, f"one of {QUANTIZATIONS}", quantization)
        valid_bound = likelihood_bound is None or 0 < likelihood_bound < 1
        self._check("likelihood_bound", valid_bound, "None or between 0 and 1", likelihood_bound)
        self.latent_depth, self.hyper, self.likelihood = latent_depth, hyper, likelihood
        self.quantization, self.likelihood_bound = quantization, likelihood_bound
        depth = hyper.depth if hyper else latent_depth
        if hyper_entropy is None and hyper is None and not self.has_prior:
            self.prior = None
        elif hyper_entropy is None:
            self.prior = FactorizedPrior(depth, filters=prior_filters, medians=prior_medians)
        else:
            fits = hyper is not None and isinstance(hyper_entropy, EntropyModel) and hyper_entropy.latent_depth == depth
            expected = f"an entropy model of the {depth} channels of the side information of a hyper transform"
            self._check("hyper_entropy", fits, expected, hyper_entropy)
            self.prior = hyper_entropy

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes every part of the latent in order, and returns y_hat."""
        raise NotImplementedError(
            f"{type(self).__name__} has no walk. Write walk(self, coder): code every part of the latent with "
            "coder.code, in order, and return y_hat."
        )

    def build(self, input_shape: tuple):
        """Keeps the layers of the entropy path in float32."""
        compute_in(self, "float32")
        super().build(input_shape)

    def call(
        self, latent: tf.Tensor, training: bool = False, walk: Callable[[Coder], tf.Tensor] | None = None
    ) -> Estimated:
        """Estimates the bits of latents [batch, height, width, latent_depth].

        Args:
          latent: The latents.
          training: Whether `quantization` takes the place of rounding.
          walk: The walk to take in place of `self.walk`, such as one that codes at a variable rate.
        """
        latent = tf.cast(latent, "float32")
        options = bool(training), self.quantization, self.likelihood_bound
        coder = Estimate(latent, *options, sources=set(self.sources.values()))
        y_hat = walk(coder) if walk else walked(self, coder)
        return Estimated(y_hat, coder.z_hat, coder.bits)

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        """The layers whose biases are the initial parameters, each with the start and stop of its channels.

        `lic.training.start_scales` sets these biases. The list is empty where a walk has no such layers.
        """
        return []

    @property
    def sources(self) -> dict[str, Likelihood | Distribution]:
        """All likelihoods and priors inside, by their attribute paths, which are sorted.

        They are sorted because Keras 2 and Keras 3 keep attributes in different orders.
        """
        return dict(sorted(named_parts(self, (Likelihood, Distribution)).items()))

    def make_tables(self) -> CdfTables:
        """Makes the coder's tables from the weights as they are now."""
        return CdfTables.make(self.sources)

    def start_bias(self, channels: int, first: int = 0) -> StartAt:
        """Returns the initialiser of the bias of a network that gives the parameters of channels.

        Args:
          channels: Number of channels of the latent.
          first: Number of leading parameters that the network does not give, such as 1 where all means are zero.
        """
        return StartAt(self.likelihood.start(np.ones(channels))[first * channels :])

    def _check(self, name: str, holds: bool, expected: str, received: object) -> None:
        check(type(self).__name__, name, holds, expected, received)


def walked(entropy: EntropyModel, coder: Coder) -> tf.Tensor:
    """Takes the walk of an entropy model, and returns its result after a check.

    Args:
      entropy: The entropy model.
      coder: The coder of latents [batch, height, width, depth].

    Raises:
      ValueError: The walk returned something else than latents of this shape.
    """
    y_hat = entropy.walk(coder)
    is_latent = tf.is_tensor(y_hat) and y_hat.shape.is_compatible_with(coder.zeros.shape)
    if not is_latent:
        received = f"the shape {y_hat.shape}" if tf.is_tensor(y_hat) else type(y_hat).__name__
        raise ValueError(
            f"{type(entropy).__name__}.walk: expected the quantised latent {coder.zeros.shape} as its result. "
            f"Received: {received}. Put the parts together, and return them."
        )
    return y_hat
