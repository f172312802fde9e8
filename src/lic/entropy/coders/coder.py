"""The three coders that a walk is given: one estimates, one encodes, one decodes."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import Normal, ScaleTable
from lic.entropy.noise import uniform
from lic.entropy.parts import Part
from lic.entropy.range_coding.cdf_tables import LIMIT, Tables
from lic.entropy.range_coding.range_coder import RangeDecoder, RangeEncoder
from lic.environment import tf
from lic.layers.bounds import upper_bound

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform

QUANTIZATIONS = ("noise/ste", "noise/noise", "ste/ste")


class Coder(abc.ABC):
    """What a walk talks to: it says which part comes next and under which distribution.

    Attributes:
      z_hat: The quantised side information, once the walk has coded it; None before.
      zeros: An empty latent [batch, height, width, depth] for a walk to put parts into.
    """

    def __init__(self, scales: ScaleTable, zeros: tf.Tensor):
        self.scales, self.zeros, self.z_hat = scales, zeros, None

    @abc.abstractmethod
    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        """Codes the side information of the latent, and returns its features, cropped to the latent."""

    @abc.abstractmethod
    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Codes a part under normal distributions, and returns `round(part - mean) + mean`.

        Args:
          part: Which numbers of the latent.
          mean: Their means, in the shape of `part.take(latent)`.
          index: Their real scale indexes, in the same shape.
        """

    @abc.abstractmethod
    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        """Codes a part under a learnt prior, one density for each of its channels, and returns it rounded.

        Where the prior has medians, it is rounded to whole steps from these.
        """

    def _features(self, hyper: HyperTransform, z_hat: tf.Tensor) -> tf.Tensor:
        self.z_hat = z_hat
        height, width = tf.unstack(tf.shape(self.zeros)[1:3])
        return hyper.synthesis(z_hat)[:, :height, :width]


class _LatentCoder(Coder):
    """A coder that has the latent; subclasses say what becomes of each part.

    Args:
      latent: The latent [batch, height, width, depth].
      scales: The table of scales.
      side: Side information that stands in for what the hyper analysis makes of the latent.
    """

    def __init__(self, latent: tf.Tensor, scales: ScaleTable, side: tf.Tensor | None = None):
        super().__init__(scales, tf.zeros_like(latent))
        self.latent, self._side = latent, side

    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        side = hyper.analysis(self.latent) if self._side is None else self._side
        return self._features(hyper, self._under_prior("side", side, prior))

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        centred = part.take(self.latent) - mean
        return self._quantize(part.name, centred, self._distribution(index)) + mean

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        return self._under_prior(part.name, part.take(self.latent), prior)

    def _under_prior(self, name: str, values: tf.Tensor, prior: FactorizedPrior) -> tf.Tensor:
        return prior.from_medians(self._quantize(name, prior.to_medians(values), prior))

    def _distribution(self, index: tf.Tensor) -> Normal:
        return Normal(index, self.scales)

    @abc.abstractmethod
    def _quantize(self, name: str, centred: tf.Tensor, distribution: Normal | FactorizedPrior) -> tf.Tensor:
        """Codes numbers (differences from their means), and returns them rounded."""


class Estimate(_LatentCoder):
    """Adds up bits; what it returns is what the other two code, or in training a stand-in with gradients.

    Args:
      latent: The latent [batch, height, width, depth].
      scales: The table of scales.
      training: Whether numbers are quantised as `quantization` says in place of rounding.
      quantization: What the rate and the decoder see in training: "noise/ste", "noise/noise" or "ste/ste", where noise
        is uniform and ste is rounding with a gradient of one.
      likelihood_bound: Numbers are taken to be at least so probable, or None.

    Attributes:
      bits: Bits of each part so far, each [batch]; parts of the same name are added up.
    """

    def __init__(
        self,
        latent: tf.Tensor,
        scales: ScaleTable,
        training: bool = False,
        quantization: str = "noise/ste",
        likelihood_bound: float | None = None,
    ):
        super().__init__(latent, scales)
        self.training, self.bits, self.likelihood_bound = training, {}, likelihood_bound
        self.rate_form, self.decoder_form = quantization.split("/")

    def _distribution(self, index: tf.Tensor) -> Normal:
        return Normal(index, self.scales, rounded=not self.training)

    def _quantize(self, name: str, centred: tf.Tensor, distribution: Normal | FactorizedPrior) -> tf.Tensor:
        rounded = _round(centred)
        forms = {"ste": rounded}
        if self.training:
            forms["ste"] = centred + tf.stop_gradient(rounded - centred)
            forms["noise"] = centred + uniform(tf.shape(centred))
        rated = forms[self.rate_form] if self.training else rounded
        bits = distribution.bits(rated)
        if self.likelihood_bound is not None:
            bits = upper_bound(bits, -math.log2(self.likelihood_bound))
        self._add_up(name, bits)
        if self.training and isinstance(distribution, FactorizedPrior):
            self.bits[name] += distribution.pull()
        return forms[self.decoder_form] if self.training else rounded

    def _add_up(self, name: str, bits: tf.Tensor) -> None:
        self.bits[name] = self.bits.get(name, 0.0) + tf.reduce_sum(bits, (1, 2, 3))


