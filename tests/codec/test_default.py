"""The model that ships: what its documentation says of it."""

import functools
import importlib.resources
import io
import itertools
import os
import pathlib
import warnings

import bjontegaard
import numpy as np
import pytest
from PIL import Image

import lic
import lic.codec.stream
from lic import demo

KODAK = pathlib.Path(os.environ.get("LIC_KODAK", pathlib.Path(__file__).parents[3] / "shared" / "data" / "kodak"))
with_kodak = pytest.mark.skipif(not KODAK.is_dir(), reason="no Kodak images; LIC_KODAK names their folder")


@pytest.fixture(scope="module")
def codec():
    return lic.load("default")


@pytest.fixture(scope="module")
def sample():
    return np.asarray(Image.open(importlib.resources.files("lic.models") / "sample" / "dandelion.png"))


def _psnr(image, decoded):
    return 10 * np.log10(255**2 / np.mean((image - decoded.astype(np.float64)) ** 2))


def _point(codec, image, quality):
    """Bits per pixel and PSNR, after a check that real bits are those estimated."""
    stream = codec.compress(image, quality=quality)
    real = 8 * len(lic.codec.stream.Stream.parse(stream).payload)
    estimated = sum(codec.estimate(image, quality=quality).values())
    assert abs(real - estimated) <= 0.01 * estimated + 64 * 8
    return 8 * len(stream) / image[..., 0].size, _psnr(image, codec.decompress(stream))


def test_it_is_small(codec):
    weights = importlib.resources.files("lic.models") / "weights" / "default.codec"
    assert weights.stat().st_size <= 12_000_000
    assert codec.qualities == (1, 2, 3, 4, 5, 6, 7, 8)


def test_the_sample_is_better_than_jpeg_of_its_size(codec, sample):
    stream = codec.compress(sample)
    _, jpeg = demo.jpeg_of_size(sample, len(stream))
    assert _psnr(sample, codec.decompress(stream)) > _psnr(sample, np.asarray(Image.open(io.BytesIO(jpeg)))) + 1


def test_a_number_of_bytes_is_met_and_not_exceeded(codec, sample):
    for size in (6_000, 20_000):
        assert 0.98 * size <= len(codec.compress_to(sample, size)) <= size
    with pytest.raises(lic.LicError, match="at the lowest quality, more than the 500"):
        codec.compress_to(sample, 500)


@with_kodak
@pytest.mark.parametrize("name", ["kodim05", "kodim20"])
def test_bytes_and_psnr_rise_with_the_quality(codec, name):
    image = np.asarray(Image.open(KODAK / f"{name}.png"))
    points = [_point(codec, image, quality) for quality in (*codec.qualities[:4], 4.5, *codec.qualities[4:])]
    assert all(low[0] < high[0] and low[1] < high[1] for low, high in itertools.pairwise(points))


@with_kodak
def test_it_needs_fewer_bits_than_jpeg_and_webp(codec):
    images = [np.asarray(Image.open(file)) for file in sorted(KODAK.glob("*.png"))[::3]]
    curve = _mean_curve(images, (1, 3, 5, 7), functools.partial(_point, codec))
    jpeg = _mean_curve(images, (10, 30, 50, 75, 85), functools.partial(_pillow, "JPEG", {"optimize": True}))
    webp = _mean_curve(images, (5, 20, 50, 80, 90), functools.partial(_pillow, "WebP", {"method": 6}))
    assert _bd_rate(jpeg, curve) <= -35
    assert _bd_rate(webp, curve) <= 0


def _mean_curve(images, qualities, point):
    return [np.mean([point(image, quality) for image in images], 0) for quality in qualities]


def _pillow(form, options, image, quality):
    data = io.BytesIO()
    Image.fromarray(image).save(data, form, quality=quality, **options)
    return 8 * len(data.getvalue()) / image[..., 0].size, _psnr(image, np.asarray(Image.open(data)))


def _bd_rate(anchor, curve):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # One curve reaches further than the other.
        return bjontegaard.bd_rate(*zip(*anchor), *zip(*curve), method="pchip", require_matching_points=False)
