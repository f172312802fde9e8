"""Layers that transforms and entropy models are made of, and functions for layers of your own."""

from lic.layers import activations
from lic.layers.base import Layer
from lic.layers.bounds import lower_bound, upper_bound
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.padding import Padding, pad
from lic.layers.sequential import Abs, Concatenate, Scale, Sequential
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.patches import PatchEmbedding, PatchMerging, PatchSplitting, PatchUnpacking
from lic.layers.swin.stages import SwinStage, SwinStages

__all__ = [
    "GDN",
    "Abs",
    "Concatenate",
    "Convolution",
    "Layer",
    "Padding",
    "PatchEmbedding",
    "PatchMerging",
    "PatchSplitting",
    "PatchUnpacking",
    "Scale",
    "Sequential",
    "SwinBlock",
    "SwinStage",
    "SwinStages",
    "activations",
    "lower_bound",
    "pad",
    "upper_bound",
]
