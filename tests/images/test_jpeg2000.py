"""JPEG 2000: what the file declares."""

import io
import struct

import imagecodecs
import numpy as np
import pytest

from lic.errors import ImageError
from lic.images import read_image
from tests.images.files import SRGB, gamma_tag, icc_profile, levels, samples, through, waves


def encoded(numbers, bits, **options):
    return imagecodecs.jpeg2k_encode(np.ascontiguousarray(numbers), level=0, bitspersample=bits, **options)


def read(data):
    return read_image(io.BytesIO(data), to_8_bit=True)


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("boxed", [False, True])
def test_every_depth_is_rounded(bits, channels, boxed):
    numbers = samples(waves(channels), bits)
    numbers = numbers[..., 0] if channels == 1 else numbers
    data = encoded(numbers, bits, codecformat="jp2" if boxed else "j2k")
    assert np.abs(read(data) - levels(numbers, bits)).max() <= 0.51
    if bits > 8:
        with pytest.raises(ImageError, match=f"has {bits} bits a channel"):
            read_image(io.BytesIO(data))


@pytest.mark.parametrize("bits", [9, 12, 16])
def test_white_is_white(bits):
    white = np.full((16, 16, 3), (1 << bits) - 1, np.uint16)
    assert (read(encoded(white, bits)) == 255).all()


def test_signed_samples_are_refused():
    data = bytearray(encoded(samples(waves(), 8), 8, codecformat="j2k"))
    data[42:51:3] = bytes([128 + 7] * 3)
    with pytest.raises(ImageError, match="signed"):
        read(bytes(data))


def coloured_by(data, contents):
    """A file with another colour box."""
    start = data.index(b"colr") - 4
    (size,) = struct.unpack_from(">I", data, start)
    box = struct.pack(">I4s", 8 + len(contents), b"colr") + contents
    header = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, header)
    resized = data[:header] + struct.pack(">I", length + len(box) - size) + data[header + 4 : start]
    return resized + box + data[start + size :]


@pytest.mark.parametrize("bits", [8, 12])
def test_a_profile_is_applied(bits):
    numbers = samples(waves(), bits)
    profile = icc_profile("anything", "RGB ", SRGB, gamma_tag(1))
    data = coloured_by(encoded(numbers, bits, codecformat="jp2"), b"\2\0\0" + profile)
    assert np.abs(read(data) - through(lambda values: values, levels(numbers, bits))).max() <= 0.6


def test_unknown_colours_are_refused():
    data = coloured_by(encoded(samples(waves(), 8), 8, codecformat="jp2"), b"\1\0\0" + struct.pack(">I", 14))
    with pytest.raises(ImageError, match="number 14"):
        read(data)
