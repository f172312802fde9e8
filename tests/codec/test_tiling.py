import numpy as np
import pytest

import lic
from lic.codec import tiling
from lic.codec.tiling import spans
from lic.environment import tf
from lic.transforms import (
    BottleneckTransform,
    ConvTransform,
    KLTTransform,
    PartialTransform,
    ResidualTransform,
    SwinTransform,
)
from tests.conftest import TRANSFORMS, random_images, shared_codec, shipped_codec, slow_but, tiny_model


@pytest.mark.parametrize("size", [1, 7, 8, 9, 30])
def test_spans_cover_an_axis_once(size):
    transform = tiny_model("conv", "hyperprior").transform
    found = spans(transform, "analysis", size, 8 * transform.downscale)
    assert [number for span in found for number in range(span.start, span.stop)] == list(range(size))
    for span in found:
        assert span.first == max(span.start - transform.tile_overlap, 0)
        assert span.last == min(span.stop + transform.tile_overlap, size)


def test_tiles_begin_at_windows():
    transform = SwinTransform(8, latent_depth=12, depths=(1, 1, 1, 1), window=4, head_dim=4)
    assert all(span.first % 4 == 0 for span in spans(transform, "analysis", 30, 100))


def test_an_overlap_is_rounded_up_to_windows():
    transform = tiny_model("conv", "hyperprior").transform
    transform.tile_multiple, transform.tile_overlap = 6, 4
    found = spans(transform, "synthesis", 30, 12 * transform.downscale)
    assert [(span.first, span.last) for span in found] == [(0, 18), (6, 30), (18, 30)]


def test_analysis_and_synthesis_have_overlaps_of_their_own():
    transform = tiny_model("conv", "hyperprior").transform
    transform.tile_overlap = 5, 1
    for direction, expected in (
        ("analysis", [(0, 15), (5, 25), (15, 30)]),
        ("synthesis", [(0, 11), (9, 21), (19, 30)]),
    ):
        found = spans(transform, direction, 30, 10 * transform.downscale)
        assert [(span.first, span.last) for span in found] == expected


def test_a_transform_that_sees_the_whole_image_is_never_cut():
    transform = tiny_model("conv", "hyperprior").transform
    transform.tile_overlap = None
    for direction in ("analysis", "synthesis"):
        assert spans(transform, direction, 30, 8 * transform.downscale) == [(0, 30, 0, 30)]


@pytest.mark.parametrize(
    "transform",
    [
        ConvTransform(4, 4),
        ConvTransform(4, 4, analysis_kernel_sizes=(9, 5, 5, 5)),
        KLTTransform(4, 4, num_blocks=(3, 6)),
        PartialTransform(8, 4),
        PartialTransform(8, 4, blocks=(1, 2, 16)),
        ResidualTransform(4, 4),
        ResidualTransform(4, 4, attention=True),
        BottleneckTransform(4, 4),
        BottleneckTransform(4, 4, blocks=6, attention=False),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_tiles_overlap_as_far_as_kernels_see(transform):
    """No gradient of the middle of a latent or an image reaches further."""
    overlaps = [tiling.overlap_of(transform, direction) for direction in ("analysis", "synthesis")]
    scale, middle = transform.downscale, max(overlaps) + 2
    side, random = 2 * middle + 1, np.random.default_rng(0)
    images = tf.constant(random.uniform(0, 255, (1, side * scale, side * scale, 3)), tf.float32)
    latents = tf.constant(random.normal(size=(1, side, side, transform.depth)), tf.float32)
    transform(images)
    for weight in transform.trainable_weights:  # Kernels that start at zero would let no gradient pass.
        weight.assign_add(random.normal(scale=0.01, size=weight.shape))
    for overlap, layer, values, before, after in (
        (overlaps[0], transform.analysis, images, scale, 1),
        (overlaps[1], transform.synthesis, latents, 1, scale),
    ):
        here = slice(middle * after, (middle + 1) * after)
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = tf.reduce_sum(layer(values)[:, here, here] * random.normal(size=(after, after, 1)))
        gradient = np.abs(tape.gradient(result, values)[0]).max(2)
        for axis in (0, 1):
            seen = np.nonzero(gradient.max(1 - axis))[0] // before
            assert middle - overlap <= seen.min() < middle < seen.max() <= middle + overlap


@pytest.mark.parametrize("transform", slow_but(TRANSFORMS, "conv"))
def test_streams_of_tiles_and_of_whole_images_decode_with_either(transform):
    whole = shared_codec(transform, "checkerboard", residual=False)
    tiled = lic.Codec(whole.model, tile=64)
    image = random_images(150, 230, 3)
    streams = [whole.compress(image), tiled.compress(image)]
    for stream in streams:
        decoded = [codec.decompress(stream).astype(int) for codec in (whole, tiled)]
        assert decoded[0].shape == image.shape
        assert np.mean(np.abs(decoded[0] - decoded[1]) > 1) < 0.02


def test_the_default_model_loses_nothing_in_tiles():
    image = random_images(200, 330, 3)
    whole, tiled = shipped_codec(), lic.load("default", tile=96)
    stream = whole.compress(image)
    error = [np.mean((codec.decompress(stream).astype(float) - image) ** 2) for codec in (whole, tiled)]
    assert 10 * abs(np.log10(error[0] / error[1])) < 0.02


def test_tiles_are_chosen_for_large_images(monkeypatch):
    monkeypatch.setattr(tiling, "LARGE", 64 * 64)
    monkeypatch.setattr(tiling, "AUTOMATIC", 64)
    transform, seen = tiny_model("conv", "hyperprior").transform, []

    def record(tile):
        seen.append(tile.shape[:2])
        return np.repeat(tile[::16, ::16], transform.depth, -1)

    for side in (64, 128):
        joined = tiling.in_tiles(record, np.zeros((side, side, 1), np.float32), transform, "analysis", "auto")
        assert joined.shape == (side // 16, side // 16, transform.depth)
    assert seen[0] == (64, 64)
    assert len(seen) == 5


@pytest.mark.parametrize("tile", [0, -1, 1.5, "all", True, np.int64(0), np.ones(2)])
def test_wrong_tiles_are_refused(tile):
    with pytest.raises(ValueError, match="expected tile to be None, 'auto' or a number of pixels"):
        tiling.check_tile(tile)


def test_tiles_are_whole_numbers_of_any_type():
    codec, image = shared_codec("conv", "hyperprior"), random_images(70, 40, 3)
    one, other = (lic.Codec(codec.model, tile=tile).analyse(image) for tile in (np.int64(32), 32))
    np.testing.assert_array_equal(one, other)
