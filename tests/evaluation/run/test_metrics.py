import math

import numpy as np
import pytest

from lic.errors import ImageError
from lic.evaluation.run.metrics import in_decibels, ms_ssim, psnr
from tests.conftest import random_images


@pytest.fixture(scope="module")
def image():
    return random_images(192, 176, 3)


def test_identical_images(image):
    assert psnr(image, image) == math.inf
    assert ms_ssim(image, image) == pytest.approx(1)
    assert in_decibels(1.0) == math.inf


@pytest.mark.parametrize("offset", [1, 5, 20])
def test_a_constant_offset(offset):
    grey = np.full((30, 20, 3), 100, np.uint8)
    assert psnr(grey, grey + np.uint8(offset)) == pytest.approx(20 * math.log10(255 / offset))


def test_the_peak_is_that_of_the_bits(image):
    deep = image.astype(np.uint16) * 257
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 9, image.shape), 0, 255).astype(np.uint8)
    assert psnr(deep, noisy.astype(np.uint16) * 257, 16) == pytest.approx(psnr(image, noisy))
    assert ms_ssim(deep, noisy.astype(np.uint16) * 257, 16) == pytest.approx(ms_ssim(image, noisy), abs=1e-5)
    assert psnr(np.zeros((3, 3), np.uint16), np.full((3, 3), 1023, np.uint16), 10) == 0


@pytest.mark.parametrize("channels", [1, 4, 13])
def test_ms_ssim_is_the_mean_over_the_channels(channels):
    one, other = (random_images(170, 180, channels, seed=seed) for seed in range(2))
    mixed = one // 2 + other // 2
    alone = [ms_ssim(one[..., channel], mixed[..., channel]) for channel in range(channels)]
    assert ms_ssim(one, mixed) == pytest.approx(np.mean(alone), abs=1e-4)


def test_differences_do_not_wrap_around():
    black, white = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert psnr(black, white) == psnr(white, black) == 0


def test_ms_ssim_falls_with_noise(image):
    noise = np.random.default_rng(0).normal(size=image.shape)
    values = [ms_ssim(image, np.clip(image + scale * noise, 0, 255).astype(np.uint8)) for scale in (2, 10, 40)]
    assert 1 > values[0] > values[1] > values[2] > 0
    assert in_decibels(0.99) == pytest.approx(20)


@pytest.mark.parametrize(("size", "known"), [((161, 161), True), ((160, 300), False), ((300, 1), False)])
def test_five_scales_need_161_pixels(size, known):
    image = np.zeros((*size, 3), np.uint8)
    value = ms_ssim(image, image)
    assert (value is not None) == known
    assert in_decibels(None) is None


def test_grey_images_are_measured_too(image):
    grey, darker = image[..., 0], image[..., 0] // 2
    assert psnr(grey, darker) == pytest.approx(psnr(*(np.stack([each] * 3, -1) for each in (grey, darker))))
    assert 0 < ms_ssim(grey, darker) < 1


def test_other_shapes_are_refused(image):
    with pytest.raises(ImageError, match=r"has the shape \(192, 175, 3\), the original \(192, 176, 3\)"):
        psnr(image, image[:, 1:])


def test_psnr_is_that_of_scikit_image(image):
    from skimage import metrics

    noise = np.random.default_rng(0).normal(0, 7, image.shape)
    other = np.clip(image + noise, 0, 255).astype(np.uint8)
    assert psnr(image, other) == pytest.approx(metrics.peak_signal_noise_ratio(image, other, data_range=255), abs=1e-4)
