"""Image files in and out."""

import io
import logging
import struct
import subprocess
import sys
import warnings
import zlib

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from lic.errors import ImageError
from lic.images import image_size, read_image
from lic.images.colour import from_srgb, to_srgb
from tests.conftest import DATA
from tests.images.files import (
    COLOUR,
    COLOUR_ALPHA,
    GREY,
    P3,
    P3_TO_SRGB,
    SRGB,
    chunk,
    exif,
    gamma_tag,
    icc_profile,
    png,
    samples,
    tiff,
    waves,
)

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


@pytest.mark.parametrize(("argument", "value"), [("background", (255, 0, 0)), ("frame", "0"), ("frame", 1.0)])
def test_an_argument_of_another_type_is_named(argument, value):
    with pytest.raises(ImageError, match=f"Expected {argument} to be a .*Received: "):
        read_image(ODD / "rgba.png", **{argument: value})


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


def written(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "beside",
    [(0x011A, 10, b"\xff" * 4), (0x8769, 4, b"\xf0\xff\xff\xff"), (0x011A, 3, b"\x48"), (0x0213, 99, b"")],
    ids=["rational", "directory", "resolution", "unknown type"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_beside_the_orientation_has_no_say(tmp_path, kind, beside):
    block = exif((0x0112, 3, b"\6\0"), beside)
    options = {"exif": block if kind == "PNG" else b"Exif\0\0" + block}
    plain = read_image(saved(tmp_path / f"plain.{kind.lower()}", colours()))
    turned = read_image(saved(tmp_path / f"turned.{kind.lower()}", colours(), **options))
    np.testing.assert_array_equal(turned, np.rot90(plain, -1))


@pytest.mark.parametrize("block", [b"\0\x08\0\2garbage", b"II*\0\x08\0\0\0\x20\0"])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_damaged_exif_is_a_warning(tmp_path, caplog, kind, block):
    plain = read_image(saved(tmp_path / f"plain.{kind}", colours()))
    path = saved(tmp_path / f"odd.{kind}", colours(), **({"exif": b"Exif\0\0" + block} if kind == "jpeg" else {}))
    if kind == "png":
        path.write_bytes(png(colours(), 8, COLOUR, chunk(b"eXIf", block)))
    with caplog.at_level(logging.WARNING, "lic"):
        np.testing.assert_array_equal(read_image(path), plain)
    assert f"odd.{kind}: its EXIF is damaged" in caplog.text


def test_exif_in_a_text_chunk_applies(tmp_path):
    block = b"Exif\0\0" + exif((0x0112, 3, b"\x08\0"))
    text = b"Raw profile type exif\0" + f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    path = written(tmp_path / "a.png", png(colours(), 8, COLOUR, chunk(b"tEXt", text)))
    np.testing.assert_array_equal(read_image(path), np.rot90(colours(), 1))


def test_xmp_has_no_say(tmp_path):
    xmp = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""
    path = saved(tmp_path / "a.jpg", colours(), xmp=xmp)
    with Image.open(path) as image:
        assert image.getexif()[0x0112] == 6
        np.testing.assert_array_equal(read_image(path), np.asarray(image))
    path = saved(tmp_path / "a.tiff", colours(), tiffinfo={700: xmp})
    np.testing.assert_array_equal(read_image(path), colours())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_every_orientation_of_tiff(tmp_path, bits, orientation):
    values = colours().astype(np.uint8 if bits == 8 else np.uint16)
    path = written(tmp_path / "a.tiff", tiff(values, bits, 2, more=[(274, [orientation])]))
    stored = Image.fromarray((values / (1 if bits == 8 else 257)).round().astype(np.uint8))
    stored.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(read_image(path, to_8_bit=True), np.asarray(ImageOps.exif_transpose(stored)))


@pytest.mark.parametrize(("colorants", "curve"), [(SRGB, gamma_tag(1)), (P3, gamma_tag(2.2))])
def test_a_profile_that_is_called_srgb_is_converted_by_what_it_does(tmp_path, colorants, curve):
    profiles = (icc_profile(name, "RGB ", colorants, curve) for name in ("linear sRGB", "anything"))
    called, other = (read_image(saved(tmp_path / "a.png", colours(), icc_profile=profile)) for profile in profiles)
    np.testing.assert_array_equal(called, other)
    assert np.abs(called - colours().astype(int)).max() > 4


def test_a_profile_goes_before_gamma_and_code_points_before_both(tmp_path):
    profile = b"a\0\0" + zlib.compress(display_p3())
    gamma, points = chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"cICP", bytes([1, 13, 0, 1]))
    by_profile = read_image(saved(tmp_path / "p3.png", colours(), icc_profile=display_p3()))
    data = png(colours(), 8, COLOUR, chunk(b"iCCP", profile) + gamma)
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", data)), by_profile)
    data = png(colours(), 8, COLOUR, chunk(b"iCCP", profile) + gamma + points)
    np.testing.assert_array_equal(read_image(written(tmp_path / "b.png", data)), colours())


def test_grey_with_a_profile_of_colour_is_converted_by_its_curve(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    profile = icc_profile("anything", "RGB ", P3, gamma_tag(1))
    pixels = read_image(saved(tmp_path / "a.png", grey, icc_profile=profile))
    assert np.abs(pixels - 255 * to_srgb(grey / 255)).max() <= 0.7


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_png_of_16_bits_is_rounded_in_every_form(tmp_path, kind, channels, interlaced):
    values = values_of_16_bits((21, 19, channels))
    values[..., -1] = 65535 if kind in (4, 6) else values[..., -1]
    path = written(tmp_path / "a.png", png(values, 16, kind, interlaced=interlaced))
    expected = np.rint(values / 257)[..., : 3 if channels > 2 else 1]
    np.testing.assert_array_equal(read_image(path, to_8_bit=True), expected if channels > 2 else expected[..., 0])


def test_coloured_background_makes_grey_colour(tmp_path):
    values = np.array([[[1000, 0], [65535, 65535]]])
    pixels = read_image(written(tmp_path / "a.png", png(values, 16, 4)), to_8_bit=True, background="#102030")
    assert pixels.tolist() == [[[16, 32, 48], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.jpg", lambda: bytes.fromhex("ffd8ffc0000b0c000800080101110000ffd9"), "JPEG: cannot handle 12-bit layers"),
        ("a.png", lambda: png(colours(), 8, COLOUR, b"\0\0\0\4tEXtabcd\0\0\0\0"), "PNG: broken PNG file .*tEXt"),
        ("a.pgm", lambda: b"P5 0 0 255\n", "PPM: it has no pixels"),
        ("a.pdf", lambda: b"%PDF-1.4\n", "none of the formats that Pillow reads"),
        ("a.pgm", lambda: b"P5 100000 100000 255\n\0", "exceeds limit"),
        ("a.heic", lambda: b"\0\0\0\x18ftypheic" + bytes(100), "meta"),
        ("a.jxl", lambda: b"\xff\x0a", "its header is truncated"),
        ("a.jp2", lambda: b"\xff\x4f\xff\x51\0\x2f", "JPEG2000"),
        ("a.tif", lambda: b"II*\0" + bytes(4), "it holds no image, or is cut off"),
    ],
)
def test_the_reason_is_that_of_the_reader(tmp_path, name, data, reason):
    with pytest.raises(ImageError, match=rf"{name[2:]} cannot be read as an image: .*{reason}"):
        read_image(written(tmp_path / name, data()))


@pytest.mark.parametrize(
    "error", [struct.error, IndexError, KeyError, TypeError, AssertionError, RuntimeError, MemoryError]
)
@pytest.mark.parametrize("read", [read_image, image_size])
def test_whatever_a_library_raises_names_the_file(tmp_path, monkeypatch, error, read):
    path = saved(tmp_path / "a.png", colours())

    def fail(*args, **options):
        raise error("deep inside")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageError, match=r"a\.png cannot be read as an image"):
        read(path)


@pytest.mark.parametrize(
    ("library", "data"),
    [
        ("pillow_heif", b"\0\0\0\x18ftypheic" + bytes(100)),
        ("imagecodecs", b"\xff\x0a" + bytes(100)),
        ("tifffile", tiff(np.zeros((2, 2, 3), np.uint16), 16, 2)),
    ],
)
def test_without_the_extra_the_message_names_it(tmp_path, monkeypatch, library, data):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImageError, match=rf"{library} is needed.*pip install 'keras-lic\[formats\]'"):
        read_image(written(tmp_path / "a", data), to_8_bit=True)


