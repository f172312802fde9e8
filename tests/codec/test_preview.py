"""Streams of which the first parts are decoded."""

import importlib.resources
import itertools
import logging

import numpy as np
import pytest

from lic.codec.bitstream import Stream
from lic.errors import BitstreamError, DesyncError, WrongModelError
from lic.evaluation.run.metrics import psnr
from lic.images import read_image
from tests.conftest import ENTROPY_MODELS, random_images, shared_codec, shipped_codec, slow_but

IMAGE = random_images(64, 80, 3)


@pytest.fixture
def codec():
    return shared_codec("klt", "charm", num_slices=3)


@pytest.mark.parametrize("entropy", slow_but(ENTROPY_MODELS, "checkerboard", "factorized", "hyperprior"))
def test_no_part_at_any_size_is_an_image(entropy):
    codec = shared_codec("klt", entropy)
    for size in [(1, 1), (1, 57), (33, 50)]:
        image = random_images(*size, 3)
        stream = codec.compress(image)
        nothing = codec.decompress(stream, parts=0)
        assert (nothing.dtype, nothing.shape) == (np.uint8, image.shape)
        np.testing.assert_array_equal(codec.decompress(stream, parts=len(codec.parts)), codec.decompress(stream))


def test_the_parts_are_named(codec):
    assert codec.parts == ("channels 0-3", "channels 4-7", "channels 8-11")


def test_each_part_changes_the_image(codec):
    stream = codec.compress(IMAGE)
    previews = [codec.decompress(stream, parts=parts) for parts in range(4)]
    for fewer, more in itertools.pairwise(previews):
        assert np.any(fewer != more)
    for parts in (3, np.int64(3)):
        np.testing.assert_array_equal(codec.decompress(stream, parts=parts), codec.decompress(stream))


def test_a_preview_is_traced_once_for_all_images_and_the_ordinary_decode_never_again(codec, caplog):
    caplog.set_level(logging.WARNING)
    for size in [(20, 30), (1, 1), (40, 17)]:
        stream = codec.compress(random_images(*size, 3))
        codec.decompress(stream)
        for parts in range(3):
            codec.decompress(stream, parts=parts)
    assert codec._graphs.decode.experimental_get_tracing_count() == 1
    assert codec._graphs.preview(2).experimental_get_tracing_count() == 1
    assert "retracing" not in caplog.text


def test_grey_stays_grey(codec):
    stream = codec.compress(IMAGE[..., 0])
    assert codec.decompress(stream, parts=1).shape == IMAGE.shape[:2]


def test_at_a_variable_rate_it_is_a_preview_of_the_quality():
    codec = shared_codec("klt", "checkerboard", lmbda=(0.001, 0.01, 0.1))
    for quality in (1, 2.5):
        stream = codec.compress(IMAGE, quality=quality)
        nothing, half, everything = (psnr(IMAGE, codec.decompress(stream, parts=parts)) for parts in range(3))
        assert nothing + 0.5 < half < everything - 0.5
        np.testing.assert_array_equal(codec.decompress(stream, parts=2), codec.decompress(stream))


def test_psnr_of_the_default_model_rises_with_the_parts():
    with importlib.resources.as_file(importlib.resources.files("lic.models") / "sample" / "dandelion.png") as path:
        image = read_image(path)[:256, :384]
    codec = shipped_codec()
    assert codec.parts == ("anchors", "non-anchors")
    stream = codec.compress(image)
    decibels = [psnr(image, codec.decompress(stream, parts=parts)) for parts in range(3)]
    assert decibels[0] + 1 < decibels[1] < decibels[2] - 1


def test_symbols_are_checked_if_all_are_read(codec):
    stream = Stream.parse(codec.compress(IMAGE))
    other = stream._replace(symbols_crc=stream.symbols_crc ^ 1).pack()
    assert codec.decompress(other, parts=2).shape == IMAGE.shape
    for parts in (None, 3):
        with pytest.raises(DesyncError):
            codec.decompress(other, parts=parts)


def test_streams_are_checked_whatever_is_read(codec):
    stream = codec.compress(IMAGE)
    with pytest.raises(BitstreamError, match="checksum"):
        codec.decompress(stream[:-9] + bytes([stream[-9] ^ 1]) + stream[-8:], parts=0)
    with pytest.raises(BitstreamError, match="max_pixels"):
        codec.decompress(stream, parts=0, max_pixels=100)
    with pytest.raises(WrongModelError):
        shared_codec("klt", "factorized").decompress(stream, parts=0)


@pytest.mark.parametrize("parts", [-1, 4, 1.0, "all", True])
def test_a_wrong_number_of_parts_is_refused(codec, parts):
    with pytest.raises(ValueError, match="Codec: expected parts to be .* Received: "):
        codec.decompress(b"", parts=parts)


def test_batches_take_parts(codec):
    streams = codec.compress_batch([IMAGE, IMAGE[:20]])
    for decoded, stream in zip(codec.decompress_batch(streams, parts=2), streams, strict=True):
        np.testing.assert_array_equal(decoded, codec.decompress(stream, parts=2))
