"""HEIF, and what AVIF declares in the same boxes."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from lic.errors import ImageError
from lic.images import read_image
from lic.images.boxes import Declared, boxes, of_heif
from tests.images.files import P3, exif, icc_profile, saved, through_p3, waves
from tests.images.table import heif

DATA, PIXELS = heif(waves())


def read(data, **options):
    return read_image(io.BytesIO(data), **options)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_container_turns_and_exif_beside_does_not(orientation):
    image = Image.fromarray(PIXELS)
    file = io.BytesIO()
    image.encoderinfo = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}
    image.encoderinfo["exif"] = b"Exif\0\0" + exif((0x0112, 3, struct.pack("<H", orientation)))
    pillow_heif.as_plugin._save_heif(image, file, "")
    image.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(read(file.getvalue()), np.asarray(ImageOps.exif_transpose(image)))


def test_a_profile_goes_before_code_points():
    profile = icc_profile("anything", "RGB ", P3, lambda values: values**2.2)
    image = pillow_heif.from_pillow(Image.fromarray(PIXELS))
    image.info["icc_profile"] = profile
    file = io.BytesIO()
    image.save(file, quality=-1, chroma=444, matrix_coefficients=0)
    assert np.abs(read(file.getvalue()).astype(float) - through_p3(PIXELS)).mean() < 3
    assert np.abs(read(file.getvalue()).astype(float) - PIXELS).max() > 10


@pytest.mark.parametrize("transfer", [1, 6, 14])
def test_curves_of_television_are_shown_as_srgb(transfer):
    data, _ = heif(waves(), color_primaries=1, transfer_characteristics=transfer)
    np.testing.assert_array_equal(read(data), PIXELS)


def test_a_frame_of_several():
    file = pillow_heif.from_pillow(Image.fromarray(PIXELS))
    file.add_from_pillow(Image.fromarray(PIXELS[::-1].copy()))
    data = io.BytesIO()
    file.save(data, quality=-1, chroma=444, matrix_coefficients=0)
    assert np.abs(read(data.getvalue(), frame=1).astype(int) - PIXELS[::-1]).max() <= 1
    with pytest.raises(ImageError, match="has 2 frames"):
        read(data.getvalue())


@pytest.mark.parametrize("size", [12, 20, 33, 100, 300, 400])
def test_truncated_files_are_refused(size):
    with pytest.raises(ImageError):
        read(DATA[:size])


def test_avif_with_television_code_points_is_shown_as_srgb():
    data = saved(PIXELS, "AVIF", quality=90)
    np.testing.assert_array_equal(read(data.replace(b"nclx\0\1\0\x0d", b"nclx\0\1\0\1")), read(data))


def box(kind, contents):
    return struct.pack(">I4s", 8 + len(contents), kind) + contents


def test_properties_are_those_of_the_primary_item():
    # The first item is a map of gains, of PQ and 10 bits; the second is the picture.
    gains = box(b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 128)), box(b"pixi", bytes([0, 0, 0, 0, 1, 10]))
    picture = (
        box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 6, 128)),
        box(b"pixi", bytes([0, 0, 0, 0, 3, 8, 8, 8])),
    )
    properties = box(b"ipco", b"".join([*gains, *picture]))
    association = (
        bytes(4) + struct.pack(">I", 2) + struct.pack(">HBBB", 1, 2, 1, 2) + struct.pack(">HBBB", 2, 2, 0x83, 4)
    )
    meta = (
        bytes(4) + box(b"pitm", bytes(4) + struct.pack(">H", 2)) + box(b"iprp", properties + box(b"ipma", association))
    )
    assert of_heif(box(b"meta", meta)) == Declared(8, (12, 13), None)


@pytest.mark.parametrize("damage", [b"", b"\0", bytes(7), b"\0\0\0\4abcd", b"\0\0\0\1abcd", b"\xff\xff\xff\xffabcd"])
def test_damaged_boxes_end_the_walk(damage):
    assert len(list(boxes(box(b"free", b"x") + damage))) <= 2
    assert of_heif(damage) == Declared()
