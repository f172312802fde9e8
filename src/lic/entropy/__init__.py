"""Entropy models, the coders that their walks are given, and the distributions that they code under."""

from lic.entropy.autoregressive import Autoregressive, CausalContext
from lic.entropy.base import EntropyModel, Estimated
from lic.entropy.charm import ChARM
from lic.entropy.checkerboard import Checkerboard, CheckerboardContext
from lic.entropy.coders import Coder, Decode, Encode, Encoded, Estimate, Preview, Record, Recorder
from lic.entropy.distributions import (
    Distribution,
    FactorizedPrior,
    GeneralizedNormal,
    GeneralizedNormalPerChannel,
    Laplace,
    Likelihood,
    LocationScale,
    Logistic,
    Normal,
    NormalMixture,
    ScaleTable,
)
from lic.entropy.distributions.base import ChannelGains
from lic.entropy.distributions.location_scale import LocationScaleDistribution
from lic.entropy.factorized import Factorized
from lic.entropy.hierarchical import Hierarchical
from lic.entropy.hyperprior import Hyperprior
from lic.entropy.multi_reference import MultiReference
from lic.entropy.orders import Order, wavefronts
from lic.entropy.parameters import convolutions
from lic.entropy.parametric import Parametric
from lic.entropy.parts import (
    EVERYTHING,
    Part,
    anchors,
    channels,
    every,
    non_anchors,
    positions,
    repeated,
    union,
    within,
)
from lic.entropy.quadtree import Dual, Quadtree
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.entropy.residual import LatentResidualPrediction
from lic.entropy.space_channel import SpaceChannel

__all__ = [
    "EVERYTHING",
    "Autoregressive",
    "CausalContext",
    "CdfTables",
    "ChARM",
    "ChannelGains",
    "Checkerboard",
    "CheckerboardContext",
    "Coder",
    "Decode",
    "Distribution",
    "Dual",
    "Encode",
    "Encoded",
    "EntropyModel",
    "Estimate",
    "Estimated",
    "Factorized",
    "FactorizedPrior",
    "GeneralizedNormal",
    "GeneralizedNormalPerChannel",
    "Hierarchical",
    "Hyperprior",
    "Laplace",
    "LatentResidualPrediction",
    "Likelihood",
    "LocationScale",
    "LocationScaleDistribution",
    "Logistic",
    "MultiReference",
    "Normal",
    "NormalMixture",
    "Order",
    "Parametric",
    "Part",
    "Preview",
    "Quadtree",
    "Record",
    "Recorder",
    "ScaleTable",
    "SpaceChannel",
    "anchors",
    "channels",
    "convolutions",
    "every",
    "non_anchors",
    "positions",
    "repeated",
    "union",
    "wavefronts",
    "within",
]
