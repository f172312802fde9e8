"""Entropy models, the coders that their walks are given, and what both are made of."""

from lic.entropy.base import EntropyModel, Estimated
from lic.entropy.charm import ChARM
from lic.entropy.checkerboard import Checkerboard, CheckerboardContext
from lic.entropy.coders.coder import Coder, Decode, Encode, Estimate
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.distributions.normal import Normal, ScaleTable
from lic.entropy.factorized import Factorized
from lic.entropy.hyperprior import Hyperprior
from lic.entropy.parts import EVERYTHING, Part, anchors, channels, non_anchors, within
from lic.entropy.range_coding.cdf_tables import Tables
from lic.entropy.residual import LatentResidualPrediction
from lic.entropy.space_channel import SpaceChannel

__all__ = [
    "EVERYTHING",
    "ChARM",
    "Checkerboard",
    "CheckerboardContext",
    "Coder",
    "Decode",
    "Encode",
    "EntropyModel",
    "Estimate",
    "Estimated",
    "Factorized",
    "FactorizedPrior",
    "Hyperprior",
    "LatentResidualPrediction",
    "Normal",
    "Part",
    "ScaleTable",
    "SpaceChannel",
    "Tables",
    "anchors",
    "channels",
    "non_anchors",
    "within",
]
