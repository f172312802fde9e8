"""Codec files: a zip of one JSON text and plain arrays. No code is run from it and nothing is unpickled."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lic._version import __version__
from lic.atomic_write import atomic_write
from lic.errors import CheckpointError

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
_TEXT = "codec.json"
_INTEGER = "integer/"
_NONE: Mapping[str, Any] = {}
_DATE = (1980, 1, 1, 0, 0, 0)  # The same codec gives the same file.


class CodecFile(NamedTuple):
    """What a codec file holds.

    Attributes:
      config: The model's configuration.
      stored: The type that weights are stored in.
      tables: Scales and the number of rows of each prior.
      arrays: Weights as "weights/NAME" and coder tables as "tables/NAME".
      integer: Units of the parameter networks in whole numbers, where there are such networks.
    """

    config: dict[str, Any]
    stored: str
    tables: dict[str, Any]
    arrays: Mapping[str, np.ndarray]
    integer: Mapping[str, np.ndarray] = _NONE

    def fingerprint(self, deterministic: bool = False) -> bytes:
        """Returns the start of SHA-256 over configuration, weights and coder tables.

        Args:
          deterministic: Whether the units of the networks in whole numbers count, too.
        """
        digest = hashlib.sha256(json.dumps([self.config, self.tables], sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()) + sorted(self.integer.items()) * deterministic:
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.digest()[:4]

    def write(self, path: str | os.PathLike) -> None:
        """Writes the file aside and renames it, so that it is never there in part."""
        with (
            atomic_write(path) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            archive.writestr(zipfile.ZipInfo(_TEXT, _DATE), json.dumps(self._text(), indent=1))
            integer = {_INTEGER + name: array for name, array in self.integer.items()}
            for name, array in {**self.arrays, **integer}.items():
                entry = zipfile.ZipInfo(f"{name}.npy", _DATE)
                archive.writestr(entry, _npy(array), zipfile.ZIP_DEFLATED)

    def _text(self) -> dict[str, Any]:
        described = {"format": FORMAT, "lic": __version__, "fingerprint": self.fingerprint().hex()}
        integer = {"integer_fingerprint": self.fingerprint(deterministic=True).hex()} if self.integer else {}
        return described | integer | {"stored": self.stored, "config": self.config, "tables": self.tables}

    @classmethod
    def read(cls, path: str | os.PathLike) -> CodecFile:
        """Reads a codec file.

        Raises:
          CheckpointError: It is not a codec file, of another version, or damaged.
        """
        import numpy as np

        text, arrays = read_text(path), {}
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".npy"):
                        member = io.BytesIO(archive.read(name))
                        arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
            integer = {name: arrays.pop(name) for name in list(arrays) if name.startswith(_INTEGER)}
            integer = {name.removeprefix(_INTEGER): array for name, array in integer.items()}
            file = cls(text["config"], text["stored"], text["tables"], arrays, integer)
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise CheckpointError(f"{path} is a damaged codec file ({error}). Get it anew.") from error
        for name, deterministic in (("fingerprint", False), ("integer_fingerprint", True)):
            found = file.fingerprint(deterministic).hex()
            if found != text.get(name, found):
                raise CheckpointError(
                    f"{path}: weights or tables were changed, their fingerprint is {found}, "
                    f"expected {text[name]}. Get the codec file anew."
                )
        return file


def read_text(path: str | os.PathLike) -> dict[str, Any]:
    """Reads what a codec file says of itself, without its arrays and without numpy.

    Raises:
      CheckpointError: It is not a codec file or of another version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = json.loads(archive.read(_TEXT))
        version = text["format"]
        missing = {"fingerprint", "stored", "config", "tables", "lic"} - text.keys()
    except FileNotFoundError:
        raise CheckpointError(f"There is no codec file {os.fspath(path)!r}.") from None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(f"{path} is not a codec file, or damaged ({error}).") from error
    if version != FORMAT:
        raise CheckpointError(f"{path} has codec format {version}, this lic reads {FORMAT}. Update lic.")
    if missing:
        raise CheckpointError(f"{path} is a damaged codec file: {', '.join(sorted(missing))} missing. Get it anew.")
    return text


def _npy(array: np.ndarray) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()
