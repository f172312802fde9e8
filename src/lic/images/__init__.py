"""Image files in and out: any format of Pillow, HEIF and JPEG XL as 8-bit sRGB or grey, and samples of any channels."""

from lic.images.folders import image_files
from lic.images.reading import image_size, read_image, sample_image
from lic.images.samples import read_samples
from lic.images.writing import write_image

__all__ = ["image_files", "image_size", "read_image", "read_samples", "sample_image", "write_image"]
