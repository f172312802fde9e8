"""The coder that estimates: it adds up the bits that encoding would take, with gradients in training."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from lic.entropy.coders.base import Latent, LatentCoder, rounded
from lic.entropy.distributions.base import Distribution
from lic.entropy.noise import uniform
from lic.entropy.orders import Order
from lic.entropy.range_coding.cdf_tables import Source, check_source
from lic.environment import tf
from lic.errors import check
from lic.layers.bounds import upper_bound

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform

QUANTIZATIONS = ("noise/ste", "noise/noise", "ste/ste")


class Estimate(LatentCoder):
    """Adds up bits, and quantises as encoding and decoding do, or in training by a stand-in that has gradients.

    Args:
      latent: The latent [batch, height, width, depth].
      training: Whether `quantization` takes the place of rounding.
      quantization: The inputs of rate and decoder in training: "noise/ste", "noise/noise" or "ste/ste", where noise
        is uniform and ste is rounding with a gradient of one.
      likelihood_bound: The lower bound of a number's probability, such as 1e-9, or None.
      sides: Side information in place of that which the analysis of a hyper transform would make of the latent, by the
        hyper transform.
      sources: The likelihoods and priors that the coder's tables will hold; others are refused. None takes all.

    Attributes:
      bits: Bits of each part so far, each [batch]; parts of the same name are added up.
    """

    def __init__(
        self,
        latent: tf.Tensor,
        training: bool = False,
        quantization: str = "noise/ste",
        likelihood_bound: float | None = None,
        sides: Mapping[HyperTransform, tf.Tensor] | None = None,
        sources: Container[Source] | None = None,
    ):
        super().__init__(latent, sides)
        self._sources = sources
        self.training, self.likelihood_bound = training, likelihood_bound
        self.rate_form, self.decoder_form = quantization.split("/")
        self.bits: dict[str, tf.Tensor] = {}

    def bits_of(self, centred: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        """Returns the bits of each number, in the shape of the numbers.

        Args:
          centred: The numbers as differences from the distribution's offset, rounded or with noise.
          distribution: Their distribution.
        """
        bits = (distribution if self.training else distribution.as_coded()).bits(centred)
        # A lower bound of probabilities is an upper bound of bits.
        return bits if self.likelihood_bound is None else upper_bound(bits, -math.log2(self.likelihood_bound))

    def _begin_loop(self, latent: Latent, name: str) -> None:
        self.bits.setdefault(name, tf.zeros(tf.shape(self.zeros)[:1]))

    def _loop_state(self) -> Any:
        return {name: tf.ensure_shape(bits, self.zeros.shape[:1]) for name, bits in self.bits.items()}

    def _set_loop_state(self, state: Any) -> None:
        self.bits = state

    def _known_at_once(self, latent: Latent, order: Order) -> tf.Tensor | None:
        if not self.training:
            return None
        values = latent.values
        check("Order", "training", order.training in ("rounded", "noise"), "'rounded' or 'noise'", order.training)
        if order.training == "noise":
            return values + uniform(tf.shape(values))
        return values + tf.stop_gradient(tf.round(values) - values)

    def _code_centred(self, name: str, centred: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        if self._sources is not None:  # A model that could not be coded is found before it is trained.
            check_source(name, distribution, self._sources)
        symbols = rounded(centred)
        if not self.training:
            self._add(name, self.bits_of(symbols, distribution))
            return symbols
        forms = {"ste": centred + tf.stop_gradient(symbols - centred), "noise": centred + uniform(tf.shape(centred))}
        self._add(name, self.bits_of(forms[self.rate_form], distribution))
        loss = distribution.training_loss()
        if loss is not None:
            self.bits[name] += loss
        return forms[self.decoder_form]

    def _add(self, name: str, bits: tf.Tensor) -> None:
        self.bits[name] = self.bits.get(name, 0.0) + tf.reduce_sum(bits, (1, 2, 3))
