"""Image files in and out: any format of Pillow, HEIF and JPEG XL as 8-bit sRGB or grey, and samples of any channels."""

from lic.images.arrays import checked_image as checked_image
from lic.images.arrays import coloured as coloured
from lic.images.arrays import peak_of as peak_of
from lic.images.folders import digest_of as digest_of
from lic.images.folders import image_files as image_files
from lic.images.folders import is_image as is_image
from lic.images.reading import image_size as image_size
from lic.images.reading import read_image as read_image
from lic.images.reading import sample_image as sample_image
from lic.images.samples import read_samples as read_samples
from lic.images.writing import write_image as write_image
