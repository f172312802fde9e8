"""Coders that a walk is given: they estimate, encode, decode, preview, optimise, scale, skip or record."""

from lic.entropy.coders.base import Coder
from lic.entropy.coders.decode import Decode, Preview
from lic.entropy.coders.encode import Encode, Encoded
from lic.entropy.coders.estimate import Estimate
from lic.entropy.coders.gumbel import GumbelCoder
from lic.entropy.coders.recorder import Record, Recorder, part_names
from lic.entropy.coders.skipping import SkippingCoder, skipping
from lic.entropy.coders.variable_rate import VariableRateCoder

__all__ = [
    "Coder",
    "Decode",
    "Encode",
    "Encoded",
    "Estimate",
    "GumbelCoder",
    "Preview",
    "Record",
    "Recorder",
    "SkippingCoder",
    "VariableRateCoder",
    "part_names",
    "skipping",
]
