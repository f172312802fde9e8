import numpy as np

from lic.testing.images import uneven_image


def test_parts_of_an_image_and_images_differ_in_their_ends():
    images = [uneven_image(160, 160, 3, seed) for seed in range(3)]
    assert np.all(np.diff([int(image.max()) for image in images]) < -10)
    assert np.all(np.diff([int(image.min()) for image in images]) > 10)
    for image in images:
        dark, bright = image[:80, :80].astype(int), image[80:, 80:].astype(int)
        assert dark.max() < bright.max() - 10
        assert dark.min() < bright.min() - 10
        assert dark.std() > 1.1 * bright.std()


def test_images_may_be_of_any_size():
    assert uneven_image(1, 1, 4).shape == (1, 1, 4)
    assert uneven_image(3, 130, 1).dtype == np.uint8
