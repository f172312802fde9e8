"""Zips of arrays and texts that come from users: their sizes are bounded before anything is unpacked.

Some megabytes of a zip may unpack to any number of gigabytes. `open_archive` and `text_of` need the standard library
only.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

LARGEST_TEXT = 4 << 20
MOST_MEMBERS = 20_000
USUAL_BYTES, USUAL_RATIO = 64 << 20, 16  # Weights are packed to some half of their bytes.
_SUFFIX = ".npy"


class Header(NamedTuple):
    """The type of an array in a zip, which is known before the array is unpacked.

    Attributes:
      shape: Its shape.
      dtype: Its type.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def size(self) -> int:
        """The number of its numbers."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of its bytes."""
        return self.size * self.dtype.itemsize


def open_archive(path: str | os.PathLike) -> zipfile.ZipFile:
    """Opens a zip.

    Raises:
      ValueError: It has more members than any file of ours.
      Exception: Whatever `zipfile` raises for a damaged file.
    """
    archive = zipfile.ZipFile(path)
    if len(archive.filelist) > MOST_MEMBERS:
        archive.close()
        raise ValueError(f"it has {len(archive.filelist)} members, more than {MOST_MEMBERS}")
    return archive


def text_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """Returns a text in a zip.

    Raises:
      ValueError: It is larger than any text of ours.
      Exception: Whatever `zipfile` raises for a damaged file.
    """
    size = archive.getinfo(name).file_size
    if size > LARGEST_TEXT:
        raise ValueError(f"{name} has {size} bytes, more than {LARGEST_TEXT}")
    return archive.read(name)


def headers_of(archive: zipfile.ZipFile) -> dict[str, Header]:
    """Returns the headers of the arrays in a zip by name, without unpacking an array.

    Raises:
      ValueError: The bytes of a member are not those of the array in its header.
      Exception: Whatever `zipfile` and numpy raise for a damaged file.
    """
    headers = {}
    for name, member in archive.NameToInfo.items():
        if not name.endswith(_SUFFIX):
            continue
        with archive.open(member) as file:
            shape, _, dtype = npy_header(file, name)
            header = Header(shape, dtype)
            if dtype.hasobject:
                raise ValueError(f"{name} holds objects, which only pickle reads")
            if min(shape, default=0) < 0 or not dtype.itemsize or file.tell() + header.nbytes != member.file_size:
                raise ValueError(f"{name} has {member.file_size} bytes, which are not those of {header}")
            headers[name.removesuffix(_SUFFIX)] = header
    return headers


def npy_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Reads the header of a .npy file, and returns shape, whether columns come first, and type.

    Raises:
      ValueError: The header is damaged, or of a version that numpy does not write for such arrays.
    """
    import numpy as np

    version = np.lib.format.read_magic(file)
    if version != (1, 0):  # A header of a later version may have gigabytes, and numpy reads all of it.
        raise ValueError(f"{name} has version {version} of the npy format")
    return np.lib.format.read_array_header_1_0(file)


def is_usual(archive: zipfile.ZipFile, headers: Mapping[str, Header]) -> bool:
    """Returns whether arrays unpack to no more bytes than those of files that were not made up to take memory."""
    packed = sum(member.compress_size for member in archive.filelist)
    return sum(header.nbytes for header in headers.values()) <= max(USUAL_BYTES, USUAL_RATIO * packed)


def usual_arrays_of(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Unpacks all arrays of a zip.

    Raises:
      ValueError: They unpack to more bytes than those of files that were not made up to take memory.
      Exception: Whatever `zipfile` and numpy raise for a damaged file.
    """
    headers = headers_of(archive)
    if not is_usual(archive, headers):
        raise ValueError("its arrays unpack to many times its bytes, as those of such files do not")
    return arrays_of(archive, headers)


def arrays_of(archive: zipfile.ZipFile, headers: Mapping[str, Header]) -> dict[str, np.ndarray]:
    """Unpacks the arrays of some headers.

    Raises:
      Exception: Whatever `zipfile` and numpy raise for a damaged file.
    """
    import numpy as np

    arrays = {}
    for name in headers:
        with archive.open(name + _SUFFIX) as file:
            arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays
