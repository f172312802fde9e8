import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lic.codec.bitstream import MAGIC, Flag, Stream
from lic.errors import BitstreamError

STREAM = Stream(b"abcd", 300, 7, b"payload", 12345, Flag.GREY)


def _signed(data: bytes) -> bytes:
    """Puts the right last checksum behind changed bytes."""
    return data + zlib.crc32(data).to_bytes(4, "little")


def test_layout_is_the_documented_one():
    expected = b"\x93LIC\x01\x01abcd" + b"\xac\x02" + b"\x07" + b"payload" + (12345).to_bytes(4, "little")
    assert STREAM.pack() == _signed(expected)


@given(
    st.builds(
        Stream,
        st.binary(min_size=4, max_size=4),
        st.integers(1, 2**35 - 1),
        st.integers(1, 2**35 - 1),
        st.binary(max_size=50),
        st.integers(0, 2**32 - 1),
        st.sampled_from([Flag(0), Flag.GREY, Flag.DETERMINISTIC, Flag.GREY | Flag.DETERMINISTIC]),
        st.one_of(st.none(), st.integers(0, 65535).map(lambda number: number / 256)),
    )
)
def test_every_field_comes_back(stream):
    parsed = Stream.parse(stream.pack())
    assert parsed._replace(flags=parsed.flags & ~Flag.QUALITY) == stream
    assert (Flag.QUALITY in parsed.flags) == (stream.quality is not None)


def test_quality_stands_behind_the_width():
    stream = STREAM._replace(quality=2.5)
    expected = b"\x93LIC\x01\x05abcd" + b"\xac\x02" + b"\x07" + b"\x80\x02" + b"payload" + (12345).to_bytes(4, "little")
    assert stream.pack() == _signed(expected)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_every_changed_byte_is_noticed(position, change):
    data = bytearray(STREAM.pack())
    data[position % len(data)] ^= change
    with pytest.raises(BitstreamError):
        Stream.parse(bytes(data))


@given(st.integers(0, len(STREAM.pack()) - 1))
def test_every_cut_is_noticed(length):
    with pytest.raises(BitstreamError):
        Stream.parse(STREAM.pack()[:length])


@given(st.binary(max_size=60), st.booleans())
def test_random_bytes_are_parsed_or_refused(data, signed):
    data = _signed(MAGIC + b"\x01" + data) if signed else data
    try:
        stream = Stream.parse(data)
    except BitstreamError:
        return
    assert stream.height > 0
    assert stream.width > 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Not a stream of lic"),
        (b"\x89PNG\r\n\x1a\n", "Not a stream of lic: it starts with b'.x89PNG'"),
        (b"\x93LIC\x01", "cut off: it has 5 bytes"),
        (_signed(STREAM.pack()[:4] + b"\x02" + STREAM.pack()[5:-4]), "format version 2, this lic reads 1"),
        (STREAM.pack()[:-1] + b"\x00", "damaged or cut off"),
        (_signed(STREAM.pack()[:5] + b"\x08" + STREAM.pack()[6:-4]), "unknown flags .0x08"),
        (STREAM._replace(height=0).pack(), "image of 0x7 pixels"),
        (_signed(b"\x93LIC\x01\x00abcd" + b"\xff" * 12), "does not end within five bytes"),
        (_signed(b"\x93LIC\x01\x04abcd\x01\x01" + b"\x00" * 4), "cut off"),
        (_signed(b"\x93LIC\x01\x04abcd\x01\x01\x00" + b"\x00" * 4), "cut off inside its header"),
    ],
)
def test_what_is_wrong_is_said(data, message):
    with pytest.raises(BitstreamError, match=message):
        Stream.parse(data)
