import math
import types

import numpy as np
import pytest

from lic.evaluation.inspect import pictures
from lic.evaluation.inspect.pictures import Picture, beside_jpeg, jpeg_of_size
from lic.evaluation.run.classical import classical_codec
from lic.evaluation.run.metrics import psnr
from tests.conftest import random_images

IMAGE = random_images(64, 80, 3)


@pytest.mark.parametrize("image", [IMAGE, IMAGE[..., 0]], ids=["colour", "grey"])
def test_jpeg_of_the_same_size_is_the_largest_that_fits(image):
    quality, data = jpeg_of_size(image, 1200)
    assert len(data) <= 1200
    assert data == classical_codec("jpeg").compress(image, quality=quality)
    assert len(classical_codec("jpeg").compress(image, quality=quality + 1)) > 1200


def test_sizes_that_fall_with_quality_do_not_end_the_search(monkeypatch):
    # Sizes are ten times the quality, but for a quality that takes a little more than the next one.
    codec = types.SimpleNamespace(compress=lambda _, quality: bytes(515 if quality == 50 else 10 * quality))
    monkeypatch.setattr(pictures, "classical_codec", lambda name: codec)
    assert jpeg_of_size(IMAGE, 512) == (51, bytes(510))
    assert jpeg_of_size(IMAGE, 509) == (49, bytes(490))


def test_if_none_fits_it_is_the_smallest():
    assert jpeg_of_size(IMAGE, 10) == (1, classical_codec("jpeg").compress(IMAGE, quality=1))


def test_if_all_fit_it_is_the_best():
    assert jpeg_of_size(IMAGE, 10**7)[0] == 95


@pytest.mark.parametrize("image", [IMAGE, IMAGE[..., 0]], ids=["colour", "grey"])
def test_pictures_have_their_bits_and_psnr(image):
    worse = image // 2
    original, decoded, jpeg = beside_jpeg(image, b"s" * 1200, worse)
    assert (original.bytes, original.psnr) == (image.size, math.inf)
    assert (decoded.bytes, decoded.bpp, decoded.psnr) == (1200, 8 * 1200 / (64 * 80), psnr(image, worse))
    quality, data = jpeg_of_size(image, 1200)
    assert (jpeg.name, jpeg.bytes) == (f"JPEG quality {quality}", len(data))
    np.testing.assert_array_equal(jpeg.pixels, classical_codec("jpeg").decompress(data))
    assert jpeg.psnr == psnr(image, jpeg.pixels)


def test_figures_are_one_line():
    assert Picture("a", IMAGE, 8 * 1234, 31.256).figures == "1,234 bytes, 1.928 bpp, 31.26 dB"
    assert Picture("a", IMAGE, 8 * 1234, math.inf).figures == "1,234 bytes, 1.928 bpp, lossless"
