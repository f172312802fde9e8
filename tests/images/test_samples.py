"""Samples of files for codecs of any channels and bits."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from lic.errors import ImageError
from lic.images import read_samples
from lic.images.writing import PNG, encoded
from tests.images.files import chunk, png, tiff


def numbers(channels, bits=16, size=(5, 7)):
    kind = np.uint16 if bits > 8 else np.uint8
    return np.random.default_rng(0).integers(0, 1 << bits, (*size, channels), kind)


def tiff_of(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{"photometric": "minisblack"} | options)
    return file.getvalue()


def npy_of(pixels, **options):
    file = io.BytesIO()
    np.save(file, pixels, **options)
    return file.getvalue()


def read(data, channels, bit_depth=16, **options):
    return read_samples(io.BytesIO(data), channels=channels, bit_depth=bit_depth, **options)


@pytest.mark.parametrize(("channels", "bits"), [(4, 8), (13, 8), (13, 16), (2, 16)])
def test_tiff_of_many_channels_lies_in_any_order(channels, bits):
    pixels = numbers(channels, bits)
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    files = [
        tiff_of(pixels, planarconfig="contig"),
        tiff_of(planes, planarconfig="separate"),
        tiff_of(pixels, planarconfig="contig", compression="zlib", predictor=True, byteorder=">"),
        tiff_of(planes, metadata=None),  # A page for each channel.
    ]
    for data in files:
        np.testing.assert_array_equal(read(data, channels, 8 if bits == 8 else 16), pixels)


def test_tiff_of_12_bits_is_taken_by_a_codec_of_12():
    pixels = numbers(5, 12)
    np.testing.assert_array_equal(read(tiff(pixels, 12, 1), 5, 12), pixels)
    np.testing.assert_array_equal(read(tiff_of(pixels, planarconfig="contig"), 5, 12), pixels)
    with pytest.raises(ImageError, match=r"0 to 1023\).*values up to \d{4}"):
        read(tiff_of(pixels, planarconfig="contig"), 5, 10)


def test_tiff_is_turned_upright_and_its_white_may_be_zero():
    pixels = numbers(4)
    np.testing.assert_array_equal(read(tiff(pixels, 16, 0), 4), 65535 - pixels)
    np.testing.assert_array_equal(read(tiff(pixels, 16, 1, more=[(274, [3])]), 4), pixels[::-1, ::-1])


def test_one_of_several_pages_is_named_by_its_number():
    pages = np.stack([numbers(4), numbers(4)[::-1]])
    data = tiff_of(pages, planarconfig="contig", metadata=None)
    np.testing.assert_array_equal(read(data, 4, frame=1), pages[1])
    with pytest.raises(ImageError, match="has 2 frames"):
        read(data, 4)


def test_smaller_copies_behind_an_image_are_no_frames():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(numbers(4), photometric="minisblack", planarconfig="contig", metadata=None)
        writer.write(
            numbers(4)[::2, ::2], photometric="minisblack", planarconfig="contig", metadata=None, subfiletype=1
        )
    np.testing.assert_array_equal(read(file.getvalue(), 4), numbers(4))


def test_many_channels_of_16_bits_are_rounded_to_8_if_asked_for():
    pixels = numbers(4)
    data = tiff_of(pixels, planarconfig="contig")
    with pytest.raises(ImageError, match="has 16 bits a channel, a codec takes 8. Pass to_8_bit=True") as caught:
        read(data, 4, 8)
    assert list(caught.value.advice) == ["to_8_bit"]
    np.testing.assert_array_equal(read(data, 4, 8, to_8_bit=True), np.rint(pixels / 257.0))


@pytest.mark.parametrize(("kind", "channels"), [(b"P5", 1), (b"P6", 3)])
@pytest.mark.parametrize("bits", [12, 16])
def test_pgm_and_ppm_are_taken_as_they_stand(kind, channels, bits):
    pixels = numbers(channels, bits)
    expected = pixels[..., 0] if channels == 1 else pixels
    for header in (b"%s 7 5 %d\n", b"%s\n# made by hand\n7 5\n# white\n%d\n"):
        data = header % (kind, (1 << bits) - 1) + pixels.astype(">u2").tobytes()
        np.testing.assert_array_equal(read(data, channels, bits), expected)
        if bits == 12:
            with pytest.raises(ImageError, match="has 12 bits a channel, the codec takes 16"):
                read(data, channels, 16)
        with pytest.raises(ImageError, match="damaged, or it is cut off"):
            read(data[:-1], channels, bits)


def test_pages_of_16_bits_whose_white_is_zero_are_rounded_to_8():
    pixels = numbers(5)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page in np.moveaxis(pixels, -1, 0):
            writer.write(page, photometric="miniswhite", metadata=None)
    np.testing.assert_array_equal(read(file.getvalue(), 5, 8, to_8_bit=True), np.rint((65535 - pixels) / 257.0))


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3)], ids=["grey", "colour"])
def test_png_and_tiff_of_16_bits_keep_them(kind, channels):
    pixels = numbers(channels)
    expected = pixels[..., 0] if channels == 1 else pixels
    np.testing.assert_array_equal(read(png(pixels, 16, kind), channels), expected)
    np.testing.assert_array_equal(read(encoded(expected, PNG), channels), expected)
    np.testing.assert_array_equal(read(tiff(pixels, 16, 2 if channels == 3 else 1), channels), expected)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 13)])
def test_arrays_are_read_as_they_are(order, kind, shape):
    pixels = np.asarray(numbers(1, 8, size=shape)[..., 0], kind, order=order)
    found = read(npy_of(pixels), shape[2] if len(shape) > 2 else 1, 8 if kind == "u1" else 16)
    assert found.dtype == np.dtype(kind).newbyteorder("=")
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    ("data", "channels", "bits", "message"),
    [
        (tiff_of(numbers(4), planarconfig="contig"), 13, 16, "has 4 channels, the codec takes 13"),
        (tiff_of(numbers(1)[..., 0]), 13, 16, "has 1 channel, the codec takes 13"),
        (tiff_of(numbers(4, 8), planarconfig="contig"), 4, 16, "Expected an image as uint16 of 16 bits.*uint8"),
        (tiff_of(numbers(4).astype(np.float32), planarconfig="contig"), 4, 16, "floating-point"),
        (tiff_of(numbers(4).astype(np.int16), planarconfig="contig"), 4, 16, "signed"),
        (tiff_of(numbers(1)[..., 0].astype(np.uint32)), 1, 16, "has 32 bits a channel, a codec takes 16 at most"),
        (png(numbers(3), 16, 2), 4, 16, "the codec takes 4 channels, which TIFF and .npy files hold"),
        (png(numbers(3), 16, 2), 1, 16, r"uint16 of 16 bits .*\[height, width\] or .*Received: uint16 \[5, 7, 3\]"),
        (png(numbers(3, 8), 8, 2), 3, 16, "has 8 bits a channel, the codec takes 16"),
        (png(numbers(3, 8), 8, 2), 1, 8, r"Expected an image as uint8 \[height, width\] or"),
        (png(numbers(4), 16, 6), 3, 16, "transparent pixels, a codec of 16 bits takes none"),
        (npy_of(numbers(4)), 13, 16, r"\[height, width, 13\].*Received: uint16 \[5, 7, 4\]"),
        (npy_of(numbers(4) / 1.0), 4, 16, "holds float64"),
        (npy_of(np.array([{}]), allow_pickle=True), 4, 16, "holds object"),
        (npy_of(numbers(4))[:-1], 4, 16, "bytes of samples, which are not those of"),
        (npy_of(numbers(4)).replace(b"(5, 7, 4)", b"(99999, 99999, 4)"), 4, 16, "cannot be read|pixels"),
        (b"\x93NUMPY\x09\0", 4, 16, "cannot be read"),
    ],
)
def test_other_files_are_refused(data, channels, bits, message):
    with pytest.raises(ImageError, match=message):
        read(data, channels, bits)


def test_colours_of_a_profile_are_dropped_with_a_warning(caplog):
    pixels = numbers(3)
    data = png(pixels, 16, 2, chunk(b"gAMA", (100000).to_bytes(4, "big")))
    np.testing.assert_array_equal(read(data, 3), pixels)
    assert "its colours are coded as they are" in caplog.text


def test_for_colour_and_grey_of_8_bits_it_is_read_image(tmp_path):
    Image.fromarray(numbers(3, 8)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), numbers(3, 8))
    with pytest.raises(ImageError, match="There is no file"):
        read_samples(tmp_path / "b.npy", channels=4)
