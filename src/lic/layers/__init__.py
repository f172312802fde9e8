"""Layers that transforms and entropy models are made of."""

from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.padding import Padding
from lic.layers.sequential import Abs, Concatenate, Scale, Sequential
from lic.layers.swin.block import SwinBlock

__all__ = ["GDN", "Abs", "Concatenate", "Convolution", "Padding", "Scale", "Sequential", "SwinBlock"]
