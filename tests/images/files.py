"""Image files written byte by byte, with whatever they may declare."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from lic.images.colour import from_srgb, to_srgb

BEHIND = np.array([0x60, 0x60, 0x60])
BACKGROUND = "#606060"
# Linear light of Display P3 -> linear light of sRGB.
P3_TO_SRGB = np.array([[1.22494, -0.22494, 0], [-0.04206, 1.04206, 0], [-0.01964, -0.07864, 1.09827]])
# Colorants under D50, as profiles hold them.
SRGB = {"rXYZ": (0.43607, 0.22249, 0.01392), "gXYZ": (0.38515, 0.71687, 0.09708), "bXYZ": (0.14307, 0.06061, 0.7141)}
P3 = {"rXYZ": (0.51512, 0.2412, -0.00105), "gXYZ": (0.29198, 0.69225, 0.04189), "bXYZ": (0.1571, 0.06657, 0.78407)}
ADOBE = {"rXYZ": (0.60974, 0.31111, 0.01947), "gXYZ": (0.20528, 0.62567, 0.06087), "bXYZ": (0.14919, 0.06322, 0.74457)}
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6


def waves(channels=3, height=20, width=24):
    """Values between 0 and 1, [height, width, channels], which include both."""
    y, x = np.mgrid[:height, :width]
    values = np.stack([0.5 + 0.5 * np.sin(x / (9 + 3 * k) + y / (7 - k) + k) for k in range(channels)], -1)
    values[0, 0], values[0, 1] = 0, 1
    return values


def samples(values, bits):
    """Whole numbers of so many bits."""
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return np.rint(values * ((1 << bits) - 1)).astype(kind)


def levels(numbers, bits):
    """The same numbers on 0 to 255."""
    return np.asarray(numbers, np.float64) * 255 / ((1 << bits) - 1)


def over(values, alpha):
    """Values 0 to 255 over `BEHIND`, for alpha 0 to 1."""
    return values * alpha[..., None] + BEHIND * (1 - alpha[..., None])


def through(curve, values, matrix=None):
    """Values 0 to 255 of sRGB, of values 0 to 255 with another curve and other primaries."""
    light = curve(np.asarray(values, np.float64) / 255)
    return 255 * to_srgb(np.clip(light if matrix is None else light @ matrix.T, 0, 1))


def through_p3(values):
    return through(from_srgb, values, P3_TO_SRGB)


def saved(image, kind, **options):
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed(numbers, bits):
    """Rows of samples without gaps, each from a byte of its own."""
    rows = numbers.reshape(numbers.shape[0], -1)
    digits = rows.astype(np.uint64)[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint64) & np.uint64(1)
    return np.packbits(digits.reshape(len(rows), -1).astype(np.uint8), axis=1)


def png(numbers, bits, kind, extra=b"", interlaced=False):
    """A PNG file of samples [height, width] or [height, width, channels]; its rows have filters 0, 1 and 2 by turns."""
    height, width = numbers.shape[:2]
    parts = [numbers]
    if interlaced:
        starts = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
        parts = [numbers[top::down, left::across] for top, left, down, across in starts]
    pixel = max(1, bits * (numbers.shape[2] if numbers.ndim == 3 else 1) // 8)
    data = b"".join(_filtered(packed(part, bits), pixel) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _filtered(rows, pixel):
    before, out = np.zeros_like(rows[0]), b""
    for number, row in enumerate(rows):
        left = np.concatenate([np.zeros(pixel, np.uint8), row[:-pixel]])
        filtered = row - (np.zeros_like(row), left, before)[number % 3]
        out, before = out + bytes([number % 3]) + filtered.tobytes(), row
    return out


def tiff(numbers, bits, photometric, sample_format=1, extra=None, order="<", more=()):
    """A TIFF file of samples [height, width, channels] without compression.

    Args:
      numbers: The samples.
      bits: Of a sample. Those of 8, 16, 32 and 64 bits are written as they lie in memory.
      photometric: The tag PhotometricInterpretation.
      sample_format: The tag SampleFormat: 1 unsigned, 2 signed, 3 floating point.
      extra: The tag ExtraSamples.
      order: "<" or ">".
      more: Further tags, (tag, values of 16 bits) or (tag, bytes).
    """
    height, width, channels = numbers.shape
    data = numbers.astype(numbers.dtype.newbyteorder(order)) if bits in (8, 16, 32, 64) else packed(numbers, bits)
    body = data.tobytes()
    body += bytes(len(body) % 2)
    tags = {256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric], 273: [8]}
    tags |= {277: [channels], 278: [height], 279: [len(body)], 339: [sample_format] * channels}
    tags |= ({338: extra} if extra is not None else {}) | dict(more)
    entries, beside = [], b""
    for tag, values in sorted(tags.items()):
        raw = values if isinstance(values, bytes) else struct.pack(f"{order}{len(values)}H", *values)
        kind = 7 if isinstance(values, bytes) else 3
        if len(raw) > 4:
            place = struct.pack(order + "I", 8 + len(body) + len(beside))
            beside += raw + bytes(len(raw) % 2)
        else:
            place = raw + bytes(4 - len(raw))
        entries.append(struct.pack(order + "HHI", tag, kind, len(values)) + place)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8 + len(body) + len(beside))
    return start + body + beside + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def exif(*entries, order="<"):
    """An EXIF block with entries (tag, type, bytes of the value)."""
    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, value in entries:
        block += struct.pack(order + "HHI", tag, kind, 1) + value.ljust(4, b"\0")
    return block + bytes(4)


def icc_profile(description, space, colorants, curve):
    """A profile of version 2 with colorants and one tone curve for all channels: a function, or a tag's bytes."""

    def xyz(numbers):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(number * 65536) for number in numbers))

    text = description.encode() + b"\0"
    tags = {
        "desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        "cprt": b"text\0\0\0\0none\0",
        "wtpt": xyz((0.9642, 1, 0.8249)),
        **{name: xyz(numbers) for name, numbers in colorants.items()},
    }
    if not isinstance(curve, bytes):
        steps = np.rint(65535 * curve(np.linspace(0, 1, 1024))).astype(">u2")
        curve = b"curv\0\0\0\0" + struct.pack(">I", len(steps)) + steps.tobytes()
    tags |= dict.fromkeys(("rTRC", "gTRC", "bTRC") if colorants else ("kTRC",), curve)
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += name.encode() + struct.pack(">2I", start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02400000, b"mntr", space.encode(), b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return header + table + body


def table_profile(space, corners):
    """A profile that is a table of XYZ at the corners of a cube, [2, ..., 2, 3], between which it is linear."""
    channels = corners.ndim - 1
    tag = b"mft2\0\0\0\0" + bytes([channels, 3, 2, 0]) + struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    tag += struct.pack(">2H", 2, 2) + struct.pack(">2H", 0, 65535) * channels
    tag += np.rint(corners * 32768).astype(">u2").tobytes() + struct.pack(">2H", 0, 65535) * 3
    plain = icc_profile("anything", space, {}, b"")
    entry = plain.index(b"kTRC", 128)
    table = plain[:entry] + b"A2B0" + struct.pack(">2I", len(plain), len(tag)) + plain[entry + 12 :] + tag
    return struct.pack(">I", len(table)) + table[4:]


def gamma_tag(gamma):
    """A curve of one number, as profiles hold it."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
