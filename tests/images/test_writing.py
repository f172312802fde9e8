"""Images written to files."""

import numpy as np
import pytest
from PIL import Image

from lic.errors import ImageError
from lic.images import read_image, write_image


def colours(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (16, 24, 3), np.uint8)


@pytest.mark.parametrize("ending", ["png", "PNG", "bmp", "tiff"])
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_written_image_is_read_back(tmp_path, ending, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (11, 14, *channels), np.uint8)
    path = tmp_path / f"image.{ending}"
    write_image(path, pixels)
    np.testing.assert_array_equal(read_image(path), pixels)


@pytest.mark.parametrize(("ending", "kind"), [("jpg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_the_ending_gives_the_format(tmp_path, ending, kind):
    write_image(tmp_path / f"image.{ending}", colours())
    with Image.open(tmp_path / f"image.{ending}") as image:
        assert image.format == kind


@pytest.mark.parametrize("name", ["image.xyz", "image", "image.lic"])
def test_unknown_ending_is_refused(tmp_path, name):
    with pytest.raises(ImageError, match=r"\.png"):
        write_image(tmp_path / name, colours())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["psd", "fli", "xpm"])
def test_format_that_pillow_only_reads_is_refused(tmp_path, ending):
    with pytest.raises(ImageError, match=rf"\.{ending}"):
        write_image(tmp_path / f"image.{ending}", colours())
    assert not list(tmp_path.iterdir())


def test_failed_save_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    def fail(self, file, *args, **options):
        file.write(b"half an image")
        raise OSError("disk full")

    write_image(tmp_path / "image.png", colours())
    before = (tmp_path / "image.png").read_bytes()
    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        write_image(tmp_path / "image.png", colours(3))
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]
    assert (tmp_path / "image.png").read_bytes() == before


def test_failed_renaming_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "image.png").mkdir()
    with pytest.raises(OSError, match=r"image\.png"):
        write_image(tmp_path / "image.png", colours())
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]


def test_the_mode_of_a_written_file_follows_the_umask(tmp_path):
    write_image(tmp_path / "image.png", colours())
    (tmp_path / "plain").touch()
    assert (tmp_path / "image.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