class Encoded(NamedTuple):
    """What `Encode` has coded.

    Attributes:
      string: The coded string.
      symbols: All symbols [count] in coding order, int32.
      finite: Whether all numbers were finite.
      seconds: What the range coder took.
    """

    string: tf.Tensor
    symbols: tf.Tensor
    finite: tf.Tensor
    seconds: tf.Tensor


class Encode(_LatentCoder):
    """Collects symbols and their rows, and codes them at the end; takes one image at a time.

    Args:
      latent: The latent [1, height, width, depth].
      tables: The coder's tables.
      priors: The entropy model's learnt priors, in the tables' order.
      side: Side information that stands in for what the hyper analysis makes of the latent.
    """

    def __init__(
        self, latent: tf.Tensor, tables: Tables, priors: Sequence[FactorizedPrior], side: tf.Tensor | None = None
    ):
        super().__init__(latent, tables.scales, side)
        self._tables, self._priors = tables, priors
        self._encoder, self._symbols = RangeEncoder(tables), []
        self.finite = tf.reduce_all(tf.math.is_finite(latent))

    def finish(self) -> Encoded:
        """Codes all symbols."""
        string = self._encoder.finish()
        return Encoded(string, tf.concat(self._symbols, 0), self.finite, self._encoder.seconds)

    def _quantize(self, name: str, centred: tf.Tensor, distribution: Normal | FactorizedPrior) -> tf.Tensor:
        self.finite &= tf.reduce_all(tf.math.is_finite(centred))
        # Numbers that are not finite become zeros, so that the coder never sees what it cannot code.
        symbols = tf.cast(_round(tf.where(tf.math.is_finite(centred), centred, 0.0)), "int32")
        self._encoder.write(_rows(distribution, self._tables, self._priors, tf.shape(centred)), symbols)
        self._symbols.append(tf.reshape(symbols, [-1]))
        return tf.cast(symbols, "float32")


class Decode(Coder):
    """Reads symbols; it has no latent, only its height and width.

    Args:
      string: What `Encode` returned.
      zeros: An empty latent [1, height, width, depth].
      tables: The tables that it was coded with.
      priors: The entropy model's learnt priors, in the tables' order.
    """

    def __init__(self, string: tf.Tensor, zeros: tf.Tensor, tables: Tables, priors: Sequence[FactorizedPrior]):
        super().__init__(tables.scales, zeros)
        self._tables, self._priors = tables, priors
        self._decoder, self._symbols = RangeDecoder(string, tables), [tf.zeros([0], "int32")]

    def finish(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the symbols that were read, in coding order [count] as int32, and the seconds that this took."""
        return tf.concat(self._symbols, 0), self._decoder.seconds

    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        height, width = (-(-size // hyper.downscale) for size in tf.unstack(tf.shape(self.zeros)[1:3]))
        symbols = self._read(prior, (1, height, width, hyper.depth))
        return self._features(hyper, prior.from_medians(symbols))

    def normal(self, part: Part, mean: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        return self._read(Normal(index, self.scales), tf.shape(mean)) + mean

    def learnt(self, part: Part, prior: FactorizedPrior) -> tf.Tensor:
        return prior.from_medians(self._read(prior, tf.shape(part.take(self.zeros))))

    def _read(self, distribution: Normal | FactorizedPrior, shape: tf.Tensor) -> tf.Tensor:
        rows = _rows(distribution, self._tables, self._priors, shape)
        symbols = self._decoder.read(rows)
        self._symbols.append(tf.reshape(symbols, [-1]))
        channels = distribution.channels if isinstance(distribution, FactorizedPrior) else distribution.index.shape[-1]
        return tf.ensure_shape(tf.cast(symbols, "float32"), (None, None, None, channels))


def _round(centred: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(tf.round(centred), -LIMIT, LIMIT)


def _rows(
    distribution: Normal | FactorizedPrior,
    tables: Tables,
    priors: Sequence[FactorizedPrior],
    shape: tf.Tensor,
) -> tf.Tensor:
    if isinstance(distribution, Normal):
        return tables.normal_rows(distribution)
    return tables.prior_rows(number_of(distribution, priors), shape)


def number_of(wanted: FactorizedPrior, priors: Sequence[FactorizedPrior]) -> int:
    """Returns which of an entropy model's priors this one is, by which the tables know it."""
    return next(number for number, prior in enumerate(priors) if prior is wanted)
