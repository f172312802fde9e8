"""Entropy models, the coders that their walks are given, and what both are made of."""

from lic.entropy.base import EntropyModel, Estimated
from lic.entropy.charm import ChARM
from lic.entropy.checkerboard import Checkerboard, CheckerboardContext
from lic.entropy.coders import Coder, Decode, Encode, Estimate
from lic.entropy.factorized import Factorized
from lic.entropy.hyperprior import Hyperprior
from lic.entropy.normal import Normal, Scales
from lic.entropy.parts import EVERYTHING, Part, anchors, channels, others, within
from lic.entropy.prior import LearntPrior
from lic.entropy.residual import LatentResidualPrediction
from lic.entropy.space_channel import SpaceChannel
from lic.entropy.tables import Tables

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
    "Hyperprior",
    "LatentResidualPrediction",
    "LearntPrior",
    "Normal",
    "Part",
    "Scales",
    "SpaceChannel",
    "Tables",
    "anchors",
    "channels",
    "others",
    "within",
]
