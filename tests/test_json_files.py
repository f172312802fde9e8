"""Files of JSON that users may have edited, and that may be damaged."""

import logging

import pytest

from lic.json_files import parse_json, read_json, read_lines

BAD = [b"", b"{", b"NaN", b'{"a": Infinity}', b'{"a": -1e400}', b"\xff", b"{'a': 1}", b'{"a": 1}}', b"[" * 100_000]


@pytest.mark.parametrize("text", BAD)
def test_a_text_that_is_not_json_is_a_value_error(text):
    with pytest.raises((ValueError, RecursionError)):
        parse_json(text)


@pytest.mark.parametrize("text", [b"[]", b"7", b"null", b'"text"', b"true"])
def test_a_file_holds_an_object(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match="expected an object"):
        read_json(path)
    path.write_bytes(b'{"a": [1, 2.5, "b", null]}')
    assert read_json(path) == {"a": [1, 2.5, "b", None]}


def test_a_large_file_is_refused_unread(tmp_path):
    with open(tmp_path / "x.json", "wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(ValueError, match="8589934592 bytes, more than"):
        read_json(tmp_path / "x.json")


def test_lines_that_are_no_objects_are_left_out_with_a_warning(tmp_path, caplog):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join([b'{"a": 1}', *BAD, b"[]", b'{"a": 2}', b'{"a": 3']))
    with caplog.at_level(logging.WARNING, "lic"):
        assert read_lines(path) == [{"a": 1}, {"a": 2}]
    odd = [*range(3, 2 + len(BAD)), 2 + len(BAD), 4 + len(BAD)]  # The second line is empty.
    assert caplog.messages == [f"{path}: line {n} is cut off or damaged, and counts as missing" for n in odd]
    caplog.clear()
    path.write_bytes(b'\n{"a": 1}\n \n{"a": 2}\n')
    assert read_lines(path) == [{"a": 1}, {"a": 2}]
    assert read_lines(tmp_path / "none.jsonl") == []
    assert not caplog.messages
