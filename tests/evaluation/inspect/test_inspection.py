import numpy as np
import pytest
from PIL import Image

import lic
from lic.codec.bitstream import Stream
from lic.errors import ImageError
from lic.evaluation.inspect.bit_map import bit_map
from lic.evaluation.inspect.inspection import Box, absolute_error, inspect_image, largest_error
from lic.evaluation.run.metrics import psnr
from tests.conftest import random_images, tiny_model

IMAGE = random_images(50, 70, 3)


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "charm", num_slices=3))


@pytest.fixture(scope="module")
def inspection(codec):
    return inspect_image(codec, IMAGE)


def test_it_holds_the_results_of_the_codec(codec, inspection):
    stream = codec.compress(IMAGE)
    np.testing.assert_array_equal(inspection.original.pixels, IMAGE)
    np.testing.assert_array_equal(inspection.decoded.pixels, codec.decompress(stream))
    assert inspection.decoded.bytes == len(stream)
    assert inspection.jpeg.name.startswith("JPEG")
    assert inspection.bits.parts == bit_map(codec, IMAGE).parts
    np.testing.assert_array_equal(inspection.error, absolute_error(IMAGE, inspection.decoded.pixels))


def test_previews_are_those_of_the_codec_and_their_bits_add_up(codec, inspection):
    stream = codec.compress(IMAGE)
    assert [each.name for each in inspection.previews] == [f"{parts} of 3 parts" for parts in range(4)]
    estimated = codec.estimate(IMAGE)
    for parts, each in enumerate(inspection.previews):
        np.testing.assert_array_equal(each.pixels, codec.decompress(stream, parts=parts))
        assert each.psnr == psnr(IMAGE, each.pixels)
        assert each.bits == pytest.approx(sum(estimated[name] for name in ("side", *codec.parts[:parts])), rel=1e-5)


def test_a_map_is_kept_by_position_and_pillow_images_are_taken():
    codec = lic.Codec(tiny_model("klt", "factorized", lmbda=(0.001, 0.01, 0.1)))
    quality = {"background": 1, "boxes": [(16, 16, 10, 10, 3)]}
    inspection = inspect_image(codec, Image.fromarray(IMAGE), quality=quality)
    assert inspection.quality.shape == inspection.bits.positions.shape
    assert np.argwhere(inspection.quality == 3).tolist() == [[1, 1]]
    assert inspection.decoded.bytes == len(codec.compress(IMAGE, quality=quality))
    assert inspect_image(codec, IMAGE, quality=2).quality is None


def test_two_parts_have_no_previews_and_the_quality_is_the_one_given():
    codec = lic.Codec(tiny_model("klt", "checkerboard", lmbda=(0.001, 0.1)))
    inspection = inspect_image(codec, IMAGE, quality=1.5)
    assert inspection.previews == ()
    stream = codec.compress(IMAGE, quality=1.5)
    assert inspection.decoded.bytes == len(stream)
    assert Stream.parse(stream).quality == 1.5
    assert dict(inspection.bits.parts) == pytest.approx(
        {name: bits for name, bits in codec.estimate(IMAGE, quality=1.5).items() if name != "side"}, rel=1e-5
    )


@pytest.mark.parametrize("image", [random_images(1, 1, 3), random_images(3, 90, 3), IMAGE[..., 0]])
def test_any_size_and_grey(codec, image):
    inspection = inspect_image(codec, image)
    assert inspection.decoded.pixels.shape == inspection.jpeg.pixels.shape == image.shape
    assert inspection.error.shape == image.shape[:2]
    assert inspection.crop.cut(image).shape[:2] == (inspection.crop.height, inspection.crop.width)


def test_the_largest_error_is_found():
    error = np.zeros((200, 320))
    error[100:150, 200:280] = 3.0
    error[7, 7] = 30.0  # A single large error adds less than many small ones.
    assert largest_error(error) == Box(100, 200, 50, 80)
    assert largest_error(np.zeros((20, 500))) == Box(0, 0, 20, 125)
    assert largest_error(np.ones((1, 1))) == Box(0, 0, 1, 1)


def test_errors_are_means_over_channels():
    original, decoded = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    decoded[0, 1] = (3, 0, 6)
    np.testing.assert_array_equal(absolute_error(original, decoded), [[0, 3], [0, 0]])
    np.testing.assert_array_equal(absolute_error(decoded[..., 2], original[..., 2]), [[0, 6], [0, 0]])


def test_a_crop_is_taken_as_it_is(codec):
    box = Box(40, 60, 10, 10)
    assert inspect_image(codec, IMAGE, crop=box).crop == box
    np.testing.assert_array_equal(box.cut(IMAGE), IMAGE[40:, 60:])


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 0, 5), (0, 0, 5, 0), (0, 66, 5, 5), (46, 0, 5, 1)]
)
def test_a_crop_outside_of_the_image_is_an_error(codec, box):
    with pytest.raises(
        ValueError, match="inspect_image: expected crop to be a Box within height=50 and width=70. Received: Box"
    ):
        inspect_image(codec, IMAGE, crop=Box(*box))


def test_wrong_arguments_are_errors(codec):
    with pytest.raises(ValueError, match="single rate"):
        inspect_image(codec, IMAGE, quality=2)
    with pytest.raises(ImageError):
        inspect_image(codec, IMAGE.astype(float))
