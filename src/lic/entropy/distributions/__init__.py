"""Distributions of the numbers of a latent, and the likelihoods that make them from parameters."""

from lic.entropy.distributions.base import ChannelGains, Distribution, Likelihood
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.generalized_normal import GeneralizedNormal, GeneralizedNormalPerChannel
from lic.entropy.distributions.location_scale import Laplace, LocationScale, Logistic, Normal
from lic.entropy.distributions.normal_mixture import NormalMixture
from lic.entropy.distributions.scale_table import ScaleTable

__all__ = [
    "ChannelGains",
    "Distribution",
    "FactorizedPrior",
    "GeneralizedNormal",
    "GeneralizedNormalPerChannel",
    "Laplace",
    "Likelihood",
    "LocationScale",
    "Logistic",
    "Normal",
    "NormalMixture",
    "ScaleTable",
]
