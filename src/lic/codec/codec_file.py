"""Codec files: a zip of one JSON text and plain arrays, from reading and checking to the model and the coder's tables.

No code is run from a file and nothing is unpickled. `read_text` needs the standard library only.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lic._version import __version__
from lic.array_archive import USUAL_BYTES, Header, arrays_of, headers_of, is_usual, open_archive, text_of
from lic.atomic_write import atomic_write
from lic.errors import CheckpointError, as_checkpoint_error

if TYPE_CHECKING:
    import numpy as np

    from lic.entropy.range_coding.cdf_tables import CdfTables
    from lic.models.base import CompressionModel

FORMAT = 1
STORED = ("float32", "float16")
# Settings of the codec that were added to codec.json after files were written, each with the value that a file without
# it stands for. Such a value never changes, as with `Configured.added_arguments`.
ADDED_SETTINGS: dict[str, Any] = {"channels": 3, "bit_depth": 8, "skip_below": None}
_TEXT = "codec.json"
_FIELDS = ("fingerprint", "stored", "config", "tables", "lic")
_WEIGHTS = "weights/"
_INTEGER = "integer/"
_NONE: Mapping[str, Any] = {}
_DATE = (1980, 1, 1, 0, 0, 0)  # With a fixed date the same codec gives the same file.


class CodecFile(NamedTuple):
    """The content of a codec file.

    Attributes:
      config: The model's configuration, as it was written.
      stored: The type that weights are stored in.
      tables: The attribute path of each source of the tables, and its number of cdfs.
      arrays: Weights as "weights/NAME" and coder tables as "tables/NAME".
      integer: Units of the parameter networks in whole numbers, where there are such networks.
      settings: Settings of the codec by the names in `ADDED_SETTINGS`; one that is absent stands at its value there.
    """

    config: dict[str, Any]
    stored: str
    tables: dict[str, Any]
    arrays: Mapping[str, np.ndarray]
    integer: Mapping[str, np.ndarray] = _NONE
    settings: Mapping[str, Any] = _NONE

    def fingerprint(self, deterministic: bool = False) -> bytes:
        """Returns the first 4 bytes of SHA-256 over configuration, weights, coder tables and settings.

        Args:
          deterministic: Whether the units of the networks in whole numbers count, too.
        """
        from lic.config import without_added_arguments
        from lic.models.base import CompressionModel

        # What a later edition adds must not move the fingerprint of a file that does not use it.
        texts = [without_added_arguments(CompressionModel, self.config), self.tables]
        settings = {name: value for name, value in self.settings.items() if value != ADDED_SETTINGS[name]}
        texts = _with_whole_numbers([*texts, settings] if settings else texts)
        digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()) + sorted(self.integer.items()) * deterministic:
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.digest()[:4]

    def write(self, path: str | os.PathLike) -> None:
        """Writes the file under a temporary name and renames it, so that it is never there in part."""
        # An archive that meets a full disk fails once more when it is freed, so it is made in memory.
        with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(_TEXT, _DATE), json.dumps(self._text(), indent=1))
            integer = {_INTEGER + name: array for name, array in self.integer.items()}
            for name, array in {**self.arrays, **integer}.items():
                entry = zipfile.ZipInfo(f"{name}.npy", _DATE)
                archive.writestr(entry, _npy(array), zipfile.ZIP_DEFLATED)
        with atomic_write(path) as file:
            file.write(packed.getbuffer())

    def _text(self) -> dict[str, Any]:
        head = {"format": FORMAT, "lic": __version__, "fingerprint": self.fingerprint().hex()}
        integer = {"integer_fingerprint": self.fingerprint(deterministic=True).hex()} if self.integer else {}
        settings = ADDED_SETTINGS | dict(self.settings)
        return head | integer | settings | {"stored": self.stored, "config": self.config, "tables": self.tables}

    @classmethod
    def read(cls, path: str | os.PathLike) -> CodecFile:
        """Reads a codec file and checks its fingerprints.

        Raises:
          CheckpointError: It is not a codec file, of another version, or damaged.
          RegistryError: A part in its configuration is not registered here.
        """
        text = read_text(path)
        with as_checkpoint_error(f"{path} is a damaged codec file", "Get it anew."):
            with open_archive(path) as archive:
                headers = headers_of(archive)
                if not is_usual(archive, headers):
                    _check_described(text["config"], headers)
                arrays: dict[str, np.ndarray] = arrays_of(archive, headers)
            integer = {name: arrays.pop(name) for name in list(arrays) if name.startswith(_INTEGER)}
            integer = {name.removeprefix(_INTEGER): array for name, array in integer.items()}
            settings = {name: text.get(name, value) for name, value in ADDED_SETTINGS.items()}
            file = cls(text["config"], text["stored"], text["tables"], arrays, integer, settings)
            found = {"fingerprint": file.fingerprint().hex(), "integer_fingerprint": file.fingerprint(True).hex()}
        for name, fingerprint in found.items():
            if fingerprint != text.get(name, fingerprint):
                raise CheckpointError(
                    f"{path}: configuration, weights or tables were changed. Expected the fingerprint {text[name]}. "
                    f"Received a file of {fingerprint}. Get the codec file anew."
                )
        return file


def read_text(path: str | os.PathLike) -> dict[str, Any]:
    """Reads the JSON text of a codec file, without its arrays and without numpy.

    Raises:
      CheckpointError: It is not a codec file or of another version.
    """
    if not os.path.exists(path):
        raise CheckpointError(f"There is no codec file {os.fspath(path)!r}.")
    if os.path.isdir(path):
        raise CheckpointError(
            f"{os.fspath(path)!r} is a folder, expected a codec file. Give the file in it, or take the codec of a "
            "training by lic.training.codec_of_run."
        )
    with as_checkpoint_error(f"{path} is not a codec file, or damaged", "Get it anew."):
        with open_archive(path) as archive:
            text = json.loads(text_of(archive, _TEXT))
        version, missing = text["format"], [name for name in _FIELDS if name not in text]
    if version != FORMAT:
        raise CheckpointError(f"{path} has codec format {version}, this lic reads {FORMAT}. Update lic.")
    if missing:
        raise CheckpointError(f"{path} is a damaged codec file: {', '.join(missing)} missing. Get it anew.")
    with as_checkpoint_error(f"{path} is a damaged codec file", "Get it anew."):
        for name in ("fingerprint", "integer_fingerprint"):
            bytes.fromhex(text.get(name, ""))
        for part in (text["config"]["transform"], text["config"]["entropy"]):
            if not isinstance(part["name"], str) or not isinstance(part["config"], dict):
                raise ValueError(f"expected the name and the configuration of a part, found {part!r}")
        likelihood = text["config"]["entropy"]["config"].get("likelihood")
        if not isinstance(likelihood, (dict, type(None))):
            raise ValueError(f"expected the configuration of a likelihood, found {likelihood!r}")
        if not isinstance(text["config"]["lmbda"], (int, float, list)):
            raise ValueError(f"expected lmbda as a number or a list, found {text['config']['lmbda']!r}")
    return text


def weights_of(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns those arrays of a codec file that are weights, with the names that they have there."""
    return {name: array for name, array in arrays.items() if name.startswith(_WEIGHTS)}


