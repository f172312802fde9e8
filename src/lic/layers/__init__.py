"""Layers that transforms and entropy models are made of, and functions for layers of your own."""

from lic.layers import activations
from lic.layers.attention import AttentionBlock
from lic.layers.base import Layer
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.bounds import lower_bound, upper_bound
from lic.layers.convolution import Convolution
from lic.layers.cross_attention import CrossAttention
from lic.layers.depthwise import DepthwiseBlock, DepthwiseConvolution
from lic.layers.gdn import GDN
from lic.layers.mixed import MixedBlock
from lic.layers.padding import Padding, pad
from lic.layers.partial import PartialBlock, PartialConvolution
from lic.layers.residual import ResidualBlock, ResidualDown, ResidualUp
from lic.layers.rwkv import ChannelMix, ChannelMixBlock, LinearAttention, OmniShift, RWKVBlock, SpatialMix
from lic.layers.sequential import Abs, ChannelScale, Concatenate, Scale, Sequential
from lic.layers.subpixel import SubpixelConvolution
from lic.layers.swin.attention import WindowAttention
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.gated import GatedPerceptron, GatedSwinBlock, GatedSwinStage
from lic.layers.swin.patches import PatchEmbedding, PatchMerging, PatchSplitting, PatchUnpacking
from lic.layers.swin.stages import SwinStage, SwinStages

__all__ = [
    "GDN",
    "Abs",
    "AttentionBlock",
    "BottleneckBlock",
    "ChannelMix",
    "ChannelMixBlock",
    "ChannelScale",
    "Concatenate",
    "Convolution",
    "CrossAttention",
    "DepthwiseBlock",
    "DepthwiseConvolution",
    "GatedPerceptron",
    "GatedSwinBlock",
    "GatedSwinStage",
    "Layer",
    "LinearAttention",
    "MixedBlock",
    "OmniShift",
    "Padding",
    "PartialBlock",
    "PartialConvolution",
    "PatchEmbedding",
    "PatchMerging",
    "PatchSplitting",
    "PatchUnpacking",
    "RWKVBlock",
    "ResidualBlock",
    "ResidualDown",
    "ResidualUp",
    "Scale",
    "Sequential",
    "SpatialMix",
    "SubpixelConvolution",
    "SwinBlock",
    "SwinStage",
    "SwinStages",
    "WindowAttention",
    "activations",
    "lower_bound",
    "pad",
    "upper_bound",
]
