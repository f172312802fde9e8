"""Images written to files."""

import io

import numpy as np
import pytest
from PIL import Image

from lic.errors import ImageError
from lic.images import read_image, read_samples, write_image
from lic.images.writing import FORMATS, check_picture, encoded, format_of, is_written

SHAPES = [(1, 1), (7, 5), (1, 1, 3), (7, 5, 3), (33, 65, 3), (1, 300, 3), (300, 1)]
LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif"}


def random_pixels(shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def read(data):
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data))
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


@pytest.mark.parametrize("ending", sorted(FORMATS.keys() - LOSSY))
def test_every_pixel_comes_back(ending):
    format = format_of(f"out{ending}")
    for shape in SHAPES:
        if format.grey_only and len(shape) == 3:
            continue
        pixels = random_pixels(shape)
        expected = pixels if ending != ".webp" or pixels.ndim == 3 else np.stack([pixels] * 3, -1)
        np.testing.assert_array_equal(read(encoded(pixels, format)), expected)


@pytest.mark.parametrize("ending", sorted(LOSSY))
def test_jpeg_is_written_at_its_quality_and_with_all_of_its_colours(ending):
    pixels, format = random_pixels((64, 64, 3)), format_of(f"out{ending}")
    sizes = [len(encoded(pixels, format, quality)) for quality in (1, 75, 95, 100)]
    assert sizes == sorted(sizes)
    assert encoded(pixels, format) == encoded(pixels, format, 95)
    with Image.open(io.BytesIO(encoded(pixels, format))) as image:
        assert (image.format, image.layer[0][1:3]) == ("JPEG", (1, 1))  # Sampling of the luma beside that of colours.
    assert (
        np.abs(read(encoded(pixels, format)).astype(int) - pixels).mean() < 4
    )  # It is over 30 with fewer samples of colour


def test_the_ending_decides_in_capitals_too():
    assert format_of("a.b/OUT.PNG").name == "PNG"
    assert is_written("x.TIFF")
    assert not is_written("x.lic")


def test_a_codestream_has_no_boxes_around_it():
    assert encoded(random_pixels((8, 8)), format_of("a.j2k"))[:4] == b"\xff\x4f\xff\x51"
    assert encoded(random_pixels((8, 8)), format_of("a.jp2"))[4:8] == b"jP  "


# All others that Pillow writes: they change pixels, sizes or grey, or hold films or pages.
WRITTEN = {ending for ending, name in Image.registered_extensions().items() if name in Image.SAVE}


@pytest.mark.parametrize("ending", sorted((WRITTEN | {".xyz", ".psd", ".lic", ".heic", ".jxl"}) - FORMATS.keys()))
def test_every_other_format_is_refused(ending):
    with pytest.raises(ImageError, match=rf"ends in '\{ending}'.*\.png"):
        format_of(f"out{ending}")


def test_a_name_without_ending_is_refused_with_a_way_on():
    with pytest.raises(ImageError, match=r"new: the name has no ending.*a folder, which is made if its name ends in /"):
        format_of("new")


@pytest.mark.parametrize(
    ("name", "height", "width", "grey"),
    [
        ("a.jpg", 1, 65501, False),
        ("a.webp", 16384, 1, True),
        ("a.tga", 65536, 1, False),
        ("a.pgm", 9, 9, False),
    ],
)
def test_a_picture_that_a_format_cannot_hold_is_refused(name, height, width, grey):
    with pytest.raises(ImageError, match=rf"^{name}: the picture has"):
        check_picture(name, format_of(name), height, width, grey)
    check_picture(name, format_of(name), min(height, 16383), min(width, 16383), True)


@pytest.mark.parametrize(("ending", "most"), [(".jpg", 65500), (".webp", 16383), (".tga", 65535)])
def test_the_largest_sizes_are_written(ending, most):
    format = format_of(ending.replace(".", "a."))
    assert format.most == most
    assert read(encoded(np.zeros((1, most), np.uint8), format)).shape[:2] == (1, most)
    with pytest.raises(ImageError):
        check_picture("a", format, 1, most + 1, True)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (1, 1, 3), (33, 65, 3), (7, 5, 1), (7, 5, 4), (6, 9, 13)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", [".png", ".tif", ".npy"])
def test_many_channels_and_16_bits_come_back(tmp_path, shape, bits, ending):
    kind, channels = (np.uint16 if bits == 16 else np.uint8), 1 if len(shape) == 2 else shape[2]
    pixels = np.random.default_rng(0).integers(0, 1 << bits, shape, kind)
    path = tmp_path / f"out{ending}"
    if ending == ".png" and channels > 3:
        with pytest.raises(ImageError, match=f"has {channels} channels, PNG holds grey and colour.*tif or .npy"):
            write_image(path, pixels)
        return
    write_image(path, pixels)
    np.testing.assert_array_equal(read_samples(path, channels=channels, bit_depth=bits).reshape(shape), pixels)


@pytest.mark.parametrize(("name", "bits", "held"), [("a.png", 12, "8 or 16"), ("a.bmp", 16, "8"), ("a.jpg", 9, "8")])
def test_more_bits_than_a_format_holds_are_refused(name, bits, held):
    with pytest.raises(ImageError, match=f"has {bits} bits a channel, .* holds {held}. End the name in .tif or .npy"):
        check_picture(name, format_of(name), 9, 9, False, 3, bits)


def test_what_pillow_refuses_is_an_error_of_ours():
    with pytest.raises(ImageError, match=r"cannot be written as WEBP.*PNG"):
        encoded(np.zeros((1, 16384), np.uint8), format_of("a.webp"))


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
    with pytest.raises(ImageError, match="disk full"):
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
