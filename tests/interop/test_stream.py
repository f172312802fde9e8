"""Streams that are made and taken apart in a graph, against those of Python."""

import zlib

import pytest

import lic
from lic.codec.bitstream import Flag, Stream
from lic.environment import tf
from lic.interop.stream import Fields, StreamFormat

CODEC = b"\1\2\3\0"
FORMATS = {
    name: StreamFormat(CODEC, name == "deterministic", 8 * (name == "deterministic"), 178_000_000)
    for name in ("plain", "deterministic")
}
PACK = {
    key: tf.function(
        lambda *fields, own=own: own.pack(Fields(*fields)),
        [tf.TensorSpec((), dtype) for dtype in (tf.int32, tf.int32, tf.string, tf.int32, tf.bool, tf.float32)],
        autograph=False,
    )
    for key, own in FORMATS.items()
}
PARSE = {key: tf.function(own.parse, [tf.TensorSpec((), tf.string)], autograph=False) for key, own in FORMATS.items()}
SIZES = [(1, 1), (127, 128), (16_383, 1), (2, 16_384), (2**21 - 1, 1), (84, 2**21)]


def python_stream(height, width, payload, crc, flags=0, quality=None, fingerprint=CODEC):
    return Stream(fingerprint, height, width, payload, crc, Flag(flags), quality).pack()


def resealed(content):
    """A stream whose last checksum fits."""
    return content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_it_is_the_same_both_ways(name, size, grey):
    quality, payload, crc = (3.5 if FORMATS[name].qualities else None), b"\0pay\0load\xff\0", 0xFEDCBA98
    flags = Flag(grey * Flag.GREY | FORMATS[name].deterministic * Flag.DETERMINISTIC)
    expected = python_stream(*size, payload, crc, flags, quality)
    fields = [*size, payload, crc - (1 << 32), grey, quality or 0.0]
    assert PACK[name](*fields).numpy() == expected
    assert [each.numpy() for each in PARSE[name](expected)] == fields


def test_an_empty_payload_is_one():
    stream = python_stream(5, 7, b"", 0)
    assert PACK["plain"](5, 7, b"", 0, False, 0.0).numpy() == stream
    assert PARSE["plain"](stream).payload.numpy() == b""


STREAM = python_stream(300, 20, b"payload", 5)
HEAD = STREAM[:10]
DAMAGED = {
    "empty": b"",
    "text": b"a text that is longer than a header",
    "magic alone": STREAM[:4],
    "no version": STREAM[:5],
    "short": STREAM[:19],
    "cut off": STREAM[:-1],
    "longer": STREAM + b"\0",
    "version": resealed(HEAD[:4] + b"\2" + STREAM[5:]),
    "flags": resealed(HEAD[:5] + b"\xa8" + STREAM[6:]),
    "bit": STREAM[:16] + bytes([STREAM[16] ^ 4]) + STREAM[17:],
    "checksum": STREAM[:-1] + bytes([STREAM[-1] ^ 1]),
    "endless height": resealed(HEAD + b"\xff" * 5 + b"\1" + bytes(8)),
    "endless width": resealed(HEAD + b"\1" + b"\xff" * 5 + b"\1" + bytes(8)),
    "endless to the end": resealed(HEAD + b"\1" + b"\xff" * 9),
    "no rows": resealed(HEAD + b"\0\1" + bytes(8)),
    "no columns": resealed(HEAD + b"\1\0" + bytes(8)),
    "in the header": resealed(HEAD + b"\x80\x80\1\x80\x80\1" + bytes(4)),
    "no room for a quality": resealed(HEAD[:5] + b"\4" + HEAD[6:] + b"\1\1" + bytes(8)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_refused_in_the_same_words(name):
    damaged = DAMAGED[name]
    with pytest.raises(lic.BitstreamError) as expected:
        Stream.parse(damaged)
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        PARSE["plain"](damaged)
    said = str(expected.value)
    # TensorFlow escapes quotation marks.
    said = said[:19] if said.startswith("Not a stream") else said.removeprefix("The stream's height or width ")
    assert said in str(found.value)


DETERMINISTIC = {"flags": Flag.DETERMINISTIC}
FOREIGN = {
    "codec": ("plain", (9, 9), {"fingerprint": b"\1\2\3\4"}, "by the codec 01020304, this is 01020300"),
    "deterministic": ("plain", (9, 9), DETERMINISTIC, "flags 2 and quality 0, which this codec never writes"),
    "not deterministic": ("deterministic", (9, 9), {"quality": 2.0}, "flags 4 and quality 2, which"),
    "quality": ("plain", (9, 9), {"quality": 2.0}, "flags 4 and quality 2, which"),
    "no quality": ("deterministic", (9, 9), DETERMINISTIC, "flags 2 and quality 0, which"),
    "high quality": ("deterministic", (9, 9), DETERMINISTIC | {"quality": 8.5}, "flags 6 and quality 8.5, which"),
    "low quality": ("deterministic", (9, 9), DETERMINISTIC | {"quality": 0.5}, "flags 6 and quality 0.5, which"),
    "large": ("plain", (2**16, 2**16), {}, "65536x65536 pixels, more than the 178000000 that are allowed"),
    "largest": ("plain", (2**35 - 1, 2**35 - 1), {}, "34359738367x34359738367 pixels, more than"),
    "wide": ("plain", (1, 178_000_001), {}, "1x178000001 pixels, more than"),
    "high": ("plain", (178_000_001, 1), {}, "178000001x1 pixels, more than"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_the_codec_never_writes_is_refused(case):
    name, size, others, said = FOREIGN[case]
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        PARSE[name](python_stream(*size, b"", 0, **others))


def test_as_many_pixels_as_are_allowed_are():
    assert PARSE["plain"](python_stream(178_000_000, 1, b"", 0)).height.numpy() == 178_000_000
