import pathlib

import pytest

from lic.cli.streams import naming, read_stream
from lic.errors import BitstreamError


def test_bytes_are_read(tmp_path):
    (tmp_path / "one.lic").write_bytes(b"\0\1")
    assert read_stream(tmp_path / "one.lic") == b"\0\1"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BitstreamError, match=r"There is no file '.*none\.lic'"):
        read_stream(tmp_path / "none.lic")


def test_errors_are_told_with_the_file_and_stay_what_they_are():
    with pytest.raises(BitstreamError, match="^folder/one.lic: damaged$"), naming(pathlib.Path("folder/one.lic")):
        raise BitstreamError("damaged")
