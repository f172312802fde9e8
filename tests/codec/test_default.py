"""The model that ships keeps the promises of its documentation."""

import importlib.resources
import io
import itertools
import os
import pathlib
import warnings

import numpy as np
import pytest
from PIL import Image

import lic
from lic.codec.bitstream import Stream
from lic.evaluation.compare.curves import bd_rate, measured_curve
from lic.evaluation.inspect.pictures import jpeg_of_size
from lic.evaluation.run.metrics import psnr
from tests.conftest import shipped_codec, slow_but

KODAK = pathlib.Path(os.environ.get("LIC_KODAK", pathlib.Path(__file__).parents[3] / "shared" / "data" / "kodak"))
with_kodak = pytest.mark.skipif(not KODAK.is_dir(), reason="no Kodak images; LIC_KODAK names their folder")


@pytest.fixture(scope="module")
def codec():
    return shipped_codec()


@pytest.fixture(scope="module")
def sample():
    return np.asarray(Image.open(importlib.resources.files("lic.models") / "sample" / "dandelion.png"))


def test_it_is_small_and_has_eight_qualities(codec):
    weights = importlib.resources.files("lic.models") / "weights" / "default.codec"
    assert weights.stat().st_size <= 16_000_000
    assert codec.qualities == (1, 2, 3, 4, 5, 6, 7, 8)


def test_it_is_the_model_that_its_name_makes(codec):
    assert codec.model.configuration() == lic.create_model("default").configuration()


def test_the_sample_is_better_than_jpeg_of_its_size(codec, sample):
    stream = codec.compress(sample)
    _, jpeg = jpeg_of_size(sample, len(stream))
    assert psnr(sample, codec.decompress(stream)) > psnr(sample, np.asarray(Image.open(io.BytesIO(jpeg)))) + 1


def test_a_number_of_bytes_is_met_and_not_exceeded(codec, sample):
    for size in (6_000, 20_000):
        assert 0.98 * size <= len(codec.compress_to(sample, size)) <= size
    with pytest.raises(lic.LicError, match="at the lowest quality, more than the 500"):
        codec.compress_to(sample, 500)


def _point(codec, image, quality):
    """Returns bytes and PSNR, after a check that real bits are near the estimate."""
    stream = codec.compress(image, quality=quality)
    real, estimated = 8 * len(Stream.parse(stream).payload), sum(codec.estimate(image, quality=quality).values())
    assert abs(real - estimated) <= 0.01 * estimated + 64 * 8
    return len(stream), psnr(image, codec.decompress(stream))


@with_kodak
@pytest.mark.parametrize("name", slow_but(["kodim05", "kodim20"], "kodim05"))
def test_bytes_and_psnr_rise_with_the_quality(codec, name):
    image = np.asarray(Image.open(KODAK / f"{name}.png"))
    points = [_point(codec, image, quality) for quality in (*codec.qualities[:4], 4.5, *codec.qualities[4:])]
    assert all(low[0] < high[0] and low[1] < high[1] for low, high in itertools.pairwise(points))


@pytest.mark.slow
@with_kodak
def test_it_needs_fewer_bits_than_jpeg_webp_and_avif(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for file in sorted(KODAK.glob("*.png"))[::3]:
        (images / file.name).symlink_to(file)
    classical = ["jpeg=10,30,50,75,85", "webp=5,20,50,80,90", "avif=20,40,60,80"]
    results = lic.evaluate(images, tmp_path / "run", models=["default=1,3,5,7"], codecs=classical)
    default, jpeg, webp, avif = (measured_curve(results, name) for name in ("default", "jpeg", "webp", "avif"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # One curve reaches further than the other.
        assert bd_rate(jpeg, default).value <= -42
        assert bd_rate(webp, default).value <= -14
        assert bd_rate(avif, default).value <= 2
