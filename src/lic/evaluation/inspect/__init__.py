"""Inspecting one image with a codec: pictures beside JPEG, errors, and the bits by position and part."""

from lic.evaluation.inspect.bit_map import BitMap, bit_map
from lic.evaluation.inspect.figure import inspection_figure
from lic.evaluation.inspect.inspection import Box, Inspection, inspect_image
from lic.evaluation.inspect.numbers import Numbers, inspect
from lic.evaluation.inspect.page import comparison_of, inspection_page
from lic.evaluation.inspect.pictures import Picture, beside_jpeg, jpeg_of_size

__all__ = [
    "BitMap",
    "Box",
    "Inspection",
    "Numbers",
    "Picture",
    "beside_jpeg",
    "bit_map",
    "comparison_of",
    "inspect",
    "inspect_image",
    "inspection_figure",
    "inspection_page",
    "jpeg_of_size",
]
