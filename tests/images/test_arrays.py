"""Images that a codec is given."""

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageCms

from lic.errors import ImageError
from lic.images import read_image
from lic.images.arrays import checked_image, coloured
from tests.images.files import (
    COLOUR,
    COLOUR_ALPHA,
    P3,
    chunk,
    exif,
    icc_profile,
    png,
    saved,
    through,
    through_p3,
    tiff,
    waves,
)
from tests.images.files import samples as of_bits

PIXELS = of_bits(waves(), 8)
IMAGE = Image.fromarray(PIXELS)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (PIXELS / 255, "np.rint(255 * image).clip(0, 255).astype('uint8')"),
        (PIXELS.astype(np.float32), "np.rint(image).clip(0, 255).astype('uint8')"),
        (PIXELS[None], "images[0], or all of them to compress_batch"),
        (PIXELS.transpose(2, 0, 1), "image.transpose(1, 2, 0)"),
        (PIXELS[..., :1], "Pass image[..., 0]"),
        (np.dstack([PIXELS, PIXELS[..., :1]]), "Leave out alpha, image[..., :3]"),
        (PIXELS.astype(np.uint16), "lic.Codec(model, bit_depth=16)"),
        (PIXELS.astype(np.int16), "Add an offset"),
        (None, "Received: NoneType."),
        (b"abc", "Received: bytes."),
    ],
)
def test_the_advice_is_for_the_array_that_was_given(given, advice):
    with pytest.raises(ImageError, match=re.escape(advice)):
        checked_image(given)


def test_the_advice_leads_to_an_image():
    for image in (PIXELS / 255, PIXELS.astype(np.float32)):
        with pytest.raises(ImageError) as error:
            checked_image(image)
        expression = str(error.value).rpartition("for example with ")[2].removesuffix(".")
        np.testing.assert_array_equal(checked_image(eval(expression, {"np": np, "image": image})), PIXELS)


def test_the_upper_byte_may_come_first():
    deep = of_bits(waves(), 12)
    found = checked_image(deep.astype(">u2"), bit_depth=12)
    np.testing.assert_array_equal(found, deep)
    assert found.dtype == np.uint16


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBa", "RGBX", "CMYK"])
def test_modes_of_the_same_colours(mode):
    image = IMAGE.convert("RGBA").convert(mode) if mode == "RGBa" else IMAGE.convert(mode)
    np.testing.assert_array_equal(checked_image(image), PIXELS)


@pytest.mark.parametrize(("mode", "off"), [("YCbCr", 4), ("HSV", 8)])
def test_other_spaces_are_converted(mode, off):
    assert np.abs(checked_image(IMAGE.convert(mode)).astype(int) - PIXELS).max() <= off


def test_lab_is_converted():
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(IMAGE, srgb, lab, outputMode="LAB")
    assert np.abs(checked_image(image).astype(int) - PIXELS).mean() < 2


def test_a_palette_becomes_its_colours():
    image = IMAGE.quantize(16)
    np.testing.assert_array_equal(checked_image(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "LA", "La", "1"])
