"""Entropy models, the coders that their walks are given, and the distributions that they code under."""

from lic.entropy.base import EntropyModel, Estimated
from lic.entropy.charm import ChARM
from lic.entropy.checkerboard import Checkerboard, CheckerboardContext
from lic.entropy.coders import Coder, Decode, Encode, Encoded, Estimate, Record, Recorder
from lic.entropy.distributions import (
    Distribution,
    FactorizedPrior,
    Laplace,
    Likelihood,
    LocationScale,
    Logistic,
    Normal,
    ScaleTable,
)
from lic.entropy.distributions.location_scale import LocationScaleDistribution
from lic.entropy.factorized import Factorized
from lic.entropy.hyperprior import Hyperprior
from lic.entropy.parameters import convolutions
from lic.entropy.parts import EVERYTHING, Part, anchors, channels, non_anchors, within
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.entropy.residual import LatentResidualPrediction
from lic.entropy.space_channel import SpaceChannel

__all__ = [
    "EVERYTHING",
    "CdfTables",
    "ChARM",
    "Checkerboard",
    "CheckerboardContext",
    "Coder",
    "Decode",
    "Distribution",
    "Encode",
    "Encoded",
    "EntropyModel",
    "Estimate",
    "Estimated",
    "Factorized",
    "FactorizedPrior",
    "Hyperprior",
    "Laplace",
    "LatentResidualPrediction",
    "Likelihood",
    "LocationScale",
    "LocationScaleDistribution",
    "Logistic",
    "Normal",
    "Part",
    "Record",
    "Recorder",
    "ScaleTable",
    "SpaceChannel",
    "anchors",
    "channels",
    "convolutions",
    "non_anchors",
    "within",
]
