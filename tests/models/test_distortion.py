import numpy as np
import pytest

from lic.environment import tf
from lic.models.distortion import LEAST_SIZE, mean_squared_error, ms_ssim, psnr_of
from tests.conftest import random_images


def _images(size=LEAST_SIZE):
    return tf.constant(random_images(2, size, size, 3), tf.float32)


def test_mean_squared_error_is_one_number_an_image():
    first = tf.constant([0.0, 10.0])[:, None, None, None] + tf.zeros((2, 3, 4, 3))
    np.testing.assert_allclose(mean_squared_error(first, tf.zeros((2, 3, 4, 3))), [0, 100])


def test_psnr_is_in_db_and_finite_for_equal_images():
    np.testing.assert_allclose(psnr_of(tf.constant([1.0, 255.0**2])), [48.1308, 0], atol=1e-3)
    assert np.isfinite(psnr_of(tf.constant(0.0)))


def test_ms_ssim_is_one_for_equal_images_and_falls_with_noise():
    images = _images()
    noise = tf.random.normal(images.shape)
    values = [ms_ssim(images, images + spread * noise) for spread in (0, 10, 40)]
    np.testing.assert_allclose(values[0], [1, 1], atol=1e-5)
    assert np.all(np.diff(values, axis=0) < -0.001)


def test_the_smallest_size_is_the_smallest():
    images = _images(LEAST_SIZE - 1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.image.ssim_multiscale(images, images, 255.0)
    with pytest.raises(ValueError, match=r"at least 161x161 pixels for its five scales. Received: 160x160"):
        ms_ssim(images, images)


def test_the_gradient_is_finite_for_anticorrelated_images():
    images = _images()
    decoded = tf.stack([255 - images[0], images[1] + 3])
    with tf.GradientTape() as tape:
        tape.watch(decoded)
        loss = tf.reduce_sum(1 - ms_ssim(images, decoded))
    gradient = tape.gradient(loss, decoded).numpy()
    assert np.isfinite(gradient).all()
    # The other image of the batch learns all the same.
    assert np.abs(gradient[1]).max() > 0


def test_the_gradient_leads_nearer():
    images = _images()
    decoded = images + 20 * tf.random.normal(images.shape)
    with tf.GradientTape() as tape:
        tape.watch(decoded)
        value = ms_ssim(images, decoded)
    step = tape.gradient(value, decoded)
    assert np.all(ms_ssim(images, decoded + 5 * step / tf.reduce_max(tf.abs(step))) > value)