def test_grey_stays_grey(mode):
    image = Image.fromarray(PIXELS[..., 0]).point(lambda value: 255 * (value > 127)).convert("LA").convert(mode)
    np.testing.assert_array_equal(checked_image(image), np.where(PIXELS[..., 0] > 127, 255, 0))


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B"])
def test_numbers_without_black_and_white_are_refused(mode):
    with pytest.raises(ImageError, match="black and white are not defined"):
        checked_image(Image.new(mode, (3, 2)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa"])
def test_transparent_pixels_are_refused(mode):
    image = Image.new("RGBA", (3, 2), (9, 9, 9, 99))
    with pytest.raises(ImageError, match="transparent pixels.*background='white'"):
        checked_image(image.convert(mode))


def test_a_key_colour_is_refused():
    image = Image.new("RGB", (3, 2))
    image.info["transparency"] = (0, 0, 0)
    with pytest.raises(ImageError, match="transparent pixels"):
        checked_image(image)


def test_profile_and_orientation_apply():
    profile = icc_profile("anything", "RGB ", P3, lambda values: values**2.2)
    image = IMAGE.copy()
    image.info = {"icc_profile": profile, "exif": exif((0x0112, 3, b"\6\0"))}
    turned = checked_image(image)
    assert np.abs(turned - np.rot90(through_p3(PIXELS), -1)).mean() < 3
    assert np.abs(turned - np.rot90(PIXELS.astype(float), -1)).max() > 10


@pytest.mark.parametrize("size", [(0, 0), (0, 3)])
def test_images_without_pixels_are_refused(size):
    with pytest.raises(ImageError, match=f"Received: {size[0]}x{size[1]}"):
        checked_image(Image.new("RGB", size))


def test_a_file_that_turns_out_to_be_truncated_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(saved(PIXELS, "PNG")[:-60])
    with Image.open(tmp_path / "a.png") as image, pytest.raises(ImageError, match="truncated"):
        checked_image(image)


def test_an_image_whose_file_is_open_is_read_as_a_file():
    deep = io.BytesIO(png(of_bits(waves(), 16), 16, COLOUR))
    with pytest.raises(ImageError, match=r"has 16 bits a channel.*lic.images.read_image\(path, to_8_bit=True\)"):
        checked_image(Image.open(deep))
    deep = io.BytesIO(png(of_bits(waves(4), 16), 16, COLOUR_ALPHA))
    with pytest.raises(ImageError, match=r"read_image\(path, to_8_bit=True, background='white'\)\.$"):
        checked_image(Image.open(deep))
    linear = io.BytesIO(png(PIXELS, 8, COLOUR, chunk(b"gAMA", (100000).to_bytes(4, "big"))))
    assert np.abs(checked_image(Image.open(linear)) - through(lambda values: values, PIXELS)).max() <= 0.6


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG", "JPEG2000", "TGA", "PPM", "PCX"])
def test_images_of_files_are_those_of_the_files(kind, tmp_path):
    data = saved(PIXELS, kind)
    (tmp_path / "a").write_bytes(data)
    with Image.open(tmp_path / "a") as image:  # Pillow closes some of these files as soon as it has read the samples.
        np.testing.assert_array_equal(checked_image(image), read_image(tmp_path / "a"))
    opened, loaded = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(data))
    loaded.load()
    np.testing.assert_array_equal(checked_image(opened), read_image(io.BytesIO(data)))
    np.testing.assert_array_equal(checked_image(loaded), read_image(io.BytesIO(data)))


_ALPHA = np.dstack([PIXELS, PIXELS[..., 0]])
_UNUSED_ALPHA = bytearray(saved(Image.fromarray(_ALPHA), "TGA"))
_UNUSED_ALPHA[17] &= 0xF0
_FILES = {
    "gamma": png(PIXELS, 8, COLOUR, chunk(b"gAMA", (100000).to_bytes(4, "big"))),
    "XMP": png(PIXELS, 8, COLOUR, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>")),
    "16 bits": png(of_bits(waves(), 16), 16, COLOUR),
    "2 bits of grey with a key": png(of_bits(waves(1), 2), 2, 0, chunk(b"tRNS", b"\0\1")),
    "unused alpha": bytes(_UNUSED_ALPHA),
    "multiplied by alpha": tiff(np.dstack([PIXELS // 2, np.full_like(PIXELS[..., :1], 255)]), 8, 2, extra=[1]),
    "frames": saved(IMAGE.quantize(4), "GIF", save_all=True, append_images=[IMAGE.rotate(180).quantize(4)]),
}


@pytest.mark.parametrize("kind", _FILES)
def test_an_image_stays_as_it_is_and_gives_the_same_again(kind):
    image = Image.open(io.BytesIO(_FILES[kind]))
    image.seek(image.n_frames - 1 if kind == "frames" else 0)
    before = [dict(image.info), list(image.tile), image.mode, image.tell()]
    first, second = _pixels_or_reason(image), _pixels_or_reason(image)
    np.testing.assert_array_equal(first, second)
    assert [image.info, image.tile, image.mode, image.tell()] == before
    if kind == "frames":
        np.testing.assert_array_equal(first, np.asarray(image.convert("RGB")))
    else:
        np.testing.assert_array_equal(first, _pixels_or_reason(Image.open(io.BytesIO(_FILES[kind]))))


def _pixels_or_reason(image):
    try:
        return checked_image(image)
    except ImageError as error:
        return str(error)


def test_what_was_changed_in_an_image_of_a_file_counts():
    image = Image.open(io.BytesIO(saved(PIXELS, "JPEG")))
    image.draft("RGB", (12, 10))
    assert checked_image(image).shape == (image.height, image.width, 3)
    image = Image.open(io.BytesIO(saved(PIXELS, "PNG")))
    image.info["exif"] = exif((0x0112, 3, b"\3\0"))
    np.testing.assert_array_equal(checked_image(image), PIXELS[::-1, ::-1])


@pytest.mark.parametrize(
    ("channels", "bits", "shapes"),
    [(1, 8, [(3, 2), (3, 2, 1)]), (4, 8, [(3, 2, 4)]), (13, 16, [(3, 2, 13)]), (3, 12, [(3, 2), (3, 2, 3)])],
)
def test_a_codec_takes_its_channels_and_bits(channels, bits, shapes):
    kind, other = (np.uint8, np.uint16) if bits == 8 else (np.uint16, np.uint8)
    for shape in [(3, 2), (3, 2, 1), (3, 2, 3), (3, 2, 4), (3, 2, 13)]:
        image = np.full(shape, (1 << bits) - 1, kind)
        if shape in shapes:
            assert checked_image(image, channels, bits) is image
            with pytest.raises(ImageError, match=f"Received: {np.dtype(other)}"):
                checked_image(image.astype(other), channels, bits)
        else:
            with pytest.raises(ImageError, match=rf"Expected an image as {np.dtype(kind)} .*{channels}\]"):
                checked_image(image, channels, bits)


def test_values_over_the_range_of_the_bits_are_refused():
    with pytest.raises(ImageError, match=r"uint16 of 10 bits \(0 to 1023\).*Received: values up to 1024"):
        checked_image(np.full((2, 2), 1024, np.uint16), 1, 10)


def test_images_of_pillow_are_those_of_photographs():
    np.testing.assert_array_equal(checked_image(IMAGE.convert("L"), 1), np.asarray(IMAGE.convert("L")))
    for channels, bits in ((1, 8), (4, 8), (3, 16)):
        with pytest.raises(ImageError, match="Expected an image as"):
            checked_image(IMAGE, channels, bits)


def test_a_path_is_answered_with_the_way_to_read_it():
    with pytest.raises(ImageError, match=r"read_samples\(path, channels=4, bit_depth=12\)"):
        checked_image("a.tif", 4, 12)


def test_grey_becomes_three_channels():
    assert coloured(PIXELS[..., 0]).shape == PIXELS.shape
    assert coloured(PIXELS) is PIXELS
