"""Image files in and out: any format of Pillow, HEIF and JPEG XL as 8-bit sRGB or grey, and samples of any channels."""

from lic.images.arrays import checked_image, coloured, peak_of
from lic.images.folders import digest_of, image_files, is_image
from lic.images.reading import image_size, read_image, sample_image
from lic.images.samples import read_samples
from lic.images.writing import write_image

__all__ = [
    "checked_image",
    "coloured",
    "digest_of",
    "image_files",
    "image_size",
    "is_image",
    "peak_of",
    "read_image",
    "read_samples",
    "sample_image",
    "write_image",
]
