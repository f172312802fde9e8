"""Image files in folders."""

import pytest

from lic.errors import ImageError
from lic.images import image_files
from lic.images.folders import is_image


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.png", True), ("deep/a.JPG", True), ("a.webp", True), ("a.txt", False), ("a.lic", False), ("png", False)],
)
def test_names_of_images_are_known_by_their_endings(name, expected):
    assert is_image(name) == expected


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jxl", "a.avif", "a.jp2", "a.tif"])
def test_formats_of_the_extra_are_images_with_or_without_it(name):
    assert is_image(name)


@pytest.mark.parametrize(
    "name", ["._a.png", "notes.pdf", "weights.h5", "a.hdf", "film.mpg", "a.grib", "a.bufr", "a.eps"]
)
def test_what_pillow_knows_by_name_only_is_no_image(name):
    assert not is_image(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.lic.png", False),
        ("A.LIC.TIF", False),
        ("a.lic.parts3.png", False),
        ("a.lic.plate.png", True),
        ("a.licence.png", True),
    ],
)
def test_decoded_images_that_are_named_after_their_streams_are_no_inputs(name, expected):
    assert is_image(name) == expected


def test_files_of_a_folder_are_sorted_and_others_passed_over(tmp_path):
    for name in ("b.png", "deep/a.jxl", "._b.png", "notes.pdf", "b.lic"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert image_files(tmp_path) == [tmp_path / "b.png", tmp_path / "deep" / "a.jxl"]


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    for name in (".hidden.png", ".thumbs/a.png", "deep/.b.png", "deep/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert image_files(tmp_path) == [tmp_path / "deep" / "c.png"]
    assert image_files(tmp_path / ".thumbs") == [tmp_path / ".thumbs" / "a.png"]


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no folder .*absent"):
        image_files(tmp_path / "absent")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.pdf").touch()
    with pytest.raises(ImageError, match="holds no images. Give a folder"):
        image_files(tmp_path)
