"""Writes the table of docs/images.md from files of every kind: python -m tests.images.table."""

import io
import pathlib
import struct
from typing import NamedTuple

import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image

from lic.errors import ImageError
from lic.images import read_image
from tests.images import files
from tests.images.files import BACKGROUND, BEHIND, chunk, levels, over, png, samples, saved, tiff, waves

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "images.md"
MARK = "<!-- table: python -m tests.images.table -->\n\n"
OPTIONS = {"to_8_bit": True, "background": BACKGROUND, "frame": 0}


class Case(NamedTuple):
    """A file, and what it must become.

    Attributes:
      format: Name of the format.
      depth: In words.
      transparency: In words.
      colours: In words.
      data: The file.
      expected: Values 0 to 255; None if the file is to be refused.
      tolerance: Levels that the result may be off.
      stored: Values of the file on 0 to 255, where the file's colours are not those of sRGB.
    """

    format: str
    depth: str
    transparency: str
    colours: str
    data: bytes
    expected: np.ndarray | None
    tolerance: float = 0.51
    stored: np.ndarray | None = None


def outcome(case):
    """Returns the words of the table for a case, and the image if it is read."""
    given, image = {}, None
    while image is None:
        try:
            image = read_image(io.BytesIO(case.data), **given)
        except ImageError as error:
            if not error.advice or given:  # With everything that was asked for, it is to be read.
                return "refused: " + reason_in(str(error)), None
            given = {name: OPTIONS[name] for name in error.advice}
    words = "grey" if image.ndim == 2 else "colour"
    if case.stored is not None:
        same = image.shape == case.stored.shape and np.abs(image - case.stored).max() <= case.tolerance
        words += ", taken as sRGB" if same else ", converted to sRGB"
    names = " and ".join(f"`{name}`" for name in given)
    return words + f", once {names} {'is' if len(given) == 1 else 'are'} given" * bool(given), image


def reason_in(message):
    return message.partition(": ")[2].removesuffix(" Convert it to RGB or grey of 8 bits.").removesuffix(".")


def cases():
    """Yields every case of the table."""
    yield from _png()
    yield from _tiff()
    yield from _jpeg()
    yield from _jpeg2000()
    yield from _netpbm_and_sgi()
    yield from _webp_gif_tga_bmp()
    yield from _avif()
    yield from _heif()
    yield from _jpegxl()


def _png():
    for bits in (1, 2, 4, 8, 16):
        numbers = samples(waves(1)[..., 0], bits)
        expected = levels(numbers, bits)
        yield Case("PNG", f"{bits}", "", "grey", png(numbers, bits, files.GREY), expected)
        key = chunk(b"tRNS", struct.pack(">H", numbers[3, 3]))
        expected = np.where(numbers == numbers[3, 3], -1, levels(numbers, bits))
        expected = np.where((expected < 0)[..., None], BEHIND, expected[..., None])
        yield Case("PNG", f"{bits}", "one grey", "grey", png(numbers, bits, files.GREY, key), expected)
    for bits in (8, 16):
        numbers = samples(waves(4), bits)
        colour, alpha = numbers[..., :3], numbers[..., 3] / ((1 << bits) - 1)
        yield Case("PNG", f"{bits}", "", "RGB", png(colour, bits, files.COLOUR), levels(colour, bits))
        key = chunk(b"tRNS", struct.pack(">3H", *colour[3, 3]))
        equal = (colour == colour[3, 3]).all(-1, keepdims=True)
        expected = np.where(equal, BEHIND, levels(colour, bits))
        yield Case("PNG", f"{bits}", "one colour", "RGB", png(colour, bits, files.COLOUR, key), expected)
        expected = over(levels(colour, bits), alpha)
        yield Case("PNG", f"{bits}", "alpha", "RGB", png(numbers, bits, files.COLOUR_ALPHA), expected)
        grey = numbers[..., 2:]
        expected = over(levels(grey[..., :1], bits), alpha)
        yield Case("PNG", f"{bits}", "alpha", "grey", png(grey, bits, files.GREY_ALPHA), expected)
        opaque = grey.copy()
        opaque[..., 1] = (1 << bits) - 1
        expected = levels(grey[..., 0], bits)
        yield Case("PNG", f"{bits}", "alpha, all opaque", "grey", png(opaque, bits, files.GREY_ALPHA), expected)
    colours = np.random.default_rng(0).integers(0, 256, (16, 3)).astype(np.uint8)
    index, palette = samples(waves(1)[..., 0], 4), chunk(b"PLTE", colours.tobytes())
    yield Case("PNG", "4", "", "palette", png(index, 4, files.PALETTE, palette), colours[index])
    alpha = chunk(b"tRNS", bytes([0, 128]))
    expected = np.where((index == 0)[..., None], BEHIND, colours[index])
    half = colours[1] * (128 / 255) + BEHIND * (127 / 255)
    expected = np.where((index == 1)[..., None], half, expected)
    yield Case("PNG", "4", "in the palette", "palette", png(index, 4, files.PALETTE, palette + alpha), expected, 1)
    yield from _png_colours()


