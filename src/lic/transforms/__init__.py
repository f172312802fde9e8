"""Transforms between images and latents, and between latents and side information."""

from lic.transforms.base import HyperTransform, Transform
from lic.transforms.chain import Absolute, Chain, Scale, SideBySide
from lic.transforms.conv import ConvTransform
from lic.transforms.convolution import Convolution
from lic.transforms.gdn import GDN
from lic.transforms.hyper import ConvHyperTransform
from lic.transforms.hyper_swin import SwinHyperTransform
from lic.transforms.klt import KLTTransform
from lic.transforms.swin import SwinTransform
from lic.transforms.swin_block import SwinBlock

__all__ = [
    "GDN",
    "Absolute",
    "Chain",
    "ConvHyperTransform",
    "ConvTransform",
    "Convolution",
    "HyperTransform",
    "KLTTransform",
    "Scale",
    "SideBySide",
    "SwinBlock",
    "SwinHyperTransform",
    "SwinTransform",
    "Transform",
]
