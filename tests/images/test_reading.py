"""Image files in and out."""

import io
import logging
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from lic.errors import ImageError
from lic.images import read_image
from lic.images.colour import from_srgb, to_srgb
from tests.conftest import DATA
from tests.images.files import COLOUR, GREY, P3, P3_TO_SRGB, SRGB, icc_profile, png, tiff

ODD = DATA / "odd"
AS_IT_IS = {
    "cmyk.jpg": (64, 96, 3),
    "grey.png": (64, 96),
    "lossy.webp": (128, 192, 3),
    "orientation-6.jpg": (128, 192, 3),
    "progressive.jpg": (128, 192, 3),
    "rgb-1x1.png": (1, 1, 3),
    "rgb-1x257.png": (257, 1, 3),
    "rgb.bmp": (64, 96, 3),
    "rgb.tiff": (64, 96, 3),
}
WITH_OPTION = {
    "palette-transparent.png": ({"background": "white"}, "Pass the colour behind them as background", (64, 96, 3)),
    "rgba.png": ({"background": "white"}, "Pass the colour behind them as background", (64, 96, 3)),
    "grey-16bit.png": ({"to_8_bit": True}, "Pass to_8_bit=True", (64, 96)),
    "rgb-16bit.png": ({"to_8_bit": True}, "Pass to_8_bit=True", (43, 64, 3)),
    "animated.gif": ({"frame": 0}, "Pass the number of one as frame", (64, 96, 3)),
}
BROKEN = ["empty.jpg", "text-named.png", "truncated.jpg", "truncated.png"]


def colours(seed=0, size=(16, 24), low=60, high=200):
    """Pixels of little saturation, so that no conversion leaves the range."""
    grey = np.random.default_rng(seed).integers(low, high, (*size, 1))
    return (grey + np.random.default_rng(seed + 1).integers(-15, 16, (*size, 3))).astype(np.uint8)


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def display_p3():
    return icc_profile("Display P3", "RGB ", P3, from_srgb)


def png_of_16_bits(path, values):
    path.write_bytes(png(values, 16, COLOUR if values.ndim == 3 else GREY))
    return path


def tiff_of_16_bits(path, values):
    path.write_bytes(tiff(values.astype(np.uint16), 16, 2))
    return path


def values_of_16_bits(shape):
    return np.random.default_rng(4).integers(0, 65536, shape)


def test_every_odd_file_is_tested():
    assert {path.name for path in ODD.iterdir()} == {*AS_IT_IS, *WITH_OPTION, *BROKEN}


@pytest.mark.parametrize("name", AS_IT_IS)
def test_file_is_read_as_it_is(name):
    pixels = read_image(ODD / name)
    assert (pixels.shape, pixels.dtype) == (AS_IT_IS[name], np.uint8)


@pytest.mark.parametrize("name", ["rgb.bmp", "rgb.tiff", "grey.png", "progressive.jpg"])
def test_pixels_are_those_of_the_file(name):
    np.testing.assert_array_equal(read_image(ODD / name), np.asarray(Image.open(ODD / name)))


def test_path_may_be_a_string():
    np.testing.assert_array_equal(read_image(str(ODD / "rgb.bmp")), read_image(ODD / "rgb.bmp"))


def test_orientation_is_applied():
    stored = np.asarray(Image.open(ODD / "orientation-6.jpg"))
    np.testing.assert_array_equal(read_image(ODD / "orientation-6.jpg"), np.rot90(stored, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "turned.png", colours(), exif=exif)
    upright = ImageOps.exif_transpose(Image.open(path))
    np.testing.assert_array_equal(read_image(path), np.asarray(upright))


@pytest.mark.parametrize("name", WITH_OPTION)
def test_file_that_would_lose_something_is_refused_and_the_option_named(name):
    _, option, _ = WITH_OPTION[name]
    with pytest.raises(ImageError, match=option) as error:
        read_image(ODD / name)
    assert name in str(error.value)


@pytest.mark.parametrize("name", WITH_OPTION)
def test_file_is_read_with_the_option(name):
    options, _, shape = WITH_OPTION[name]
    pixels = read_image(ODD / name, **options)
    assert (pixels.shape, pixels.dtype) == (shape, np.uint8)


@pytest.mark.parametrize("name", AS_IT_IS)
def test_options_that_are_not_needed_change_nothing(name):
    pixels = read_image(ODD / name, background="red", to_8_bit=True, frame=0)
    np.testing.assert_array_equal(pixels, read_image(ODD / name))


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_refused_and_named(name):
    with pytest.raises(ImageError, match=name):
        read_image(ODD / name)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"no file .*absent\.png"):
        read_image(tmp_path / "absent.png")


def test_folder_is_refused(tmp_path):
    with pytest.raises(ImageError):
        read_image(tmp_path)


