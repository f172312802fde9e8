"""TIFF of any depth."""

import io
import struct

import numpy as np
import pytest
import tifffile

from lic.errors import ImageError
from lic.images import read_image
from tests.images.files import (
    BACKGROUND,
    BEHIND,
    SRGB,
    gamma_tag,
    icc_profile,
    levels,
    over,
    samples,
    through,
    tiff,
    waves,
)

GREY, RGB, YCBCR, CIELAB, FILTERS = 1, 2, 6, 8, 32803


def read(data, **options):
    return read_image(io.BytesIO(data), to_8_bit=True, **options)


def written(numbers, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, numbers, **options)
    return file.getvalue()


@pytest.mark.parametrize("bits", [*range(1, 17), 32])
@pytest.mark.parametrize(("photometric", "channels"), [(0, 1), (1, 1), (2, 3)])
def test_every_depth_is_rounded(bits, photometric, channels):
    numbers = samples(waves(channels), bits)
    expected = levels(numbers, bits) if photometric else 255 - levels(numbers, bits)
    pixels = read(tiff(numbers, bits, photometric))
    assert np.abs(pixels - (expected if channels == 3 else expected[..., 0])).max() <= 0.51


@pytest.mark.parametrize("bits", [9, 12, 16, 32])
def test_more_than_8_bits_are_asked_for(bits):
    with pytest.raises(ImageError, match=f"has {bits} bits a channel.*Pass to_8_bit=True"):
        read_image(io.BytesIO(tiff(samples(waves(), bits), bits, RGB)))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": ">"},
        {"bigtiff": True},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "tile": (16, 16)},
        {"planarconfig": "separate"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_layout(bits, options):
    numbers = samples(waves(), bits)
    stored = np.moveaxis(numbers, -1, 0) if "planarconfig" in options else numbers
    pixels = read(written(stored, photometric="rgb", **options))
    assert np.abs(pixels - levels(numbers, bits)).max() <= 0.51


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("multiplied", [False, True])
def test_grey_with_alpha(bits, multiplied):
    numbers = samples(waves(2), bits)
    alpha = levels(numbers[..., 1], bits) / 255
    if multiplied:
        numbers[..., 0] = np.rint(numbers[..., 0] * alpha)
    grey = levels(numbers[..., :1], bits)
    expected = grey + BEHIND * (1 - alpha[..., None]) if multiplied else over(grey, alpha)
    data = tiff(numbers, bits, GREY, extra=[1 if multiplied else 2])
    with pytest.raises(ImageError, match="transparent pixels"):
        read(data)
    pixels = read(data, background=BACKGROUND)
    assert pixels.ndim == 2
    assert np.abs(pixels - expected[..., 0]).max() <= 1


def test_deep_samples_with_a_profile_are_converted_before_they_are_rounded():
    numbers = samples(waves() / 16, 16)
    profile = icc_profile("anything", "RGB ", SRGB, gamma_tag(1))
    pixels = read(tiff(numbers, 16, RGB, more=[(34675, profile)]))
    assert np.abs(pixels - through(lambda values: values, numbers / 257)).max() <= 0.6


@pytest.mark.parametrize(("frame", "shape"), [(0, (20, 24, 3)), (1, (10, 24, 3)), (2, (5, 24))])
def test_each_page_is_read_by_its_own_tags(frame, shape):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(samples(waves(), 8), photometric="rgb")
        writer.write(samples(waves(height=10), 16), photometric="rgb")
        writer.write(samples(waves(1, height=5)[..., 0], 16), photometric="miniswhite")
    data = file.getvalue()
    assert read(data, frame=frame).shape == shape
    with pytest.raises(ImageError, match="has 3 frames"):
        read(data)
    if frame:
        with pytest.raises(ImageError, match="has 16 bits"):
            read_image(io.BytesIO(data), frame=frame)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tiff(waves().astype(np.float32), 32, RGB, 3), "floating-point"),
        (tiff(waves(1).astype(np.float16), 16, GREY, 3), "floating-point"),
        (tiff(samples(waves(), 8), 8, RGB, 2), "signed"),
        (tiff(samples(waves(1), 32), 32, GREY, 2), "signed"),
        (tiff(waves(1).astype(np.complex64), 64, GREY, 6), "floating-point"),
        (tiff(samples(waves(), 16), 16, YCBCR), "photometric interpretation 6"),
        (tiff(samples(waves(), 16), 16, CIELAB), "photometric interpretation 8"),
        (tiff(samples(waves(1), 16), 16, FILTERS), "photometric interpretation 32803"),
        (tiff(samples(waves(), 24), 24, RGB), "24 bits"),
        (tiff(samples(waves(5), 16), 16, GREY, extra=[0] * 4), "5 channels"),
        (tiff(samples(waves(1), 8), 8, GREY, more=[(32997, [20])]), "volume of 20"),
    ],
)
def test_what_has_no_meaning_in_8_bits_is_refused(data, reason):
    with pytest.raises(ImageError, match=reason) as error:
        read(data)
    assert not error.value.advice


def test_a_damaged_directory_names_the_file(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<IH", 8, 3) + b"\xff" * 36)
    with pytest.raises(ImageError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif")