def _png_colours():
    numbers = samples(waves(), 8)
    stored, p3 = levels(numbers, 8), files.through_p3(numbers)
    linear = files.through(lambda values: values, numbers)
    points = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000]
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    for words, extra, expected in (
        ("cICP: sRGB", chunk(b"cICP", bytes([1, 13, 0, 1])), stored),
        ("cICP: Display P3", chunk(b"cICP", bytes([12, 13, 0, 1])), p3),
        ("cICP: PQ", chunk(b"cICP", bytes([9, 16, 0, 1])), None),
        ("cICP: HLG", chunk(b"cICP", bytes([9, 18, 0, 1])), None),
        ("cICP: narrow range", chunk(b"cICP", bytes([1, 13, 0, 0])), None),
        ("gAMA 1/2.2", chunk(b"gAMA", struct.pack(">I", 45455)), stored),
        ("gAMA 1", gamma, linear),
        ("gAMA 1 beside sRGB", gamma + chunk(b"sRGB", b"\0"), stored),
        ("cHRM of Display P3", chunk(b"cHRM", struct.pack(">8I", *points)), p3),
    ):
        yield Case("PNG", "8", "", words, png(numbers, 8, files.COLOUR, extra), expected, 0.7, stored)
    deep = samples(waves(), 16)
    expected = files.through(lambda values: values, levels(deep, 16))
    yield Case("PNG", "16", "", "gAMA 1", png(deep, 16, files.COLOUR, gamma), expected, 0.6, levels(deep, 16))
    for words, description, colorants, curve, expected in (
        ("ICC: sRGB", "anything", files.SRGB, files.from_srgb, stored),
        ("ICC: linear, called sRGB", "linear sRGB", files.SRGB, files.gamma_tag(1), linear),
        ("ICC: Display P3", "anything", files.P3, files.from_srgb, p3),
    ):
        profile = files.icc_profile(description, "RGB ", colorants, curve)
        yield Case("PNG", "8", "", words, saved(numbers, "PNG", icc_profile=profile), expected, 0.7, stored)


def _tiff():
    for bits in (1, 4, 8, 12, 16, 32):
        numbers = samples(waves(1), bits)
        for photometric, words in ((1, "grey"), (0, "grey, white is zero")):
            expected = levels(numbers[..., 0], bits)
            expected = expected if photometric else 255 - expected
            yield Case("TIFF", f"{bits}", "", words, tiff(numbers, bits, photometric), expected)
    for bits in (8, 12, 16):
        numbers = samples(waves(4), bits)
        colour, alpha = numbers[..., :3], numbers[..., 3] / ((1 << bits) - 1)
        yield Case("TIFF", f"{bits}", "", "RGB", tiff(colour, bits, 2), levels(colour, bits))
        expected = over(levels(colour, bits), alpha)
        yield Case("TIFF", f"{bits}", "alpha", "RGB", tiff(numbers, bits, 2, extra=[2]), expected, 1)
        multiplied = np.dstack([np.rint(colour * alpha[..., None]), numbers[..., 3]]).astype(numbers.dtype)
        expected = levels(multiplied[..., :3], bits) + BEHIND * (1 - alpha[..., None])
        yield Case("TIFF", f"{bits}", "alpha, multiplied", "RGB", tiff(multiplied, bits, 2, extra=[1]), expected, 1)
        yield Case(
            "TIFF", f"{bits}", "none, a channel more", "RGB", tiff(numbers, bits, 2, extra=[0]), levels(colour, bits)
        )
        ink = numbers / ((1 << bits) - 1)
        expected = 255 * (1 - ink[..., :3]) * (1 - ink[..., 3:])
        yield Case("TIFF", f"{bits}", "", "CMYK", tiff(numbers, bits, 5), expected, 1.6)
    signed = (waves(1) * 100).astype(np.int8)
    yield Case("TIFF", "8, signed", "", "grey", tiff(signed, 8, 1, 2), None)
    yield Case("TIFF", "16, signed", "", "grey", tiff(signed.astype(np.int16), 16, 1, 2), None)
    yield Case("TIFF", "32, floating point", "", "grey", tiff(waves(1).astype(np.float32), 32, 1, 3), None)
    yield Case("TIFF", "32, floating point", "", "RGB", tiff(waves().astype(np.float32), 32, 2, 3), None)
    yield Case("TIFF", "8", "", "five channels", tiff(samples(waves(5), 8), 8, 1, extra=[0] * 4), None)


