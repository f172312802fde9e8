"""Arguments that an error names: with them the image is read."""

import io
import itertools
import logging
import re
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile

from lic.errors import ImageError
from lic.images import read_image, read_samples
from lic.images.advice import read_or_advise
from lic.images.picture import Request
from tests.images import files, table
from tests.images.files import chunk, levels, png, samples, tiff, waves

DEEP = samples(waves(), 16)
GREY, RGB, PALETTE, YCBCR, CIELAB = 1, 2, 3, 6, 8
GIVEN = {"to_8_bit": True, "background": "white", "frame": 0}


def code_points(*numbers):
    return png(DEEP, 16, files.COLOUR, chunk(b"cICP", bytes(numbers)))


def animation_of_16_bits():
    frame = struct.pack(">5IHHBB", 0, 24, 20, 0, 0, 1, 1, 0, 0)
    still = png(DEEP, 16, files.COLOUR, chunk(b"acTL", struct.pack(">2I", 2, 0)) + chunk(b"fcTL", frame))
    start = still.index(b"IDAT") - 4
    (size,) = struct.unpack_from(">I", still, start)
    data = struct.pack(">I", 2) + still[start + 8 : start + 8 + size]
    second = chunk(b"fcTL", struct.pack(">I", 1) + frame[4:]) + chunk(b"fdAT", data)
    return still.replace(chunk(b"IEND", b""), second + chunk(b"IEND", b""))


