"""The model that ships: what its documentation says of it."""

import importlib.resources
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

import lic
import lic.codec.stream
from lic import demo

# Pillow, optimize=True: mean bits per pixel and PSNR over the 24 Kodak images.
JPEG_BPP = [0.2555, 0.3587, 0.4491, 0.6101, 0.7433, 0.8692, 1.0049, 1.213, 1.3443, 1.549]
JPEG_PSNR = [26.672, 28.145, 29.145, 30.491, 31.422, 32.174, 32.908, 33.917, 34.522, 35.37]
KODAK = pathlib.Path(os.environ.get("LIC_KODAK", pathlib.Path(__file__).parents[3] / "shared" / "data" / "kodak"))


@pytest.fixture(scope="module")
def codec():
    return lic.load("default")


def _psnr(image, decoded):
    return 10 * np.log10(255**2 / np.mean((image - decoded.astype(np.float64)) ** 2))


def _bits(codec, image):
    """Real bits of the range coder's part, and the estimate."""
    payload = lic.codec.stream.Stream.parse(codec.compress(image)).payload
    return 8 * len(payload), sum(codec.estimate(image).values())


def test_it_is_small(codec):
    weights = importlib.resources.files("lic.models") / "weights" / "default.codec"
    assert weights.stat().st_size <= 8_000_000
    assert lic.registry.models.get("default")().parameters <= 4_000_000


def test_the_sample_is_better_than_jpeg_of_its_size(codec):
    image = np.asarray(Image.open(importlib.resources.files("lic.models") / "sample" / "dandelion.png"))
    stream = codec.compress(image)
    _, jpeg = demo.jpeg_of_size(image, len(stream))
    import io

    assert _psnr(image, codec.decompress(stream)) > _psnr(image, np.asarray(Image.open(io.BytesIO(jpeg)))) + 1


@pytest.mark.skipif(not KODAK.is_dir(), reason="the Kodak images are not there; LIC_KODAK names their folder")
def test_kodak_is_a_decibel_above_jpeg_and_bits_are_as_estimated(codec):
    rows = []
    for file in sorted(KODAK.glob("*.png")):
        image = np.asarray(Image.open(file))
        stream = codec.compress(image)
        real, estimated = _bits(codec, image)
        assert abs(real - estimated) <= 0.01 * estimated + 64 * 8, file.name
        rows.append((8 * len(stream) / image[..., 0].size, _psnr(image, codec.decompress(stream))))
    bpp, psnr = np.mean(rows, 0)
    assert len(rows) == 24
    assert psnr >= np.interp(np.log(bpp), np.log(JPEG_BPP), JPEG_PSNR) + 1.0