def _jpeg():
    numbers = samples(waves(), 8)
    decoded = np.asarray(Image.open(io.BytesIO(saved(numbers, "JPEG", quality=95))))
    yield Case("JPEG", "8", "", "RGB", saved(numbers, "JPEG", quality=95), decoded)
    profile = files.icc_profile("anything", "RGB ", files.P3, files.from_srgb)
    data = saved(numbers, "JPEG", quality=95, icc_profile=profile)
    yield Case("JPEG", "8", "", "ICC: Display P3", data, files.through_p3(decoded), 0.7, levels(decoded, 8))
    grey = Image.fromarray(numbers[..., 0])
    decoded = np.asarray(Image.open(io.BytesIO(saved(grey, "JPEG"))))
    yield Case("JPEG", "8", "", "grey", saved(grey, "JPEG"), decoded)
    cmyk = Image.fromarray(samples(waves(4), 8), "CMYK")
    data = saved(cmyk, "JPEG", quality=100, subsampling=0)
    ink = np.asarray(Image.open(io.BytesIO(data))) / 255
    yield Case("JPEG", "8", "", "CMYK", data, 255 * (1 - ink[..., :3]) * (1 - ink[..., 3:]), 1.6)


def _jpeg2000():
    for bits in (4, 8, 12, 16):
        numbers = samples(waves(4), bits)
        colour, alpha = numbers[..., :3], numbers[..., 3] / ((1 << bits) - 1)
        for words, transparency, stored, expected in (
            ("grey", "", colour[..., 0], levels(colour[..., 0], bits)),
            ("RGB", "", colour, levels(colour, bits)),
            ("RGB", "alpha", numbers, over(levels(colour, bits), alpha)),
        ):
            data = imagecodecs.jpeg2k_encode(
                np.ascontiguousarray(stored), level=0, bitspersample=bits, codecformat="jp2"
            )
            yield Case("JPEG 2000", f"{bits}", transparency, words, data, expected)


def _netpbm_and_sgi():
    for most in (15, 255, 1023, 65535):
        numbers = np.rint(waves() * most).astype(">u2" if most > 255 else np.uint8)
        for kind, words, stored in ((b"P5", "grey", numbers[..., 0]), (b"P6", "RGB", numbers)):
            data = b"%s 24 20 %d\n" % (kind, most) + stored.tobytes()
            yield Case("PGM, PPM", f"{most.bit_length()}", "", words, data, stored * 255.0 / most)
    yield Case("PFM", "32, floating point", "", "grey", b"Pf 24 20 -1.0\n" + waves(1).astype("<f4").tobytes(), None)
    colour = samples(waves(), 16)
    header = struct.pack(">hBBHHHHll", 474, 0, 2, 3, 24, 20, 3, 0, 65535).ljust(512, b"\0")
    planes = np.moveaxis(colour[::-1], -1, 0).astype(">u2")
    yield Case("SGI", "16", "", "RGB", header + planes.tobytes(), levels(colour, 16))


def _webp_gif_tga_bmp():
    numbers = samples(waves(4), 8)
    colour, image, alpha = numbers[..., :3], Image.fromarray(numbers), numbers[..., 3] / 255
    expected = over(levels(colour, 8), alpha)
    yield Case("WebP", "8", "", "RGB", saved(colour, "WEBP", lossless=True), colour)
    yield Case("WebP", "8", "alpha", "RGB", saved(image, "WEBP", lossless=True, exact=True), expected)
    palette = Image.fromarray(colour).quantize(16)
    yield Case("GIF", "8", "", "palette", saved(palette, "GIF"), np.asarray(palette.convert("RGB")))
    index = np.asarray(palette)
    key = np.where((index == 3)[..., None], BEHIND, np.asarray(palette.convert("RGB")))
    yield Case("GIF", "8", "one colour", "palette", saved(palette, "GIF", transparency=3), key)
    yield Case("TGA", "8", "alpha", "RGB", saved(image, "TGA"), expected)
    unused = bytearray(saved(image, "TGA"))
    unused[17] &= 0xF0
    yield Case("TGA", "8", "none, a byte unused", "RGB", bytes(unused), colour)
    yield Case("BMP", "8", "", "RGB", saved(colour, "BMP"), colour)
    yield Case(
        "BMP", "8", "", "calibrated: linear", bmp_of_version_4(colour), through_linear(colour), 0.6, colour * 1.0
    )
    yield Case("QOI", "8", "alpha", "RGB", saved(image, "QOI"), expected)
    yield Case("DDS", "8", "alpha", "RGB", saved(image, "DDS"), expected)


