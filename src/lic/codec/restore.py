"""A model and its coder tables from what a codec file holds, checked before anything is computed with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lic.codec.codec_file import CodecFile
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import compute_in
from lic.errors import CheckpointError
from lic.models.base import CompressionModel
from lic.models.untrusted_config import described_by_file
from lic.weights import set_tensors

STORED = ("float32", "float16")
_PREFIX = "weights/"


def weights_of(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns those arrays of a codec file that are weights, with the names that they have there."""
    return {name: array for name, array in arrays.items() if name.startswith(_PREFIX)}


def restored_model(file: CodecFile) -> CompressionModel:
    """Returns the model of a codec file.

    Raises:
      CheckpointError: Its configuration describes no model, or weights are missing, too many, of another shape or type,
        or not finite.
      RegistryError: A part of it is not registered here.
    """
    weights = {name.removeprefix(_PREFIX): array for name, array in weights_of(file.arrays).items()}
    _check_numbers(weights, file.stored)
    with described_by_file(sum(array.size for array in weights.values())):
        model = CompressionModel.from_config(file.config)
        compute_in(model, "float32")
        model.make_variables()
    set_tensors(model, weights)
    return model


def restored_tables(file: CodecFile, model: CompressionModel) -> CdfTables:
    """Returns the coder's tables of a codec file, or makes them where it has none yet.

    Raises:
      CheckpointError: They are damaged, or of another model.
    """
    if not file.tables:
        return model.entropy.make_tables()
    try:
        tables = CdfTables.from_arrays(file.arrays, file.tables, model.entropy.sources)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The coder's tables are damaged: {error}. Get the codec file anew.") from error
    return tables


def _check_numbers(weights: Mapping[str, np.ndarray], stored: str) -> None:
    if stored not in STORED:
        raise CheckpointError(f"The codec's weights are stored as {stored!r}, this lic reads {STORED}. Update lic.")
    for name, array in weights.items():
        if array.dtype != stored:
            raise CheckpointError(f"{name} is {array.dtype}, expected {stored}. Get the codec file anew.")
        if not np.isfinite(array).all():
            raise CheckpointError(
                f"Codec: {name} holds numbers that are not finite as {stored}. "
                "Store float32, or go back to weights from before training diverged."
            )