def restored_model(file: CodecFile) -> CompressionModel:
    """Returns the model of a codec file.

    Raises:
      CheckpointError: Its configuration describes no model, or weights are missing, too many, of another shape or type,
        or not finite.
      RegistryError: A part of it is not registered here.
    """
    from lic.weights import assign, named_variables

    if file.stored not in STORED:
        raise CheckpointError(
            f"Codec file: expected weights stored as one of {STORED}. Received: {file.stored!r}. Update lic."
        )
    weights = {name.removeprefix(_WEIGHTS): array for name, array in weights_of(file.arrays).items()}
    model = _fresh_model(file.config, weights)
    _check_numbers(weights, file.stored, model)
    assign(named_variables(model), weights)
    return model


def _fresh_model(config: dict[str, Any], weights: Mapping[str, np.ndarray | Header]) -> CompressionModel:
    """Returns the model of a configuration, which may have weights for no more numbers than the given ones."""
    from lic.environment import policy
    from lic.models.base import CompressionModel
    from lic.models.untrusted_config import described_by_file

    with described_by_file(config, weights), policy("float32"):  # The policy decides the type of variables too.
        return CompressionModel.from_configuration(config)


def _check_described(config: dict[str, Any], headers: Mapping[str, Header]) -> None:
    """Checks that the model of a configuration needs arrays of these types: unpacked, they take much memory.

    Raises:
      CheckpointError: It does not.
    """
    from lic.weights import named_variables, require_fitting

    weights = {name.removeprefix(_WEIGHTS): each for name, each in headers.items() if name.startswith(_WEIGHTS)}
    others = sum(each.nbytes for name, each in headers.items() if not name.startswith(_WEIGHTS))
    if others > USUAL_BYTES:
        raise CheckpointError(f"The arrays beside the weights have {others} bytes, more than {USUAL_BYTES}.")
    shapes = {name: tuple(each.shape) for name, each in named_variables(_fresh_model(config, weights)).items()}
    require_fitting(shapes, weights)


def restored_tables(file: CodecFile, model: CompressionModel) -> CdfTables:
    """Returns the coder's tables of a codec file, or makes them if it has none yet.

    Raises:
      CheckpointError: They are damaged, or of another model.
    """
    from lic.entropy.range_coding.cdf_tables import CdfTables

    if not file.tables:
        return model.entropy.make_tables()
    with as_checkpoint_error("The coder's tables are damaged", "Get the codec file anew."):
        return CdfTables.from_arrays(file.arrays, file.tables, model.entropy.sources)


def as_stored(weight: np.ndarray, stored: str) -> np.ndarray:
    """Returns a weight in the type that weights are stored in, or as it is if it holds no floating-point numbers."""
    from lic.environment import tf

    return weight.astype(stored) if tf.as_dtype(weight.dtype).is_floating else weight


def _check_numbers(weights: Mapping[str, np.ndarray], stored: str, model: CompressionModel) -> None:
    import numpy as np

    from lic.environment import tf
    from lic.weights import named_variables

    are_others = any(array.dtype != stored for array in weights.values())
    types = {name: tf.as_dtype(each.dtype) for name, each in named_variables(model).items()} if are_others else {}
    for name, array in weights.items():
        is_whole = name in types and not types[name].is_floating and types[name] == array.dtype
        if array.dtype != stored and not is_whole:
            raise CheckpointError(
                f"Codec file: expected {name} to be {stored}. Received: {array.dtype}. Get the codec file anew."
            )
        if not np.isfinite(array).all():
            raise CheckpointError(
                f"Codec: {name} holds numbers that are not finite as {stored}. "
                "Store float32, or go back to weights from before training diverged."
            )


def _with_whole_numbers(value: Any) -> Any:
    """Returns JSON data with 8.0 as 8, so that no fingerprint depends on the annotation of an argument."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _npy(array: np.ndarray) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()
