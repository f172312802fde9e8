"""Transforms between images and latents, and between latents and side information."""

from lic.transforms.base import HyperTransform, Transform
from lic.transforms.bottleneck import BottleneckTransform
from lic.transforms.conv import ConvTransform
from lic.transforms.hyper_bottleneck_swin import BottleneckSwinHyperTransform
from lic.transforms.hyper_conv import ConvHyperTransform
from lic.transforms.hyper_mixed import MixedHyperTransform
from lic.transforms.hyper_partial import PartialHyperTransform
from lic.transforms.hyper_rwkv import RWKVHyperTransform
from lic.transforms.hyper_subpixel import SubpixelHyperTransform
from lic.transforms.hyper_swin import SwinHyperTransform
from lic.transforms.klt import KLTTransform
from lic.transforms.mixed import MixedTransform
from lic.transforms.partial import PartialTransform
from lic.transforms.residual import ResidualTransform
from lic.transforms.rwkv import RWKVTransform
from lic.transforms.swin import SwinTransform

__all__ = [
    "BottleneckSwinHyperTransform",
    "BottleneckTransform",
    "ConvHyperTransform",
    "ConvTransform",
    "HyperTransform",
    "KLTTransform",
    "MixedHyperTransform",
    "MixedTransform",
    "PartialHyperTransform",
    "PartialTransform",
    "RWKVHyperTransform",
    "RWKVTransform",
    "ResidualTransform",
    "SubpixelHyperTransform",
    "SwinHyperTransform",
    "SwinTransform",
    "Transform",
]
