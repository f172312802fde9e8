"""Colours of profiles, code points, gammas and primaries."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lic.images import colour, read_image
from lic.images.colour import from_srgb, to_srgb
from tests.images.files import (
    ADOBE,
    P3,
    P3_TO_SRGB,
    SRGB,
    chunk,
    gamma_tag,
    icc_profile,
    levels,
    png,
    samples,
    saved,
    table_profile,
    through,
    waves,
)

PIXELS = samples(waves(), 8)


def parametric(kind, *numbers):
    return (
        b"para\0\0\0\0"
        + struct.pack(">HH", kind, 0)
        + struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))
    )


def colours_of(curve, colorants=SRGB):
    return colour.colours_of_profile(icc_profile("anything", "RGB ", colorants, curve))


def test_curves_of_srgb_are_inverse():
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(to_srgb(from_srgb(values)), values, atol=1e-6)


@pytest.mark.parametrize(
    ("tag", "curve"),
    [
        (gamma_tag(1.8), lambda v: v**1.8),
        (b"curv\0\0\0\0\0\0\0\0", lambda v: v),
        (b"curv\0\0\0\0" + struct.pack(">I3H", 3, 0, 16384, 65535), lambda v: np.interp(v, [0, 0.5, 1], [0, 0.25, 1])),
        (parametric(0, 2.4), lambda v: v**2.4),
        (parametric(1, 2, 0.8, 0.2), lambda v: (0.8 * v + 0.2) ** 2),
        (parametric(2, 2, 0.8, 0, 0.1), lambda v: (0.8 * v) ** 2 + 0.1),
        (parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), from_srgb),
        (
            parametric(4, 2, 0.9, 0.1, 0.5, 0.25, 0, 0.01),
            lambda v: np.where(v >= 0.25, (0.9 * v + 0.1) ** 2, v / 2 + 0.01),
        ),
    ],
    ids=["gamma", "identity", "table", "para 0", "para 1", "para 2", "para 3", "para 4"],
)
def test_every_form_of_a_curve(tag, curve):
    assert np.abs(colours_of(tag).to_srgb(PIXELS, 255) - through(curve, PIXELS)).max() < 0.4


@pytest.mark.parametrize("colorants", [P3, ADOBE], ids=["P3", "Adobe"])
def test_primaries_of_a_profile(colorants):
    matrix = np.linalg.inv(np.array(list(SRGB.values())).T) @ np.array(list(colorants.values())).T
    expected = through(lambda v: v**2.2, PIXELS, matrix)
    assert np.abs(colours_of(gamma_tag(2.2), colorants).to_srgb(PIXELS, 255) - expected).max() < 0.7


def test_deep_samples_are_converted_without_rounding_before():
    deep = samples(waves() / 16, 16)
    expected = through(lambda v: v, deep / 257)
    assert np.abs(colours_of(gamma_tag(1)).to_srgb(deep, 65535) - expected).max() < 0.1


@pytest.mark.parametrize(
    ("description", "colorants", "curve", "same"),
    [
        ("anything", SRGB, from_srgb, True),
        ("sRGB simplified", SRGB, gamma_tag(2.2), True),
        ("anything", SRGB, gamma_tag(2.2), False),
        ("GIMP built-in Linear sRGB", SRGB, gamma_tag(1), False),
        ("calibrated against sRGB, wide", ADOBE, gamma_tag(2.2), False),
        ("sRGB-like Display P3", P3, from_srgb, False),
        ("sRGB of a Mac", SRGB, gamma_tag(1.8), False),
    ],
)
def test_srgb_is_known_by_what_a_profile_does(description, colorants, curve, same):
    profile = icc_profile(description, "RGB ", colorants, curve)
    assert colour.is_called_srgb(profile, colour.colours_of_profile(profile)) == same


@pytest.mark.parametrize("size", [0, 4, 127, 140, 200, 600])
def test_a_truncated_profile_is_an_error(size):
    with pytest.raises(ValueError, match="it is|a tag"):
        colour.colours_of_profile(icc_profile("anything", "RGB ", SRGB, from_srgb)[:size])


@pytest.mark.parametrize(
    "curve", [b"", b"nope" + bytes(20), b"curv\0\0\0\0\xff\xff\xff\xff", parametric(9, 1), parametric(3)]
)
def test_a_damaged_curve_is_an_error(curve):
    with pytest.raises(ValueError, match="a tag is missing or damaged"):
        colours_of(curve)


def test_a_curve_that_is_no_number_stays_in_range():
    converted = colours_of(parametric(0, -3)).to_srgb(PIXELS, 255)
    assert np.isfinite(converted).all()


def test_code_points_of_display_p3():
    converted = colour.colours_of_code_points(12, 13).to_srgb(PIXELS, 255)
    assert np.abs(converted - through(from_srgb, PIXELS, P3_TO_SRGB)).max() < 0.2


def test_television_has_its_own_curve():
    def curve(values):
        return np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))

    assert np.abs(colour.colours_of_code_points(1, 1).to_srgb(PIXELS, 255) - through(curve, PIXELS)).max() < 0.2


@pytest.mark.parametrize("transfer", [2, 13])
def test_code_points_of_srgb_need_no_conversion(transfer):
    assert colour.colours_of_code_points(1, transfer) is None


@pytest.mark.parametrize(
    ("primaries", "transfer", "words"), [(9, 16, "PQ"), (1, 18, "HLG"), (3, 13, "number 3"), (1, 99, "number 99")]
)
def test_code_points_without_a_meaning_in_8_bits_are_errors(primaries, transfer, words):
    with pytest.raises(ValueError, match=words):
        colour.colours_of_code_points(primaries, transfer)


@pytest.mark.parametrize("gamma", [1 / 2.2, 0.4545, 0.452])
def test_a_gamma_of_screens_stands_for_srgb(gamma):
    assert colour.colours_of_gamma(gamma, None) is None


@pytest.mark.parametrize("gamma", [1, 0.5, 1 / 1.8, 0.6])
def test_another_gamma_is_converted(gamma):
    converted = colour.colours_of_gamma(gamma, None).to_srgb(PIXELS, 255)
    assert np.abs(converted - through(lambda v: v ** (1 / gamma), PIXELS)).max() < 0.4


@pytest.mark.parametrize("gamma", [0, -1, 1e-6, 1e9])
def test_a_gamma_that_is_no_curve_is_an_error(gamma):
    with pytest.raises(ValueError, match="no tone curve"):
        colour.colours_of_gamma(gamma, None)


@pytest.mark.parametrize("green", [(0.64, 0.33), (0.3, 0)])
def test_chromaticities_that_are_no_colours_are_errors(green):
    with pytest.raises(ValueError, match="no colours"):
        colour.colours_of_gamma(None, ((0.64, 0.33), green, (0.15, 0.06), (0.3127, 0.329)))


def test_tables_of_a_profile_are_linear_between_their_corners():
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1) @ np.array(list(SRGB.values()))
    profile = table_profile("RGB ", corners)
    assert colour.colours_of_profile(profile) is None
    converted = np.asarray(colour.through_profile(Image.fromarray(PIXELS), profile))
    bright = PIXELS.min(-1) > 20  # Tables of 16 bits have few steps in dark colours.
    assert np.abs(converted - through(lambda values: values, PIXELS))[bright].max() <= 2


@pytest.mark.parametrize(("bits", "mode"), [(8, "RGB"), (16, "RGB"), (8, "L")])
def test_tables_apply_to_files(bits, mode):
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1) @ np.array(list(SRGB.values()))
    numbers = samples(waves(), bits) if mode == "RGB" else samples(waves(1)[..., 0], bits)
    packed = b"a\0\0" + zlib.compress(table_profile("RGB ", corners))
    pixels = read_image(
        io.BytesIO(png(numbers, bits, 2 if mode == "RGB" else 0, chunk(b"iCCP", packed))), to_8_bit=True
    )
    assert pixels.shape == numbers.shape
    assert np.abs(pixels - through(lambda values: values, levels(numbers, bits)))[pixels > 80].max() <= 3


def test_tables_of_ink_apply():
    ink = np.stack(np.meshgrid(*[[1, 0]] * 4, indexing="ij"), -1)
    corners = (ink[..., :3] * ink[..., 3:]) @ np.array(list(SRGB.values()))
    # Without black, so that the colours are linear inside the cube too.
    values = np.dstack([waves(), np.zeros((20, 24))])
    cmyk = Image.fromarray(samples(values, 8), "CMYK")
    pixels = read_image(io.BytesIO(saved(cmyk, "TIFF", icc_profile=table_profile("CMYK", corners))))
    assert np.abs(pixels - 255 * to_srgb(1 - waves()))[pixels > 80].max() <= 3


def test_lab_becomes_srgb():
    grey = Image.new("LAB", (1, 1), (round(53.585 * 2.55), 128, 128))
    assert np.abs(np.asarray(colour.from_lab(grey)) - 128.0).max() <= 1


D65 = (0.3127, 0.3290)
H273 = {  # Table 2: red, green, blue and white.
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}


@pytest.mark.parametrize("number", H273)
def test_primaries_are_those_of_the_standard_and_white_stays_white(number):
    np.testing.assert_allclose(colour._PRIMARIES[number], H273[number])
    matrix = colour._matrix_of(colour._PRIMARIES[number])
    np.testing.assert_allclose(matrix @ np.ones(3), np.ones(3), atol=1e-9)


def test_primaries_of_bt_2020_are_converted_as_in_bt_2087():
    wanted = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(colour._matrix_of(colour._PRIMARIES[9]), wanted, atol=2e-4)


@pytest.mark.parametrize(("transfer", "gamma"), [(4, 2.2), (5, 2.8), (8, 1.0)])
def test_transfers_that_are_powers(transfer, gamma):
    converted = colour.colours_of_code_points(1, transfer).to_srgb(PIXELS, 255)
    assert np.abs(converted - through(lambda values: values**gamma, PIXELS)).max() < 0.3


@pytest.mark.parametrize("transfer", [6, 14, 15])
def test_transfers_of_television_are_alike(transfer):
    first, other = (colour.colours_of_code_points(1, number).to_srgb(PIXELS, 255) for number in (1, transfer))
    np.testing.assert_array_equal(other, first)
