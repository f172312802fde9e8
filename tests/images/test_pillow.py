"""Formats of Pillow whose samples are not what its modes show."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from lic.errors import ImageError
from lic.images import read_image
from tests.images.files import BACKGROUND, levels, over, samples, waves


def psd(mode, bits, numbers, layers=0):
    """A PSD file of samples [height, width, channels], which declares so many layers."""
    height, width, channels = numbers.shape
    section = struct.pack(">IIh", 6, 2, layers) if layers else bytes(4)
    header = b"8BPS" + struct.pack(">H6sHIIHH", 1, bytes(6), channels, height, width, bits, mode)
    return header + bytes(8) + section + b"\0\0" + np.moveaxis(numbers, -1, 0).astype(f">u{bits // 8}").tobytes()


def fits(bits, kind, numbers, *cards):
    height, width = numbers.shape
    lines = [
        "SIMPLE  = T",
        f"BITPIX  = {bits}",
        "NAXIS   = 2",
        f"NAXIS1  = {width}",
        f"NAXIS2  = {height}",
        *cards,
        "END",
    ]
    header = "".join(line.ljust(80) for line in lines).ljust(2880)
    return header.encode() + numbers[::-1].astype(kind).tobytes()


def dds(name, format_of_direct_x=None):
    header = struct.pack("<7I44x", 124, 0x81007, 8, 8, 0, 0, 0) + struct.pack("<II4s5I", 32, 4, name, 0, 0, 0, 0, 0)
    header += struct.pack("<5I", 0x1000, 0, 0, 0, 0)
    more = b"" if format_of_direct_x is None else struct.pack("<5I", format_of_direct_x, 3, 0, 1, 0)
    return b"DDS " + header + more + bytes(64)


def read(data, **options):
    return read_image(io.BytesIO(data), **options)


def test_psd_of_each_mode():
    values = samples(waves(4), 8)
    np.testing.assert_array_equal(read(psd(3, 8, values[..., :3])), values[..., :3])
    np.testing.assert_array_equal(read(psd(1, 8, values[..., :1])), values[..., 0])
    pixels = read(psd(3, 8, values, -1), background=BACKGROUND)
    assert np.abs(pixels - over(levels(values[..., :3], 8), values[..., 3] / 255)).max() <= 0.51
    ink = 1 - values / 255
    assert np.abs(read(psd(4, 8, values)) - 255 * (1 - ink[..., :3]) * (1 - ink[..., 3:])).max() <= 1.6


def test_psd_of_other_depth_is_refused_with_the_reason():
    with pytest.raises(ImageError, match="PSD: samples of 16 bits are not read"):
        read(psd(3, 16, samples(waves(), 16)), to_8_bit=True)


@pytest.mark.parametrize(("mode", "channels"), [(1, 2), (4, 5), (9, 4)])
def test_transparency_of_psd_that_pillow_leaves_out_is_refused(mode, channels):
    with pytest.raises(ImageError, match=f"transparency in PSD's colour mode {mode}"):
        read(psd(mode, 8, samples(waves(channels), 8), -1))
    assert read(psd(mode, 8, samples(waves(channels), 8))).shape[:2] == (20, 24)


def test_fits():
    values = samples(waves(1)[..., 0], 8)
    np.testing.assert_array_equal(read(fits(8, "u1", values, "BZERO   = 0", "BSCALE  = 1.0")), values)
    with pytest.raises(ImageError, match="BZERO = -128"):
        read(fits(8, "u1", values, "BZERO   = -128"))
    for bits, kind in ((16, ">i2"), (32, ">i4"), (-32, ">f4")):
        with pytest.raises(ImageError, match="black and white are not defined"):
            read(fits(bits, kind, values), to_8_bit=True)


@pytest.mark.parametrize(("name", "number"), [(b"BC5S", None), (b"DX10", 84), (b"DX10", 95), (b"DX10", 96)])
def test_dds_of_signed_or_floating_point_numbers_is_refused(name, number):
    with pytest.raises(ImageError, match="its blocks are of BC"):
        read(dds(name, number))


@pytest.mark.parametrize("name", [b"DXT2", b"BC4S"])
def test_dds_that_pillow_does_not_read_is_refused(name):
    with pytest.raises(ImageError, match="Unimplemented pixel format"):
        read(dds(name))


def test_sgi_of_16_bits_with_run_lengths_is_refused():
    header = struct.pack(">hBBHHHHll", 474, 1, 2, 3, 24, 20, 3, 0, 65535).ljust(512, b"\0")
    with pytest.raises(ImageError, match="run lengths"):
        read(header + bytes(5000), to_8_bit=True)


@pytest.mark.parametrize("mode", ["L", "RGB", "F"])
def test_numbers_without_black_and_white_are_refused(mode):
    file = io.BytesIO()
    Image.new(mode, (5, 4)).save(file, "SPIDER")
    with pytest.raises(ImageError, match="black and white are not defined"):
        read(file.getvalue(), to_8_bit=True)
