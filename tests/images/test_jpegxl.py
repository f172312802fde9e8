"""The header of JPEG XL."""

import inspect
import io
import struct

import imagecodecs
import numpy as np
import pytest

from lic.errors import ImageError
from lic.images import image_size, jpegxl, read_image
from tests.images.files import P3_TO_SRGB, SRGB, gamma_tag, icc_profile, levels, samples, saved, through, waves

encode = imagecodecs.jpegxl_encode
PIXELS = samples(waves(), 8)
needs_colours = pytest.mark.skipif(
    "transfer" not in inspect.signature(encode).parameters, reason="this imagecodecs declares sRGB or linear light only"
)


def read(data, **options):
    return read_image(io.BytesIO(data), **options)


@pytest.mark.parametrize(
    "size", [(1, 1), (7, 9), (8, 8), (256, 16), (33, 300), (80, 120), (9, 16), (90, 160), (600, 2)]
)
def test_size(size):
    data = encode(np.zeros((*size, 3), np.uint8), lossless=True)
    assert image_size(io.BytesIO(data)) == size
    assert read(data).shape == (*size, 3)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("container", [False, True])
def test_depth(bits, channels, container):
    numbers = samples(waves(channels), bits)
    stored = numbers[..., 0].copy() if channels == 1 else numbers
    pixels = read(encode(stored, lossless=True, bitspersample=bits, usecontainer=container))
    assert np.abs(pixels - levels(stored, bits)).max() <= 0.51


def test_the_codestream_may_stand_behind_large_boxes():
    data = encode(PIXELS, lossless=True, usecontainer=True)
    start = data.index(b"jxlc") - 4
    exif = b"\0" * 70_000
    with_exif = data[:start] + struct.pack(">I4s", 8 + len(exif), b"Exif") + exif + data[start:]
    assert image_size(io.BytesIO(with_exif)) == image_size(io.BytesIO(data))
    np.testing.assert_array_equal(read(with_exif), PIXELS)


def test_an_animation_of_one_frame_is_read():
    # The header of an animation of two black frames, and the second frame.
    data = bytes.fromhex("ff0a41044d002026080405001c004b188b15820300")
    for options in ({}, {"frame": 0}):
        np.testing.assert_array_equal(read(data, **options), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ImageError, match="frame"):
        read(data, frame=1)


def test_each_alpha_channel_has_its_own_flag():
    def packed(*fields):
        value, place = 0, 0
        for number, width in fields:
            value, place = value | number << place, place + width
        return value.to_bytes(place // 8 + 8, "little"), place

    # Not the default; of kind alpha; 8 bits as integers; no shift; no name; premultiplied.
    channel = ((0, 1), (0, 2), (0, 1), (0, 2), (0, 2), (0, 2), (1, 1))
    data, width = packed(*channel, *channel)
    fields, header = jpegxl._Fields(data), jpegxl._Header((1, 1))
    for _ in range(2):
        header = jpegxl._extra_channel(fields, header)
    assert (header.alpha, header.premultiplied, fields._place) == (True, True, width)


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
def test_more_than_8_bits_are_asked_for(bits):
    data = encode(samples(waves(), bits), lossless=True, bitspersample=bits)
    with pytest.raises(ImageError, match=f"has {bits} bits a channel"):
        read(data)


@pytest.mark.parametrize("distance", [0.5, 2])
def test_lossy_files_are_those_of_the_decoder(distance):
    data = encode(PIXELS, lossless=False, distance=distance)
    np.testing.assert_array_equal(read(data), imagecodecs.jpegxl_decode(data))


@needs_colours
@pytest.mark.parametrize(("transfer", "curve"), [("linear", lambda v: v), ("srgb", None)])
def test_curves_of_deep_samples(transfer, curve):
    numbers = samples(waves(), 16)
    expected = levels(numbers, 16) if curve is None else through(curve, levels(numbers, 16))
    assert np.abs(read(encode(numbers, lossless=True, transfer=transfer), to_8_bit=True) - expected).max() <= 0.6


@needs_colours
def test_display_p3_is_converted():
    expected = through(jpegxl_curve, PIXELS, P3_TO_SRGB)
    assert np.abs(read(encode(PIXELS, lossless=True, primaries="p3")) - expected).max() <= 0.7


@needs_colours
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_high_dynamic_range_is_refused(transfer):
    with pytest.raises(ImageError, match=transfer.upper()):
        read(encode(samples(waves(), 16), lossless=True, transfer=transfer), to_8_bit=True)


def jpegxl_curve(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def test_a_profile_is_refused_since_imagecodecs_does_not_give_it():
    profile = icc_profile("anything", "RGB ", SRGB, gamma_tag(1))
    data = imagecodecs.jpegxl_encode_jpeg(saved(PIXELS, "JPEG", icc_profile=profile))
    with pytest.raises(ImageError, match="ICC profile"):
        read(data)


def test_a_frame_of_several():
    data = encode(np.stack([PIXELS, PIXELS[::-1]]), lossless=True)
    np.testing.assert_array_equal(read(data, frame=1), PIXELS[::-1])
    with pytest.raises(ImageError, match="has 2 frames"):
        read(data)


def test_floating_point_is_refused():
    with pytest.raises(ImageError, match="floating-point"):
        read(encode(waves().astype(np.float32), lossless=True), to_8_bit=True)


def test_every_truncation_is_refused():
    data = encode(PIXELS, lossless=True)
    for size in range(len(data) - 1):
        with pytest.raises(ImageError):
            read(data[:size])


def test_numbers_of_chromaticities_have_signs():
    fields = jpegxl._Fields(bytes([0b1000_1100, 0b0000_0000, 0, 0]))
    assert fields.choose(jpegxl._XY) == 35
    fields = jpegxl._Fields(bytes([0b0000_1100, 0, 0, 0]))
    assert fields.coordinate() == -2e-6