def through_linear(numbers):
    return files.through(lambda values: values, numbers)


def bmp_of_version_4(colour):
    """A BMP file of linear light with the primaries of sRGB."""
    height, width = colour.shape[:2]
    ends = [0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505]
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(16) + struct.pack("<I", 0)
    header += struct.pack("<9i", *(round(end * (1 << 30)) for end in ends)) + struct.pack("<3I", *[65536] * 3)
    rows = colour[::-1, :, ::-1].reshape(height, -1)
    return b"BM" + struct.pack("<IHHI", 122 + rows.size, 0, 0, 122) + header + rows.tobytes()


def _avif():
    numbers = samples(waves(), 8)
    data = saved(numbers, "AVIF", quality=100, subsampling="4:4:4")
    decoded = np.asarray(Image.open(io.BytesIO(data)))
    yield Case("AVIF", "8", "", "RGB", data, decoded)
    p3 = data.replace(b"nclx\0\1\0\x0d", b"nclx\0\x0c\0\x0d")
    yield Case("AVIF", "8", "", "nclx: Display P3", p3, files.through_p3(decoded), 0.7, levels(decoded, 8))
    yield Case("AVIF", "8", "", "nclx: PQ", data.replace(b"nclx\0\1\0\x0d", b"nclx\0\x09\0\x10"), None)
    deep = samples(waves(), 10)
    data = imagecodecs.avif_encode(deep, bitspersample=10, level=100, pixelformat="444")
    yield Case("AVIF", "10", "", "RGB", data, levels(deep, 10), 1)


def heif(values, bits=8, **options):
    """A HEIF file, lossless for 8 bits, of values [height, width, channels]."""
    channels = values.shape[2]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels] + (";16" if bits > 8 else "")
    numbers, file = np.ascontiguousarray(samples(values, 8 if bits == 8 else 16)), io.BytesIO()
    settings = {"quality": -1, "chroma": 444, "matrix_coefficients": 0} | options
    pillow_heif.encode(mode, values.shape[1::-1], numbers.tobytes(), file, **settings)
    return file.getvalue(), numbers


def _heif():
    for bits in (8, 10):
        stored = 8 if bits == 8 else 16
        data, numbers = heif(waves(1), bits)
        yield Case("HEIF", f"{bits}", "", "grey", data, levels(numbers[..., 0], stored), 1)
        data, numbers = heif(waves(), bits)
        yield Case("HEIF", f"{bits}", "", "RGB", data, levels(numbers, stored), 1)
        data, numbers = heif(waves(4), bits)
        expected = over(levels(numbers[..., :3], stored), levels(numbers[..., 3], stored) / 255)
        yield Case("HEIF", f"{bits}", "alpha", "RGB", data, expected, 1.1)
    data, numbers = heif(waves(), color_primaries=12, transfer_characteristics=13)
    yield Case("HEIF", "8", "", "nclx: Display P3", data, files.through_p3(numbers), 0.7, levels(numbers, 8))
    data, _ = heif(waves(), color_primaries=9, transfer_characteristics=16)
    yield Case("HEIF", "8", "", "nclx: PQ", data, None)


def _jpegxl():
    numbers = samples(waves(4), 8)
    colour, alpha = np.ascontiguousarray(numbers[..., :3]), numbers[..., 3] / 255
    encode = imagecodecs.jpegxl_encode
    yield Case("JPEG XL", "8", "", "grey", encode(colour[..., 0].copy(), lossless=True), colour[..., 0])
    yield Case("JPEG XL", "8", "", "RGB", encode(colour, lossless=True), colour)
    yield Case("JPEG XL", "8", "alpha", "RGB", encode(numbers, lossless=True), over(levels(colour, 8), alpha))
    for bits in (10, 16):
        # imagecodecs declares more than 8 bits as linear light.
        deep = samples(waves(), bits)
        expected = through_linear(levels(deep, bits))
        data = encode(deep, lossless=True, bitspersample=bits)
        yield Case("JPEG XL", f"{bits}", "", "linear light", data, expected, 0.6, levels(deep, bits))
    data = encode(waves().astype(np.float32), lossless=True)
    yield Case("JPEG XL", "32, floating point", "", "RGB", data, None)


def table():
    """Returns the table as Markdown."""
    rows = ["| format | bits a channel | transparency | colours | what happens |", "|---|---|---|---|---|"]
    for case in cases():
        words = outcome(case)[0].replace("|", "\\|")
        rows.append(f"| {case.format} | {case.depth} | {case.transparency or 'none'} | {case.colours} | {words} |")
    return "\n".join(rows) + "\n"


def page(text):
    """Returns the page with the table in place of the one it has."""
    before, mark, _ = text.partition(MARK)
    return before + mark + table()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