def test_png_with_a_header_that_is_too_short_is_refused(tmp_path):
    data = bytearray((ODD / "grey.png").read_bytes())
    data[8:12] = struct.pack(">I", 5)
    data[21:25] = struct.pack(">I", zlib.crc32(data[12:21]))
    (tmp_path / "short.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"short\.png"):
        read_image(tmp_path / "short.png")


@pytest.mark.parametrize("name", ["rgba.png", "palette-transparent.png"])
@pytest.mark.parametrize(("background", "rgb"), [("white", (255, 255, 255)), ("#1e90ff", (30, 144, 255))])
def test_transparent_pixels_become_the_background_and_opaque_ones_stay(name, background, rgb):
    source = np.asarray(Image.open(ODD / name).convert("RGBA"))
    pixels = read_image(ODD / name, background=background)
    transparent, opaque = source[..., 3] == 0, source[..., 3] == 255
    assert transparent.any()
    assert (pixels[transparent] == rgb).all()
    np.testing.assert_array_equal(pixels[opaque], source[opaque][:, :3])


def test_half_transparent_pixel_is_mixed(tmp_path):
    path = saved(tmp_path / "half.png", np.full((2, 3, 4), (200, 100, 0, 128), np.uint8))
    mixed = np.array([200, 100, 0]) * 128 / 255 + 255 * 127 / 255
    assert np.abs(read_image(path, background="white") - mixed).max() <= 1


@pytest.mark.parametrize("background", ["no-such-colour", "#12", ""])
def test_bad_colour_is_refused(background):
    with pytest.raises(ImageError, match=f"Expected background to be a colour.* Received: {background!r}"):
        read_image(ODD / "rgba.png", background=background)


def test_opaque_rgba_needs_no_background(tmp_path):
    pixels = colours()
    path = saved(tmp_path / "opaque.png", np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]))
    np.testing.assert_array_equal(read_image(path), pixels)


def test_opaque_grey_with_alpha_stays_grey(tmp_path):
    grey = colours()[..., 0]
    path = saved(tmp_path / "opaque.png", np.dstack([grey, np.full_like(grey, 255)]))
    np.testing.assert_array_equal(read_image(path), grey)


@pytest.mark.parametrize(("background", "value"), [("white", 255), ("#404040", 64), ("red", (255, 0, 0))])
def test_grey_with_alpha_stays_grey_over_grey(tmp_path, background, value):
    grey, alpha = colours()[..., 0], np.full((16, 24), 255, np.uint8)
    alpha[3, 5] = 0
    path = saved(tmp_path / "la.png", np.dstack([grey, alpha]))
    pixels = read_image(path, background=background)
    assert pixels.ndim == (2 if isinstance(value, int) else 3)
    assert (pixels[3, 5] == value).all()
    assert (pixels[4, 5] == grey[4, 5]).all()


def test_transparent_key_colour_needs_a_background(tmp_path):
    pixels = colours()
    pixels[3, 5] = 1, 2, 3
    path = saved(tmp_path / "key.png", pixels, transparency=(1, 2, 3))
    with pytest.raises(ImageError, match="Pass the colour behind them as background"):
        read_image(path)
    pixels[3, 5] = 255
    np.testing.assert_array_equal(read_image(path, background="white"), pixels)


def test_black_and_white_becomes_grey(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2, (9, 13)).astype(bool)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "bits.png", bits)), np.where(bits, 255, 0))


def test_palette_becomes_its_colours(tmp_path):
    image = Image.fromarray(colours()).quantize(16)
    image.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), np.asarray(image.convert("RGB")))


def test_cmyk_becomes_rgb():
    expected = np.asarray(Image.open(ODD / "cmyk.jpg").convert("RGB"))
    np.testing.assert_array_equal(read_image(ODD / "cmyk.jpg"), expected)


def test_grey_of_16_bits_is_rounded():
    values = np.asarray(Image.open(ODD / "grey-16bit.png")).astype(np.int64)
    assert values.max() > 255
    np.testing.assert_array_equal(read_image(ODD / "grey-16bit.png", to_8_bit=True), (values + 128) // 257)


@pytest.mark.parametrize(
    ("write", "shape"), [(png_of_16_bits, (7, 9)), (png_of_16_bits, (7, 9, 3)), (tiff_of_16_bits, (7, 9, 3))]
)
def test_16_bits_are_refused_and_rounded(tmp_path, write, shape):
    values = values_of_16_bits(shape)
    path = write(tmp_path / "deep", values)
    with pytest.raises(ImageError, match="Pass to_8_bit=True"):
        read_image(path)
    pixels = read_image(path, to_8_bit=True)
    assert pixels.shape == shape
    np.testing.assert_array_equal(pixels, np.rint(values / 257))


def test_tiff_of_16_bit_grey_is_rounded(tmp_path):
    values = values_of_16_bits((7, 9)).astype(np.uint16)
    path = saved(tmp_path / "deep.tiff", values)
    with pytest.raises(ImageError, match="Pass to_8_bit=True"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, to_8_bit=True), np.rint(values / 257))