def pages(*arrays, **options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for array in arrays:
            writer.write(array, photometric="rgb", **options)
    return file.getvalue()


def heif_of_10_bits():
    return table.heif(waves(), 10, color_primaries=9, transfer_characteristics=16)[0]


def avif_of_10_bits():
    data = imagecodecs.avif_encode(samples(waves(), 10), bitspersample=10, level=100, pixelformat="444")
    place = data.index(b"nclx") + 4
    return data[:place] + b"\0\x09\0\x10" + data[place + 4 :]


def palette_of_16_bits():
    return tiff(samples(waves(1), 16), 16, PALETTE, more=[(320, [0] * 3 * 65536)])


def sgi_with_run_lengths():
    header = struct.pack(">hBBHHHHll", 474, 1, 2, 3, 24, 20, 3, 0, 65535).ljust(512, b"\0")
    return header + bytes(5000)


def tiff_of_mixed_bits():
    return tiff(samples(waves(), 8), 8, RGB, more=[(258, [8, 8, 16])])


# Files of more than 8 bits, of several frames or with transparency, which are not read whatever is given.
REFUSED = {
    "PNG: PQ": (lambda: code_points(9, 16, 0, 1), "high dynamic range"),
    "PNG: HLG": (lambda: code_points(9, 18, 0, 1), "high dynamic range"),
    "PNG: narrow range": (lambda: code_points(1, 13, 0, 0), "narrow range"),
    "PNG: primaries that nobody knows": (lambda: code_points(99, 13, 0, 1), "number 99 of H.273"),
    "PNG: animation": (animation_of_16_bits, "animation of 16 bits"),
    "PNG: cut off": (lambda: png(DEEP, 16, files.COLOUR)[:-200], "truncated"),
    "TIFF: 24 bits": (lambda: tiff(samples(waves(), 24), 24, RGB), "24 bits"),
    "TIFF: five channels": (lambda: tiff(samples(waves(5), 16), 16, GREY, extra=[0] * 4), "5 channels"),
    "TIFF: CIELAB": (lambda: tiff(DEEP, 16, CIELAB), "photometric interpretation 8"),
    "TIFF: palette": (palette_of_16_bits, "photometric interpretation 3"),
    "TIFF: YCbCr": (lambda: tiff(DEEP, 16, YCBCR), "photometric interpretation 6"),
    "TIFF: 8, 8 and 16 bits": (tiff_of_mixed_bits, "16 bits"),
    "TIFF: frames of floating-point numbers": (lambda: pages(*[waves().astype(np.float32)] * 2), "floating-point"),
    "TIFF: cut off": (lambda: pages(DEEP, rowsperstrip=4)[:-1000], "damaged|cut off|truncated|bytes|corrupt"),
    "SGI: run lengths": (sgi_with_run_lengths, "run lengths"),
    "AVIF: PQ": (avif_of_10_bits, "high dynamic range"),
    "HEIF: PQ": (heif_of_10_bits, "high dynamic range"),
}


def error_of(read, *args, **options):
    with pytest.raises(ImageError) as caught:
        read(*args, **options)
    return caught.value


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_anyway_is_refused_with_the_reason_at_once(name):
    make, reason = REFUSED[name]
    data = make()
    for given in ({}, GIVEN):
        error = error_of(read_image, io.BytesIO(data), **given)
        assert re.search(reason, str(error))
        assert not error.advice
        assert not re.search("to_8_bit|background|frame=", str(error))


def test_every_file_of_the_table_is_read_with_what_its_error_names():
    untrue = []
    for case in table.cases():
        try:
            read_image(io.BytesIO(case.data))
        except ImageError as error:
            try:
                if error.advice:
                    read_image(io.BytesIO(case.data), **{name: GIVEN[name] for name in error.advice})
            except ImageError as second:
                untrue.append((case.format, case.depth, case.colours, str(error), str(second)))
    assert not untrue


def several_at_once():
    deep = samples(waves(4), 16)
    yield png(deep, 16, files.COLOUR_ALPHA), ["to_8_bit", "background"], levels(deep[..., :3], 16)
    yield pages(DEEP, DEEP), ["frame", "to_8_bit"], levels(DEEP, 16)
    yield pages(deep, deep, extrasamples=["unassalpha"]), ["frame", "to_8_bit", "background"], None


@pytest.mark.parametrize("number", range(3))
def test_all_that_is_missing_is_named_at_once(number):
    data, names, _ = next(itertools.islice(several_at_once(), number, None))
    error = error_of(read_image, io.BytesIO(data))
    assert list(error.advice) == names
    assert str(error).endswith(" ".join(error.advice.values()))
    assert read_image(io.BytesIO(data), **{name: GIVEN[name] for name in names}).shape == (20, 24, 3)
    for given in names:
        assert list(error_of(read_image, io.BytesIO(data), **{given: GIVEN[given]}).advice) == [
            name for name in names if name != given
        ]


@pytest.mark.parametrize(
    ("data", "channels", "bit_depth"),
    [
        (png(DEEP, 16, files.COLOUR), 1, 8),  # Colours, for a codec of grey.
        (tiff(samples(waves(4), 16), 16, GREY, extra=[0] * 3), 5, 8),
        (tiff(samples(waves(4), 16), 16, YCBCR, extra=[0]), 4, 8),
        (png(samples(waves(4), 16), 16, files.COLOUR_ALPHA), 3, 16),
    ],
)
def test_samples_that_a_codec_does_not_take_get_no_advice(data, channels, bit_depth):
    error = error_of(read_samples, io.BytesIO(data), channels=channels, bit_depth=bit_depth)
    assert not error.advice
    assert not error_of(read_samples, io.BytesIO(data), channels=channels, bit_depth=bit_depth, to_8_bit=True).advice


def test_a_trial_logs_nothing(caplog):
    half_transparent = np.full((2, 3, 4), 99, np.uint8)
    data = files.saved(half_transparent, "PNG", icc_profile=b"no profile" * 20)
    with caplog.at_level(logging.WARNING, "lic"):
        error_of(read_image, io.BytesIO(data))
        assert not caplog.records
        read_image(io.BytesIO(data), background="white")
        assert len(caplog.records) == 1


def test_an_argument_that_helps_no_further_is_asked_for_once():
    def read(request):
        raise ImageError("a.png has bits.", {"to_8_bit": "Pass to_8_bit=True."})

    with pytest.raises(ImageError, match=r"^a.png has bits. Pass to_8_bit=True.$"):
        read_or_advise(read, Request("a.png"))


def test_where_no_argument_can_be_given_the_message_names_none():
    error = ImageError("a.png has 16 bits.", {"to_8_bit": "Pass to_8_bit=True."})
    assert error.without_advice() == "a.png has 16 bits. Convert it before, to opaque PNG of 8 bits."
    assert ImageError("a.png is empty.").without_advice() == "a.png is empty."
