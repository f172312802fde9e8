"""Boxes of ISO base media files, in which JPEG 2000, JPEG XL, AVIF and HEIF keep what they declare.

Source: ISO/IEC 14496-12.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Container, Iterator
from typing import BinaryIO, NamedTuple

# Bytes before the boxes inside: version and flags, or the number of entries.
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"jp2h": 0}


class Declared(NamedTuple):
    """What a file declares about its samples.

    Attributes:
      bits: Of a sample, the most of all channels.
      code_points: Primaries and transfer of H.273, if declared.
      profile: An ICC profile, if there is one.
    """

    bits: int = 8
    code_points: tuple[int, int] | None = None
    profile: bytes | None = None


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the type and the contents of each box, one level deep; a damaged box ends the walk."""
    return boxes_in(io.BytesIO(data), len(data))


def boxes_in(file: BinaryIO, most: int, kinds: Container[bytes] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Yields the type and the first bytes of each box in a file, one level deep, from where the file stands.

    Args:
      file: The file.
      most: The most bytes of a box's contents.
      kinds: The types that are read, and no others; default: all.
    """
    place = file.tell()
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        start = 8
        if size == 1 and len(large := file.read(8)) == 8:
            size, start = int.from_bytes(large, "big"), 16
        if 0 < size < start:  # It is damaged.
            return
        if kinds is None or kind in kinds:
            yield kind, file.read(min(most, size - start) if size else most)
        place += size
        if not size or place >= 1 << 63:  # It is the last one, or larger than any file.
            return
        file.seek(place)


def inner(data: bytes, *path: bytes) -> bytes:
    """Returns the contents of the first box at a path of types, or nothing."""
    for kind in path:
        data = next((contents for name, contents in boxes(data) if name == kind), b"")
        data = data[_CONTAINERS.get(kind, 0) :]
    return data


def of_colour_box(contents: bytes) -> Declared:
    """Returns what a colour box of AVIF, HEIF or JPEG 2000 declares."""
    if contents[:4] == b"nclx" and len(contents) >= 8:
        return Declared(code_points=struct.unpack_from(">HH", contents, 4))
    if contents[:4] in (b"prof", b"rICC"):
        return Declared(profile=contents[4:])
    return Declared()


def of_heif(data: bytes) -> Declared:
    """Returns what an AVIF or HEIF file declares of its primary image. Source: ISO/IEC 23008-12, 6.5 and 9.3."""
    meta = inner(data, b"meta")
    properties = list(boxes(inner(meta, b"iprp", b"ipco")))
    chosen = [properties[index - 1] for index in _properties_of_primary(meta) if 0 < index <= len(properties)]
    bits, code_points, profile = 8, None, None
    for kind, contents in chosen or properties:
        if kind == b"pixi":
            bits = max([bits, *contents[5:]])
        elif kind == b"av1C" and len(contents) >= 3:
            bits = max(bits, 8 + 2 * (contents[2] >> 6 & 1) + 2 * (contents[2] >> 5 & 1))
        elif kind == b"hvcC" and len(contents) >= 18:
            bits = max(bits, 8 + (contents[17] & 7))
        elif kind == b"colr":
            colour = of_colour_box(contents)
            code_points, profile = colour.code_points or code_points, colour.profile or profile
    return Declared(bits, code_points, profile)


def _properties_of_primary(meta: bytes) -> list[int]:
    """Returns the numbers, from 1, of the properties of the primary item."""
    primary = inner(meta, b"pitm")
    association = inner(meta, b"iprp", b"ipma")
    if len(primary) < 6 or len(association) < 8:
        return []
    item = int.from_bytes(primary[4:6] if primary[0] == 0 else primary[4:8], "big")
    wide_item, wide_index = association[0] > 0, association[3] & 1
    (count,) = struct.unpack_from(">I", association, 4)
    place, numbers = 8, []
    try:
        for _ in range(count):
            (number,) = struct.unpack_from(">I" if wide_item else ">H", association, place)
            place += 4 if wide_item else 2
            entries = association[place]
            place += 1
            for _ in range(entries):
                (index,) = struct.unpack_from(">H" if wide_index else ">B", association, place)
                place += 2 if wide_index else 1
                if number == item:
                    numbers.append(index & (0x7FFF if wide_index else 0x7F))
    except (struct.error, IndexError):
        return []
    return numbers