@pytest.mark.parametrize(("colours_of_palette", "right"), [(16, True), (12, True), (11, False), (1, False)])
def test_pixels_that_a_palette_lacks_are_refused(tmp_path, colours_of_palette, right):
    index, palette = np.arange(12).reshape(3, 4), np.arange(3 * colours_of_palette, dtype=np.uint8)
    path = written(tmp_path / "a.png", png(index, 4, 3, chunk(b"PLTE", palette.tobytes())))
    if right:
        np.testing.assert_array_equal(read_image(path), palette.reshape(-1, 3)[index])
    else:
        with pytest.raises(ImageError, match=rf"a\.png .*palette has {colours_of_palette} colours.*number 11"):
            read_image(path)


def test_warnings_of_libraries_do_not_appear(tmp_path):
    path = saved(tmp_path / "a.png", colours()[..., 0])
    with Image.open(path) as image:
        image.quantize(8).save(path, transparency=bytes([255] * 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(path)


def test_an_open_file_and_a_pipe_are_read(tmp_path):
    path = saved(tmp_path / "a.png", colours())
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_image(file), colours())
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as process:
        np.testing.assert_array_equal(read_image(process.stdout), colours())


@pytest.mark.parametrize("name", ["rgb.bmp", "rgb-16bit.png", "orientation-6.jpg", "animated.gif"])
def test_size_is_that_of_the_file(name):
    with Image.open(ODD / name) as image:
        assert image_size(ODD / name) == image.size[::-1]


def test_size_of_formats_of_the_extra(tmp_path):
    pixels = colours(size=(20, 33))
    assert image_size(written(tmp_path / "a.jxl", imagecodecs.jpegxl_encode(pixels, lossless=True))) == (20, 33)
    assert image_size(written(tmp_path / "a.tif", tiff(pixels.astype(np.uint32), 32, 2))) == (20, 33)
    with (tmp_path / "a.heic").open("wb") as file:
        pillow_heif.encode("RGB", (33, 20), pixels.tobytes(), file, quality=50)
    assert image_size(tmp_path / "a.heic") == (20, 33)


@pytest.mark.parametrize(("kind", "channels"), [(COLOUR, 3), (COLOUR_ALPHA, 4)])
def test_large_images_are_converted_in_bands(monkeypatch, kind, channels):
    data = png(samples(waves(channels), 16), 16, kind)
    whole = read_image(io.BytesIO(data), to_8_bit=True, background="red")
    monkeypatch.setattr("lic.images.picture._BAND", 50)  # Two rows of 24 pixels.
    np.testing.assert_array_equal(read_image(io.BytesIO(data), to_8_bit=True, background="red"), whole)
