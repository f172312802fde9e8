"""The orientation that EXIF declares."""

import struct

import numpy as np
import pytest

from lic.images.exif import orientation_of, upright
from tests.images.files import exif

ORIENTATION, RESOLUTION, DIRECTORY = 0x0112, 0x011A, 0x8769


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code"), [(1, "B"), (3, "H"), (4, "I")])
def test_every_type_of_whole_number_and_both_orders(order, kind, code):
    block = exif((ORIENTATION, kind, struct.pack(order + code, 6)), order=order)
    assert orientation_of(block) == 6
    assert orientation_of(b"Exif\0\0Exif\0\0" + block) == 6


@pytest.mark.parametrize("beside", [(RESOLUTION, 10, b"\xff" * 4), (DIRECTORY, 4, b"\xf0\xff\xff\xff"), (1, 99, b"")])
def test_damaged_entries_beside_have_no_say(beside):
    right = (ORIENTATION, 3, b"\6\0")
    assert orientation_of(exif(right, beside)) == 6
    assert orientation_of(exif(beside, right)) == 6


@pytest.mark.parametrize("value", [0, 9, 99, 65535])
def test_other_numbers_stand_for_upright(value):
    assert orientation_of(exif((ORIENTATION, 3, struct.pack("<H", value)))) == 1


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", exif(), exif((ORIENTATION, 2, b"6\0"))])
def test_no_orientation_is_upright(block):
    assert orientation_of(block) == 1


@pytest.mark.parametrize("block", [b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff", exif((RESOLUTION, 3, b""))[:-10]])
def test_damage_is_an_error(block):
    with pytest.raises(ValueError, match="it "):
        orientation_of(block)


def test_entries_that_are_left_of_a_truncated_block_count():
    assert orientation_of(exif((ORIENTATION, 3, b"\6\0"), (RESOLUTION, 3, b""))[:-10]) == 6


def test_upright_by_rotations():
    image = np.arange(24).reshape(2, 4, 3)
    flipped = image[:, ::-1]
    expected = [image, flipped, np.rot90(image, 2), np.rot90(flipped, 2)]
    expected += [np.rot90(flipped, 1), np.rot90(image, -1), np.rot90(flipped, -1), np.rot90(image, 1)]
    for orientation, right in enumerate(expected, 1):
        np.testing.assert_array_equal(upright(image, orientation), right)
