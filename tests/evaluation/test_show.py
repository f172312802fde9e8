import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from lic.errors import ImageError
from lic.evaluation.bit_map import bit_map
from lic.evaluation.metrics import psnr
from lic.evaluation.show import Box, error_of, largest_error, show
from tests.conftest import random_images, tiny_model

IMAGE = random_images(50, 70, 3)


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "charm", num_slices=3))


def test_it_is_what_the_codec_says(codec):
    shown, stream = show(codec, IMAGE), codec.compress(IMAGE)
    np.testing.assert_array_equal(shown.original.pixels, IMAGE)
    np.testing.assert_array_equal(shown.decoded.pixels, codec.decompress(stream))
    assert shown.decoded.bytes == len(stream)
    assert shown.jpeg.name.startswith("JPEG")
    assert shown.bits.parts == bit_map(codec, IMAGE).parts
    np.testing.assert_array_equal(shown.error, error_of(IMAGE, shown.decoded.pixels))


def test_previews_are_those_of_the_codec_and_their_bits_add_up(codec):
    shown, stream = show(codec, IMAGE), codec.compress(IMAGE)
    assert [each.name for each in shown.previews] == [f"{parts} of 3 parts" for parts in range(4)]
    estimated = codec.estimate(IMAGE)
    for parts, each in enumerate(shown.previews):
        np.testing.assert_array_equal(each.pixels, codec.decompress(stream, parts=parts))
        assert each.psnr == psnr(IMAGE, each.pixels)
        assert each.bits == pytest.approx(sum(estimated[name] for name in ("side", *codec.parts[:parts])), rel=1e-5)


def test_two_parts_are_no_sequence_and_the_quality_is_the_one_that_is_asked_for():
    codec = lic.Codec(tiny_model("klt", "checkerboard", lmbda=(0.001, 0.1)))
    shown = show(codec, IMAGE, quality=1.5)
    assert shown.previews == ()
    stream = codec.compress(IMAGE, quality=1.5)
    assert shown.decoded.bytes == len(stream)
    assert Stream.parse(stream).quality == 1.5
    assert dict(shown.bits.parts) == pytest.approx(
        {name: bits for name, bits in codec.estimate(IMAGE, quality=1.5).items() if name != "side"}, rel=1e-5
    )


@pytest.mark.parametrize("image", [random_images(1, 1, 3), random_images(3, 90, 3), IMAGE[..., 0]])
def test_any_size_and_grey(codec, image):
    shown = show(codec, image)
    assert shown.decoded.pixels.shape == shown.jpeg.pixels.shape == image.shape
    assert shown.error.shape == image.shape[:2]
    assert shown.crop.cut(image).shape[:2] == (shown.crop.height, shown.crop.width)


def test_the_largest_error_is_found():
    error = np.zeros((200, 320))
    error[100:150, 200:280] = 3.0
    error[7, 7] = 30.0  # One number that is large is less than many.
    assert largest_error(error) == Box(200, 100, 80, 50)
    assert largest_error(np.zeros((20, 500))) == Box(0, 0, 125, 20)
    assert largest_error(np.ones((1, 1))) == Box(0, 0, 1, 1)


def test_errors_are_means_over_channels():
    original, decoded = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    decoded[0, 1] = (3, 0, 6)
    np.testing.assert_array_equal(error_of(original, decoded), [[0, 3], [0, 0]])
    np.testing.assert_array_equal(error_of(decoded[..., 2], original[..., 2]), [[0, 6], [0, 0]])


def test_a_crop_is_taken_as_it_is(codec):
    box = Box(60, 40, 10, 10)
    assert show(codec, IMAGE, crop=box).crop == box
    np.testing.assert_array_equal(box.cut(IMAGE), IMAGE[40:, 60:])


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 0, 5), (0, 0, 5, 0), (66, 0, 5, 5), (0, 46, 1, 5)]
)
def test_a_crop_outside_is_told(codec, box):
    with pytest.raises(ValueError, match="show: expected crop to be .* within the 70x50 pixels. Received: "):
        show(codec, IMAGE, crop=Box(*box))


def test_wrong_arguments_are_told(codec):
    with pytest.raises(ValueError, match="single rate"):
        show(codec, IMAGE, quality=2)
    with pytest.raises(ImageError):
        show(codec, IMAGE.astype(float))
