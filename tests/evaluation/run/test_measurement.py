import math
import mmap
import time

import numpy as np
import pytest

import lic
from lic.errors import ImageError
from lic.evaluation.run import measurement
from lic.evaluation.run.classical import classical_codec
from lic.evaluation.run.measurement import (
    CONVENTIONS,
    LOSSLESS,
    TOO_SMALL,
    measure,
    peak_memory,
    reset_peak_memory,
)
from lic.evaluation.run.results import Row
from tests.conftest import random_images, tiny_model


class Shifts:
    """A codec that adds a constant to each value, after some seconds."""

    def __init__(self, by=0, seconds=0.0):
        self.by, self.seconds = by, seconds

    def compress(self, image, *, quality):
        self.image = image
        time.sleep(self.seconds)
        return b"x" * int(quality)

    def decompress(self, stream):
        return self.image + np.uint8(self.by)


DARK = random_images(176, 200, 3) // 2


def test_known_figures():
    row = measure(Shifts(by=4, seconds=0.02), "shifts", "dark", DARK, 100)
    assert row[:7] == ("shifts", "dark", 100, 176, 200, 100, 800 / 35200)
    assert row.psnr == pytest.approx(20 * math.log10(255 / 4))
    assert 0 < row.ms_ssim < 1
    assert row.ms_ssim_db == pytest.approx(-10 * math.log10(1 - row.ms_ssim))
    assert 0.02 <= row.encode_seconds < 1
    assert row.decode_seconds < row.encode_seconds
    assert row.encode_coder_seconds is row.decode_coder_seconds is row.encode_networks_seconds is None
    assert row.peak_memory > 50 << 20
    assert row.notes == ""


def test_a_lossless_codec_has_no_finite_psnr_and_a_note():
    row = measure(Shifts(), "shifts", "dark", DARK, 1)
    assert (row.psnr, row.ms_ssim, row.ms_ssim_db, row.notes) == (None, 1.0, None, LOSSLESS)


def test_a_small_image_has_no_ms_ssim_and_a_note():
    row = measure(Shifts(by=1), "shifts", "small", DARK[:160], 1)
    assert (row.ms_ssim, row.ms_ssim_db, row.notes) == (None, None, TOO_SMALL)
    assert "161x161" in TOO_SMALL


def test_time_of_a_learned_codec_is_that_of_networks_and_coder():
    codec = lic.Codec(tiny_model("klt", "charm"))
    row = measure(codec, "tiny", "dark", DARK)
    assert row.bytes == len(codec.compress(DARK))
    for way in ("encode", "decode"):
        total, coder, networks = (
            getattr(row, f"{way}_{what}") for what in ("seconds", "coder_seconds", "networks_seconds")
        )
        assert 0 < coder < total
        assert networks == pytest.approx(total - coder)


def test_time_of_a_learned_codec_is_without_that_of_measuring(monkeypatch):
    codec = lic.Codec(tiny_model("klt", "factorized"))
    codec.decompress(codec.compress(DARK))  # Networks are traced here.

    def slow(*_):
        time.sleep(0.5)
        return 0.001, 0.002

    monkeypatch.setattr("lic.codec.codec.coder_seconds", slow)
    began = time.perf_counter()
    row = measure(codec, "tiny", "dark", DARK)
    assert (row.encode_coder_seconds, row.decode_coder_seconds) == (0.001, 0.002)
    assert row.encode_seconds + row.decode_seconds < time.perf_counter() - began - 1.0


def test_classical_codec():
    row = measure(classical_codec("jpeg"), "jpeg", "dark", DARK, 90)
    assert row.bytes == len(classical_codec("jpeg").compress(DARK, quality=90))
    assert 28 < row.psnr < 35


def test_an_image_of_another_shape_is_an_error():
    class Crops(Shifts):
        def decompress(self, stream):
            return self.image[1:]

    with pytest.raises(ImageError, match="shape"):
        measure(Crops(), "crops", "dark", DARK, 1)


def test_every_figure_has_its_convention():
    named = "".join(CONVENTIONS)
    figures = [name for name in Row._fields if name not in ("codec", "image", "quality", "height", "width", "notes")]
    assert all(name.removesuffix("_db") in named or name.endswith("seconds") for name in figures)


MEGABYTES = 96 << 20


def test_the_peak_is_that_since_the_reset():
    reset_peak_memory()
    before = peak_memory()
    with mmap.mmap(-1, MEGABYTES) as pages:  # Memory of an array may be kept for later by its allocator.
        for place in range(0, MEGABYTES, mmap.PAGESIZE):
            pages[place] = 1
        with_pages = peak_memory()
    reset_peak_memory()
    assert with_pages - before > 0.8 * MEGABYTES
    assert with_pages - peak_memory() > 0.8 * MEGABYTES


def test_a_system_without_the_figure_has_no_peak(monkeypatch, tmp_path):
    monkeypatch.setattr(measurement, "_PROCESS", tmp_path)
    reset_peak_memory()
    assert peak_memory() is None
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert peak_memory() is None
