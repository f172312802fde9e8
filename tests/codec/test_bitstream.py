"""The stream: its layout, and the bytes that are refused."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lic.codec.bitstream import MAGIC, MAX_PIXELS, Flag, Stream, StreamFormat
from lic.errors import BitstreamError, DesyncError, WrongModelError

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
        st.one_of(st.none(), st.binary(max_size=300)),
    )
)
def test_every_field_comes_back(stream):
    parsed = Stream.parse(stream.pack())
    assert parsed._replace(flags=parsed.flags & ~(Flag.QUALITY | Flag.QUALITY_MAP)) == stream
    assert (Flag.QUALITY in parsed.flags) == (stream.quality is not None)
    assert (Flag.QUALITY_MAP in parsed.flags) == (stream.quality_map is not None)


def test_quality_stands_behind_the_width():
    stream = STREAM._replace(quality=2.5)
    expected = b"\x93LIC\x01\x05abcd" + b"\xac\x02" + b"\x07" + b"\x80\x02" + b"payload" + (12345).to_bytes(4, "little")
    assert stream.pack() == _signed(expected)


def test_a_quality_map_stands_behind_the_quality():
    stream = STREAM._replace(quality=2.5, quality_map=b"map")
    head = b"\x93LIC\x01\x0dabcd" + b"\xac\x02" + b"\x07" + b"\x80\x02" + b"\x03map"
    assert stream.pack() == _signed(head + b"payload" + (12345).to_bytes(4, "little"))


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
        (_signed(STREAM.pack()[:5] + b"\x10" + STREAM.pack()[6:-4]), "unknown flags .0x10"),
        (STREAM._replace(height=0).pack(), "image of 0x7 pixels"),
        (_signed(b"\x93LIC\x01\x00abcd" + b"\xff" * 12), "does not end within five bytes"),
        (_signed(b"\x93LIC\x01\x04abcd\x01\x01" + b"\x00" * 4), "cut off"),
        (_signed(b"\x93LIC\x01\x04abcd\x01\x01\x00" + b"\x00" * 4), "cut off inside its header"),
        (_signed(b"\x93LIC\x01\x08abcd\x01\x01\x02\x00" + b"\x00" * 4), "cut off inside its header"),
        (_signed(b"\x93LIC\x01\x08abcd\x01\x01" + b"\xff" * 8), "quality map's length does not end"),
    ],
)
def test_the_error_names_the_fault(data, message):
    with pytest.raises(BitstreamError, match=message):
        Stream.parse(data)


# These are the formats of one codec. tests/interop/test_saved_model.py tries the exported copy on the same cases.

CODEC = b"\1\2\3\0"
FORMATS = {"plain": StreamFormat(CODEC, False, 0), "deterministic": StreamFormat(CODEC, True, 8)}
SIZES = [(1, 1), (127, 128), (16_383, 1), (2, 16_384), (2**21 - 1, 1), (84, 2**21)]


def packed(height, width, payload=b"", crc=0, flags=0, quality=None, fingerprint=CODEC, quality_map=None):
    return Stream(fingerprint, height, width, payload, crc, Flag(flags), quality, quality_map).pack()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_a_codec_packs_and_parses_its_streams(name, size, channels):
    quality, payload, symbols = (3.5 if FORMATS[name].qualities else None), b"\0pay\0load\xff\0", bytes(range(8))
    flags = (channels == 1) * Flag.GREY | FORMATS[name].deterministic * Flag.DETERMINISTIC
    stream = FORMATS[name].pack(payload, symbols, *size, channels, quality)
    assert stream == packed(*size, payload, zlib.crc32(symbols), flags, quality)
    parsed = FORMATS[name].parse(stream)
    assert (parsed.payload, parsed.height, parsed.width) == (payload, *size)
    assert (parsed.channels, parsed.quality) == (channels, quality)
    parsed.check_symbols(symbols)
    with pytest.raises(DesyncError, match="decoded symbols differ"):
        parsed.check_symbols(symbols[::-1])


def test_an_empty_payload_is_one():
    stream = FORMATS["plain"].pack(b"", b"", 5, 7, 3)
    assert stream == packed(5, 7)
    assert FORMATS["plain"].parse(stream).payload == b""


@pytest.mark.parametrize(
    ("name", "quality", "expected"),
    [
        ("plain", 1.0, "None, since this codec has a single rate"),
        ("deterministic", None, "from 1 to 8"),
        ("deterministic", 0.9, "from 1 to 8"),
        ("deterministic", 8.1, "from 1 to 8"),
    ],
)
def test_a_codec_packs_no_other_quality(name, quality, expected):
    with pytest.raises(ValueError, match=f"expected quality {expected}. Received: {quality}"):
        FORMATS[name].pack(b"", b"", 5, 7, 3, quality)


SOUND = packed(300, 20, b"payload", 5)
HEAD = SOUND[:10]
DAMAGED = {
    "empty": b"",
    "text": b"a text that is longer than a header",
    "magic alone": SOUND[:4],
    "no version": SOUND[:5],
    "short": SOUND[:19],
    "cut off": SOUND[:-1],
    "longer": SOUND + b"\0",
    "version": _signed(HEAD[:4] + b"\2" + SOUND[5:-4]),
    "flags": _signed(HEAD[:5] + b"\xa8" + SOUND[6:-4]),
    "bit": SOUND[:16] + bytes([SOUND[16] ^ 4]) + SOUND[17:],
    "checksum": SOUND[:-1] + bytes([SOUND[-1] ^ 1]),
    "endless height": _signed(HEAD + b"\xff" * 5 + b"\1" + bytes(4)),
    "endless width": _signed(HEAD + b"\1" + b"\xff" * 5 + b"\1" + bytes(4)),
    "endless to the end": _signed(HEAD + b"\1" + b"\xff" * 5),
    "no rows": _signed(HEAD + b"\0\1" + bytes(4)),
    "no columns": _signed(HEAD + b"\1\0" + bytes(4)),
    "in the header": _signed(HEAD + b"\x80\x80\1\x80\x80\1"),
    "no room for a map": _signed(HEAD[:5] + b"\x08" + HEAD[6:] + b"\1\1\5map" + bytes(4)),
    "no room for a quality": _signed(HEAD[:5] + b"\4" + HEAD[6:] + b"\1\1" + bytes(4)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_streams_are_refused(name):
    with pytest.raises(BitstreamError):
        FORMATS["plain"].parse(DAMAGED[name])


DETERMINISTIC = {"flags": Flag.DETERMINISTIC}
NEVER = "which this codec never writes"
FOREIGN = {
    "codec": ("plain", (9, 9), {"fingerprint": b"\1\2\3\4"}, WrongModelError, "codec 01020304, this is 01020300"),
    "deterministic": ("plain", (9, 9), DETERMINISTIC, BitstreamError, f"DETERMINISTIC.* and quality None, {NEVER}"),
    "not deterministic": ("deterministic", (9, 9), {"quality": 2.0}, BitstreamError, f"QUALITY.* quality 2.0, {NEVER}"),
    "quality": ("plain", (9, 9), {"quality": 2.0}, BitstreamError, f"QUALITY.* and quality 2.0, {NEVER}"),
    "no quality": ("deterministic", (9, 9), DETERMINISTIC, BitstreamError, f"DETERMINISTIC.* quality None, {NEVER}"),
    "high quality": ("deterministic", (9, 9), DETERMINISTIC | {"quality": 8.5}, BitstreamError, f"8.5, {NEVER}"),
    "low quality": ("deterministic", (9, 9), DETERMINISTIC | {"quality": 0.5}, BitstreamError, f"0.5, {NEVER}"),
    "map without a quality": ("plain", (9, 9), {"quality_map": b""}, BitstreamError, f"quality None, {NEVER}"),
    "map without its quality": (
        "deterministic",
        (9, 9),
        DETERMINISTIC | {"quality_map": b""},
        BitstreamError,
        f"QUALITY_MAP.* quality None, {NEVER}",
    ),
    "large": ("plain", (2**16, 2**16), {}, BitstreamError, f"65536x65536 pixels, more than max_pixels={MAX_PIXELS}"),
    "largest": ("plain", (2**35 - 1, 2**35 - 1), {}, BitstreamError, "34359738367x34359738367 pixels, more than"),
    "wide": ("plain", (1, MAX_PIXELS + 1), {}, BitstreamError, f"1x{MAX_PIXELS + 1} pixels, more than"),
    "high": ("plain", (MAX_PIXELS + 1, 1), {}, BitstreamError, f"{MAX_PIXELS + 1}x1 pixels, more than"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_fields_that_the_codec_never_writes_are_refused(case):
    name, size, others, error, message = FOREIGN[case]
    with pytest.raises(error, match=message):
        FORMATS[name].parse(packed(*size, **others))


def test_as_many_pixels_as_are_allowed_are():
    assert FORMATS["plain"].parse(packed(MAX_PIXELS, 1)).height == MAX_PIXELS


# One row and two columns of positions.
STEPS = StreamFormat(CODEC, False, 8, downscale=16)


def test_the_steps_of_a_map_come_back():
    stream = STEPS.parse(STEPS.pack(b"", b"", 7, 20, 3, 2.0, b"\0\x40"))
    assert STEPS.steps_of(stream) == b"\0\x40"
    assert STEPS.steps_of(STEPS.parse(STEPS.pack(b"", b"", 7, 20, 3, 2.0))) is None


def test_a_reader_without_maps_refuses_them_by_name():
    data = STEPS.pack(b"", b"", 7, 20, 3, 2.0, b"\0\x40")
    with pytest.raises(BitstreamError, match="has a quality map .flag 8., which this reader does not take"):
        STEPS._replace(maps=False).parse(data)
