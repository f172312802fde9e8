"""Zips of arrays whose sizes are bounded before anything is unpacked."""

import io
import zipfile

import numpy as np
import pytest

from lic import array_archive
from lic.array_archive import arrays_of, headers_of, is_usual, open_archive, text_of

WHOLE = np.arange(6, dtype=np.float32).reshape(2, 3)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def written(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def header_of(text):
    """Returns a member with this text as its npy header."""
    text = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def test_arrays_and_texts_come_back(tmp_path):
    members = {"a/b.npy": npy(WHOLE), "empty.npy": npy(np.zeros((0, 5))), "one.npy": npy(np.int32(7)), "t": b"text"}
    with open_archive(written(tmp_path / "x", members)) as archive:
        headers = headers_of(archive)
        assert {name: (each.shape, each.size, each.nbytes) for name, each in headers.items()} == {
            "a/b": ((2, 3), 6, 24),
            "empty": ((0, 5), 0, 0),
            "one": ((), 1, 4),
        }
        assert is_usual(archive, headers)
        np.testing.assert_array_equal(arrays_of(archive, headers)["a/b"], WHOLE)
        assert text_of(archive, "t") == b"text"


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"PK",
        npy(WHOLE)[:-1],
        npy(WHOLE) + b"\0",
        npy(WHOLE)[:20],
        npy(WHOLE).replace(b"NUMPY\x01", b"NUMPY\x07"),
        b"\x93NUMPY\x02\x00" + npy(WHOLE)[8:10] + bytes(2) + npy(WHOLE)[10:],  # Its header may have gigabytes.
        header_of("[" * 3000),
        header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"),
        header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -6)}") + bytes(24),
        header_of("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}"),
        header_of("{'descr': '|O', 'fortran_order': False, 'shape': ()}") + bytes(8),
        header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2**70,)}"),
    ],
)
def test_a_member_that_is_not_its_array_is_refused_packed(tmp_path, member):
    with open_archive(written(tmp_path / "x", {"a.npy": member})) as archive:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - numpy raises errors of many types
            headers_of(archive)
        assert not isinstance(raised.value, MemoryError)


def test_some_bytes_that_unpack_to_many_are_not_usual(tmp_path):
    zeros = np.zeros(array_archive.USUAL_BYTES // 4 + 1, np.float32)
    with open_archive(written(tmp_path / "x", {"a.npy": npy(zeros)})) as archive:
        assert not is_usual(archive, headers_of(archive))


def test_a_large_text_and_very_many_members_are_refused(tmp_path, monkeypatch):
    path = written(tmp_path / "x", {"t": bytes(array_archive.LARGEST_TEXT + 1), "u": b""})
    with open_archive(path) as archive, pytest.raises(ValueError, match="4194305 bytes, more than 4194304"):
        text_of(archive, "t")
    monkeypatch.setattr(array_archive, "MOST_MEMBERS", 1)
    with pytest.raises(ValueError, match="has 2 members, more than 1"):
        open_archive(path)
