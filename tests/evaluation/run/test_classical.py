import importlib.resources

import numpy as np
import pytest

from lic.errors import ImageError, RegistryError
from lic.evaluation.run.classical import CLASSICAL, classical_codec
from lic.evaluation.run.metrics import psnr
from lic.images import read_image
from lic.images.arrays import coloured


@pytest.fixture(scope="module")
def photograph():
    return read_image(importlib.resources.files("lic.models") / "sample" / "dandelion.png")[:256, :320]


@pytest.mark.parametrize("name", CLASSICAL)
def test_bytes_and_psnr_rise_along_the_qualities(name, photograph):
    codec = classical_codec(name)
    streams = [codec.compress(photograph, quality=quality) for quality in codec.qualities[::2]]
    decoded = [codec.decompress(stream) for stream in streams]
    assert [image.shape for image in decoded] == [photograph.shape] * len(streams)
    assert np.all(np.diff([len(stream) for stream in streams]) > 0)
    decibels = [psnr(photograph, image) for image in decoded]
    assert np.all(np.diff(decibels) > 0)
    assert decibels[-1] - decibels[0] > 6


@pytest.mark.parametrize("name", CLASSICAL)
def test_qualities_have_bounds(name, photograph):
    codec = classical_codec(name)
    least, most = codec.bounds
    for quality in codec.bounds:
        assert codec.decompress(codec.compress(photograph, quality=quality)).shape == photograph.shape
    for quality in (least - 1, most + 1):
        with pytest.raises(ImageError, match=f"{name}: expected quality from .* to {most}. Received: {quality:g}"):
            codec.compress(photograph, quality=quality)


@pytest.mark.parametrize("name", CLASSICAL)
def test_grey_and_odd_sizes_come_back(name, photograph):
    codec = classical_codec(name)
    grey = np.ascontiguousarray(photograph[:31, :45, 1])
    decoded = codec.decompress(codec.compress(grey, quality=codec.qualities[-1]))
    assert decoded.shape[:2] == grey.shape
    assert psnr(coloured(grey), coloured(decoded)) > 30


@pytest.mark.parametrize("name", CLASSICAL)
def test_settings_and_qualities_are_stated(name):
    codec = classical_codec(name)
    assert codec.name == name
    assert "=" in codec.settings
    assert len(codec.qualities) >= 5


def test_an_unknown_name_is_an_error_with_similar_names():
    with pytest.raises(RegistryError, match="no classical codec named 'jpg'. Did you mean 'jpeg"):
        classical_codec("jpg")


def test_a_missing_codec_is_an_error_that_names_its_package(monkeypatch):
    monkeypatch.setitem(CLASSICAL, "jpegxl", CLASSICAL["jpegxl"]._replace(available=lambda: False))
    with pytest.raises(RegistryError, match=r"jpegxl is missing here.*pip install 'keras-lic\[eval\]'"):
        classical_codec("jpegxl")


def test_an_image_that_an_encoder_refuses_is_an_image_error():
    with pytest.raises(ImageError, match=r"webp cannot encode \(20000, 1, 3\) at quality 50"):
        classical_codec("webp").compress(np.zeros((20000, 1, 3), np.uint8), quality=50)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("jpeg", "optimize=True"),
        ("webp", "method=6"),
        ("avif", "subsampling='4:4:4', speed=6"),
        ("jpegxl", "effort=7"),
        ("jpeg2000", "quality_mode='dB', irreversible=True, mct=1"),
    ],
)
def test_anchors_have_the_settings_of_published_figures(name, settings):
    assert settings in CLASSICAL[name].settings
