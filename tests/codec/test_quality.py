"""Qualities of images: numbers, and maps over the positions of the latent."""

import itertools
import zlib

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Flag, Stream
from lic.codec.quality import checked_quality
from lic.environment import tf
from lic.models.rate import Gains, SingleRate
from lic.weights import named_variables
from tests.conftest import INEXACT, random_images, slow_but, tiny_model

EXACT = [name for name in lic.list_entropy_models() if name not in INEXACT]
RATE = Gains(2, (0.002, 0.01, 0.05, 0.2))
SIZE = (50, 70)  # 4 x 5 positions of 16 x 16 pixels.
BOX = {"background": 1, "boxes": [(16, 32, 16, 20, 3.5)]}


def at_positions(quality, size=SIZE, rate=RATE):
    return checked_quality(quality, rate, size, 16).at_positions()


@pytest.mark.parametrize(
    ("quality", "expected"), [(None, 2), (1, 1), (3.998, 4 - 1 / 256), (np.float32(2.5), 2.5), (np.array(3), 3)]
)
def test_a_number_is_rounded_to_the_steps_of_streams(quality, expected):
    assert at_positions(quality) == expected


def test_boxes_reach_every_position_that_they_touch():
    expected = np.ones((4, 5))
    expected[1, 2:4] = 3.5
    np.testing.assert_array_equal(at_positions(BOX), expected)
    expected[:, 0] = 2
    np.testing.assert_array_equal(at_positions({**BOX, "boxes": [*BOX["boxes"], (0, 0, 50, 1, 2)]}), expected)
    expected[3, 4] = 1.25  # The last box counts where several touch a position.
    boxes = [*BOX["boxes"], (0, 0, 50, 1, 2), (48, 64, 2, 6, 4), (49.5, 64, 0.5, 1, 1.25)]
    np.testing.assert_array_equal(at_positions({**BOX, "boxes": boxes}), expected)


def test_an_array_spans_the_image_whatever_its_size():
    pixels = np.ones(SIZE)
    pixels[31:33, 69] = 3  # The pixels touch the positions of two rows.
    expected = np.ones((4, 5))
    expected[1:3, 4] = 3
    np.testing.assert_array_equal(at_positions(pixels), expected)
    np.testing.assert_array_equal(at_positions(expected.tolist()), expected)
    np.testing.assert_array_equal(at_positions([[1, 2]], (20, 64)), [[1, 1, 2, 2]] * 2)
    np.testing.assert_array_equal(at_positions([[1.0], [4]], (3, 5)), 4)


