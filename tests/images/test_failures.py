"""Messages for files that no library reads."""

import concurrent.futures
import functools
import io
import re
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from lic.errors import ImageError
from lic.images import image_size, read_image, read_samples
from lic.images.failures import as_image_errors, words_of
from tests.conftest import random_images
from tests.images import table
from tests.images.files import samples, saved, waves

# Formats that Pillow reads and writes.
PILLOW = ["BMP", "DIB", "GIF", "ICNS", "ICO", "JPEG", "PCX", "PPM", "SGI", "SPIDER", "TGA", "TIFF"]
# Names of errors, and what an object without words of its own is shown as.
PYTHON = re.compile(r"Error\b|Exception\b|\berror\b|<.+>| object |0x[0-9a-f]|unpack|buffer|index|\w_\w|\bNone\b")


@functools.cache
def whole_files():
    """A file of each format, and its name."""
    found = {case.format: case.data for case in table.cases()}
    picture = Image.fromarray(samples(waves(), 8))
    found |= {f"{name} of Pillow": saved(picture.convert("F" if name == "SPIDER" else "RGB"), name) for name in PILLOW}
    found["TIFF with LZW"] = saved(picture, "TIFF", compression="tiff_lzw")
    array = io.BytesIO()
    np.save(array, samples(waves(), 8))
    return found | {"NPY": array.getvalue()}


@pytest.mark.parametrize("read", [read_image, read_samples, image_size])
def test_an_empty_file_has_a_sentence_of_its_own(tmp_path, read):
    (tmp_path / "a.png").touch()
    for given in (tmp_path / "a.png", (tmp_path / "a.png").open("rb")):
        with pytest.raises(ImageError, match=r"a\.png is empty: it has 0 bytes. Get the file anew.$"):
            read(given)


@pytest.mark.parametrize("read", [read_image, read_samples, image_size])
def test_files_that_are_cut_off_are_refused_in_words(read):
    odd, refused = [], 0
    for name, data in whole_files().items():
        for length in (1, 3, 4, 8, 12, 20, 32, 64, len(data) // 4, len(data) // 2, len(data) - 1):
            try:
                read(io.BytesIO(data[:length]))
            except ImageError as error:
                refused += 1
                odd += [(name, length, str(error))] * bool(PYTHON.search(str(error)))
    assert not odd
    assert refused > (4 if read is image_size else 8) * len(whole_files())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("it has 3 channels."), "it has 3 channels"),
        (OSError(2, "No such device"), "No such device"),
        (SyntaxError("broken PNG file"), "broken PNG file"),
        (RuntimeError("the tile is damaged"), "the tile is damaged"),
        (IndexError("list index out of range"), None),
        (KeyError("mode"), None),
        (TypeError("'NoneType' object is not callable"), None),
        (struct.error("unpack requires a buffer of 4 bytes"), None),
        (ZeroDivisionError("division by zero"), None),
        (AssertionError(), None),
        (OSError("cannot identify image file <_io.BytesIO object at 0x7f66d8>"), None),
        (OSError("decoder error -2: KeyError('a')"), None),
        (SyntaxError("index out of range"), None),
        (ValueError("cannot reshape array of size 0 into shape (20,24)"), None),
        (ValueError("invalid literal for int() with base 10: b'a'"), None),
        (ValueError("UnidentifiedImageError: no"), None),
        (RuntimeError("opj_decode or opj_end_decompress failed"), None),
    ],
    ids=str,
)
def test_words_are_about_the_image(error, words):
    assert words_of(error) == (words or "its contents are damaged, or it is cut off")


@pytest.mark.parametrize(
    "error", [struct.error("4 bytes"), IndexError("3"), MemoryError(), UnicodeDecodeError("a", b"", 0, 1, "b")]
)
def test_any_error_becomes_one_that_names_the_file(error):
    with (
        pytest.raises(ImageError, match=r"^a\.png cannot be read as an image: [\w ,]+\.$") as caught,
        as_image_errors("a.png"),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_filters_of_warnings_stay_as_they_are_with_several_threads(tmp_path):
    Image.fromarray(random_images(8, 8, 3)).save(tmp_path / "a.png")
    before = list(warnings.filters)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert len(list(threads.map(read_image, [tmp_path / "a.png"] * 400))) == 400
    assert list(warnings.filters) == before