def test_frame_is_the_one_that_is_asked_for():
    with Image.open(ODD / "animated.gif") as image:
        image.seek(1)
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read_image(ODD / "animated.gif", frame=1), expected)
    assert (expected != read_image(ODD / "animated.gif", frame=0)).any()


@pytest.mark.parametrize("frame", [-1, 3])
def test_frame_that_is_not_there_is_refused(frame):
    with pytest.raises(ImageError, match="has 3"):
        read_image(ODD / "animated.gif", frame=frame)


def test_frame_of_a_file_with_one_image():
    assert read_image(ODD / "rgb.bmp", frame=0).shape == (64, 96, 3)
    with pytest.raises(ImageError, match="no frame 1"):
        read_image(ODD / "rgb.bmp", frame=1)


def test_preview_behind_a_photograph_is_passed_over(tmp_path):
    first, second = (Image.fromarray(colours(seed)) for seed in (0, 5))
    first.save(tmp_path / "camera.mpo", save_all=True, append_images=[second])
    with Image.open(tmp_path / "camera.mpo") as image:
        assert image.n_frames == 2
        expected = np.asarray(image)
    np.testing.assert_array_equal(read_image(tmp_path / "camera.mpo"), expected)


def test_display_p3_is_converted_to_srgb(tmp_path):
    pixels = colours()
    path = saved(tmp_path / "p3.png", pixels, icc_profile=display_p3())
    expected = 255 * to_srgb(from_srgb(pixels / 255) @ P3_TO_SRGB.T)
    assert np.abs(expected - pixels).max() > 4
    assert np.abs(read_image(path) - expected).max() <= 1.5


def test_display_p3_photograph_is_turned_and_converted(tmp_path):
    exif, pixels = Image.Exif(), colours()
    exif[0x0112] = 6
    plain = saved(tmp_path / "plain.png", pixels, icc_profile=display_p3())
    turned = saved(tmp_path / "turned.png", pixels, icc_profile=display_p3(), exif=exif)
    np.testing.assert_array_equal(read_image(turned), np.rot90(read_image(plain), -1))


def test_palette_with_a_profile_is_converted(tmp_path):
    image = Image.fromarray(colours()).quantize(16)
    image.save(tmp_path / "palette.png", icc_profile=display_p3())
    image.convert("RGB").save(tmp_path / "rgb.png", icc_profile=display_p3())
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), read_image(tmp_path / "rgb.png"))


def test_background_is_exact_whatever_the_profile(tmp_path):
    pixels = np.dstack([colours(), np.full((16, 24), 255, np.uint8)])
    pixels[3, 5, 3] = 0
    path = saved(tmp_path / "p3.png", pixels, icc_profile=display_p3())
    assert read_image(path, background="#c86432")[3, 5].tolist() == [200, 100, 50]


def test_grey_with_a_profile_is_converted_and_stays_grey(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    profile = icc_profile("Grey gamma 1.8", "GRAY", {}, lambda values: values**1.8)
    pixels = read_image(saved(tmp_path / "gamma.png", grey, icc_profile=profile))
    expected = 255 * to_srgb((grey / 255) ** 1.8)
    assert pixels.shape == grey.shape
    assert np.abs(expected - grey).max() > 9
    assert np.abs(pixels - expected).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        # A gamma of 2.2 in place of the exact curve is common; a conversion would change dark pixels.
        icc_profile("sRGB IEC61966-2.1", "RGB ", SRGB, lambda values: values**2.2),
    ],
    ids=["exact", "simplified"],
)
def test_srgb_is_left_bit_for_bit(tmp_path, profile):
    pixels = colours(low=15, high=60)
    path = saved(tmp_path / "srgb.png", pixels, icc_profile=profile)
    np.testing.assert_array_equal(read_image(path), pixels)


@pytest.mark.parametrize(
    "profile", [b"no profile" * 20, icc_profile("Grey", "GRAY", {}, from_srgb)], ids=["garbage", "other space"]
)
def test_a_profile_that_does_not_fit_is_ignored_with_a_warning(tmp_path, caplog, profile):
    pixels = colours()
    path = saved(tmp_path / "strange.png", pixels, icc_profile=profile)
    with caplog.at_level(logging.WARNING, "lic"):
        np.testing.assert_array_equal(read_image(path), pixels)
    assert "strange.png" in caplog.text


def test_profiles_made_by_hand_are_profiles():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    assert ImageCms.getProfileDescription(profile).strip() == "Display P3"