def test_an_entry_reaches_no_further_than_its_block():
    entries = np.ones((30, 1))
    entries[14] = 3  # Rows 164.3 to 176 of 352, which only the block of rows 160 to 175 touches.
    assert np.flatnonzero(at_positions(entries, (352, 16)) == 3).tolist() == [10]


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (33, 47), (160, 16)])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (40, 300)])
def test_every_position_is_at_least_what_its_middle_has(size, shape):
    entries = np.random.default_rng(0).integers(1, 5, shape).astype(float)
    found = np.broadcast_to(at_positions(entries, size), [-(-each // 16) for each in size])
    for row, column in itertools.product(*map(range, found.shape)):
        pixel = [min(16 * place + 8, each - 1) for place, each in zip((row, column), size)]
        entry = [int((place + 0.5) / each * count) for place, each, count in zip(pixel, size, shape)]
        assert found[row, column] >= entries[tuple(entry)]


def test_maps_are_rounded_to_steps_above_their_lowest_quality():
    found = checked_quality([[1.3, 2.7], [3.1, 4]], RATE, (32, 32), 16)
    assert found.value == round(1.3 * 256) / 256
    assert np.abs(found.at_positions() - [[1.3, 2.7], [3.1, 4]]).max() <= 1 / 32
    assert checked_quality([[1.3, 4.0]], Gains(1, (1, 2, 3, 4)), (16, 32), 16).at_positions().max() <= 4


def test_a_map_of_one_quality_is_this_quality():
    assert checked_quality(np.full((9, 9), 2.5), RATE, SIZE, 16) == checked_quality(2.5, RATE, SIZE, 16)
    assert checked_quality({"background": 3}, RATE, SIZE, 16) == checked_quality(3, RATE, SIZE, 16)


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (0, "expected quality from 1 to 4. Received: 0"),
        ([[9.0] * 500] * 500, r"from 1 to 4. Received: an array \[500, 500\] from 9 to 9"),
        (np.array([[1, None]], object), r"as a number, or as a map: .*Received: ndarray of the shape \[1, 2\]"),
        ([["1", "2"]], "as a number, or as a map"),
        (np.ones((2, 2), complex), "as a number, or as a map"),
        ({"background": 10**400}, "expected the background of a map to be a number. Received: 1000"),
        ({"background": [2]}, "expected the background of a map to be a number"),
        ({"background": 9}, "from 1 to 4. Received: 9"),
        ({"background": 1, "boxes": [(0, 0, 1, 1, 2)] * 9 + [(0, 0, 1, 1)]}, r"each box as .*Received: \(0, 0, 1, 1\)"),
        (float("nan"), "from 1 to 4. Received: nan"),
        ("4", "as a number, or as a map.*Received: '4'"),
        ([], "as a number, or as a map"),
        ([[1, 2], [3]], "as a number, or as a map"),
        (np.ones(3), r"as a number, or as a map.*Received: ndarray of the shape \[3\]"),
        (np.ones((2, 3, 1)), r"Received: ndarray of the shape \[2, 3, 1\]"),
        ([[1, 5]], "from 1 to 4"),
        (np.array([[1, np.nan]]), r"from 1 to 4. Received: an array \[1, 2\]"),
        ({}, "expected quality as a map: "),
        ({"boxes": []}, "expected quality as a map: "),
        ({"background": 1, "box": []}, r"Received: a dict of \['background', 'box'\]"),
        ({"background": 1, "boxes": [(0, 0, 5, 5)]}, "expected each box as .top, left, height, width, quality."),
        ({"background": 1, "boxes": ["12345"]}, "expected each box as"),
        ({"background": 1, "boxes": 7}, "expected boxes to be a list of"),
        ({"background": "low"}, "expected the background of a map to be a number. Received: 'low'"),
        ({"background": 1, "boxes": [(0, 0, 5, 5, 9)]}, "from 1 to 4"),
        ({"background": 1, "boxes": [(0, 0, 51, 5, 2)]}, "within the 50x70 pixels of the image"),
        ({"background": 1, "boxes": [(-1, 0, 5, 5, 2)]}, "within the 50x70 pixels"),
        ({"background": 1, "boxes": [(0, 0, 0, 5, 2)]}, "within the 50x70 pixels"),
        ({"background": 1, "boxes": [(0, float("nan"), 1, 5, 2)]}, "within the 50x70 pixels"),
    ],
)
def test_other_qualities_are_refused(quality, message):
    with pytest.raises(ValueError, match=f"Codec: .*{message}") as error:
        at_positions(quality)
    assert len(str(error.value)) < 250


def test_a_single_rate_takes_no_quality():
    for quality in (1, BOX, np.ones((2, 2))):
        with pytest.raises(ValueError, match="None, since this codec has a single rate"):
            at_positions(quality, rate=SingleRate(0.01))


def test_a_map_spans_at_most_as_much_as_a_byte_of_steps():
    rate = Gains(1, np.geomspace(0.001, 1, 20))
    assert at_positions([[2, 17.9375]], (16, 32), rate).max() == 17.9375
    with pytest.raises(ValueError, match="at most 15.9375 apart. Received: a map from 1 to 17"):
        at_positions([[1, 17]], (16, 32), rate)


# Codecs of several qualities.


def codec_of(entropy, **options):
    codec = lic.Codec(tiny_model("klt", entropy, lmbda=(0.002, 0.01, 0.05, 0.2)), **options)
    for table in codec.model.rate.trainable_variables:  # Off their start, where scale and output gain are one.
        table.assign_add(tf.random.stateless_normal(table.shape, (3, 4), stddev=0.1))
    return lic.Codec(codec.model, calibration=[random_images(*SIZE, 3)] if options else None, **options)


@pytest.fixture(scope="module", params=slow_but(sorted(lic.list_entropy_models()), "checkerboard", "hyperprior"))
def codec(request):
    return codec_of(request.param)


IMAGE = random_images(*SIZE, 3)


def test_a_map_is_decoded_as_it_was_encoded(codec):
    stream = codec.compress(IMAGE, quality=BOX, verify=True)  # Verification decodes all symbols.
    parsed = Stream.parse(stream)
    assert (Flag.QUALITY_MAP in parsed.flags, parsed.quality) == (True, 1)
    assert codec.decompress(stream).shape == IMAGE.shape
    assert len(stream) <= 1.02 * sum(codec.estimate(IMAGE, quality=BOX).values()) / 8 + 80


def test_positions_are_coded_in_steps_of_their_own_quality(codec):
    y, gains = codec.analyse(IMAGE), codec.model.rate
    quality = checked_quality(BOX, gains, SIZE, 16).at_positions()
    stream = codec.encode_latent(y, quality=BOX, size=SIZE)
    np.testing.assert_array_equal(
        codec.decode_latent(codec.compress(IMAGE, quality=BOX)), y_hat := codec.decode_latent(stream)
    )
    output_gains = gains.gains_at(tf.constant(quality[None])).output_gain[0]
    steps = 1 / gains.apply_gain(tf.ones((1, *y.shape)), tf.constant(quality[None]))[0]
    # Latent residual prediction adds up to a half.
    predicted = 0.5 if any("residual" in name for name in named_variables(codec.model.entropy)) else 0.0
    assert np.all(np.abs(y_hat / output_gains - y) <= steps * 0.5001 + predicted + 1e-3)


def test_a_map_of_one_quality_makes_the_stream_of_this_quality(codec):
    stream = codec.compress(IMAGE, quality=2.5)
    assert codec.compress(IMAGE, quality=np.full((7, 9), 2.5)) == stream
    assert Stream.parse(stream).quality_map is None


def test_previews_decode_streams_with_a_map(codec):
    stream = codec.compress(IMAGE, quality=BOX)
    for parts in (0, len(codec.parts)):
        assert codec.decompress(stream, parts=parts).shape == IMAGE.shape
    np.testing.assert_array_equal(codec.decompress(stream, parts=len(codec.parts)), codec.decompress(stream))


@pytest.mark.parametrize("entropy", slow_but(EXACT, "quadtree"))
def test_deterministic_streams_have_maps_too(entropy):
    codec = codec_of(entropy, deterministic=True)
    stream = codec.compress(IMAGE, quality=BOX, verify=True)
    again = lic.Codec._from_file(codec._file, deterministic=True)
    np.testing.assert_array_equal(again.decode_latent(stream), codec.decode_latent(stream))
    assert Flag.DETERMINISTIC | Flag.QUALITY_MAP in Stream.parse(stream).flags


@pytest.fixture(scope="module")
def checkerboard():
    return codec_of("checkerboard")


def test_tiles_change_nothing(checkerboard):
    image = random_images(200, 300, 3)
    tiled = lic.Codec(checkerboard.model, tile=64)
    assert tiled.compress(image, quality=BOX) == lic.Codec(checkerboard.model, tile=None).compress(image, quality=BOX)


def test_effort_lowers_the_loss_of_a_map(checkerboard):
    plain, refined = (checkerboard.compress(IMAGE, quality=BOX, effort=effort) for effort in (0, 3))
    quality = tf.constant(checked_quality(BOX, checkerboard.model.rate, SIZE, 16).at_positions())[None]

    def loss(stream):
        decoded = checkerboard.decompress(stream)[None].astype(np.float32)
        distortion = checkerboard.model.weighted_distortion(IMAGE[None].astype(np.float32), decoded, quality)
        return 8 * len(stream) / (SIZE[0] * SIZE[1]) + float(distortion[0])

    assert refined != plain
    assert loss(refined) < loss(plain)
    assert Stream.parse(refined).quality_map == Stream.parse(plain).quality_map


@pytest.mark.parametrize("effort", [0, 1])
def test_a_number_of_bytes_keeps_the_differences_of_a_map(checkerboard, effort):
    limit = len(checkerboard.compress(IMAGE, quality={"background": 1.75, "boxes": [(16, 32, 16, 20, 3.5)]}))
    quality = {"background": 1, "boxes": [(16, 32, 16, 20, 2.75)]}
    stream = checkerboard.compress_to(IMAGE, limit, quality=quality, effort=effort)
    parsed = Stream.parse(stream)
    assert len(stream) <= limit
    assert parsed.quality >= 1.75
    assert parsed.quality_map == Stream.parse(checkerboard.compress(IMAGE, quality=quality)).quality_map
    with pytest.raises(ValueError, match="expected quality as a map, since the bytes choose it. Received: 2"):
        checkerboard.compress_to(IMAGE, limit, quality=2)


def test_no_position_is_over_the_highest_quality(checkerboard):
    assert checkerboard.compress_to(IMAGE, 10**6, quality=BOX) == checkerboard.compress(IMAGE, quality=4)
    moved = checked_quality(BOX, checkerboard.model.rate, SIZE, 16).moved_to(3.25)
    assert sorted(set(moved.at_positions().flat)) == [3.25, 4]


def test_too_few_bytes_for_the_differences_of_a_map_are_named(checkerboard):
    with pytest.raises(
        lic.LicError, match="at the lowest quality, with the differences of the map, .* smaller differences"
    ):
        checkerboard.compress_to(IMAGE, 100, quality=BOX)


def deflated(steps):
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(steps) + deflate.flush()


@pytest.mark.parametrize(
    ("quality_map", "quality", "message"),
    [
        (b"", 1.0, "quality map is not one of 4x5 positions"),
        (b"\xff\xff\xff", 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(19)), 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(21)), 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(10**8)), 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(20))[:-1], 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(20)) + b"\0", 1.0, "quality map is not one of 4x5 positions"),
        (deflated(bytes(20)), None, "never writes"),
    ],
)
def test_maps_that_no_codec_writes_are_refused(checkerboard, quality_map, quality, message):
    parsed = Stream.parse(checkerboard.compress(IMAGE, quality=BOX))
    flags = parsed.flags & ~(Flag.QUALITY | Flag.QUALITY_MAP)
    data = parsed._replace(flags=flags, quality_map=quality_map, quality=quality).pack()
    with pytest.raises(lic.BitstreamError, match=message):
        checkerboard.decompress(data)


def test_steps_over_the_highest_quality_are_read_as_it(checkerboard):
    parsed = Stream.parse(checkerboard.compress(IMAGE, quality=BOX))
    for steps in (bytes([255]) * 20, bytes([48]) * 20):
        again = parsed._replace(flags=Flag(0), quality_map=deflated(steps))
        with pytest.raises(lic.DesyncError):  # The symbols are others, which the checksum notices.
            checkerboard.decompress(again.pack())


def test_a_map_takes_few_bytes():
    """A map of boxes or of an ellipse takes at most 1 % of the 10,795 bytes of the photograph of `make demo`."""
    rows, columns = np.mgrid[:512, :768]
    boxes = {"background": 2, "boxes": [(130, 170, 190, 320, 6), (400, 30, 80, 110, 4), (50, 560, 50, 180, 7)]}
    ellipse = np.where(((rows - 250) / 150) ** 2 + ((columns - 380) / 210) ** 2 < 1, 6, 2)
    for quality in (boxes, ellipse):
        steps = checked_quality(quality, Gains(1, np.geomspace(0.001, 1, 8)), (512, 768), 16).packed_steps()
        assert len(deflated(steps)) <= 107
