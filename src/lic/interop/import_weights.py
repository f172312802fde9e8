"""Models from weights of other code, each format by what reads it."""

from __future__ import annotations

import os
import pathlib
from typing import Literal

from lic.errors import CheckpointError
from lic.interop.compressai import import_compressai
from lic.interop.safetensors import import_tensors, is_exported
from lic.interop.tensorflow_checkpoint import import_tensorflow
from lic.models.base import CompressionModel

FORMATS = ("tensorflow", "compressai", "safetensors")
_TORCH = (".pth", ".pt", ".tar")


def import_checkpoint(
    path: str | os.PathLike,
    name: str | None = None,
    *,
    format: Literal["tensorflow", "compressai", "safetensors"] | None = None,
    quality: int | None = None,
) -> CompressionModel:
    """Makes a model with the weights that published code trained, or that come back from PyTorch.

    The published TensorFlow code estimates the rate with the real scale index and truncates the index when it codes;
    ours rounds it for both, so that estimates differ a little. Of CompressAI's models the estimate is with the real
    scale there, and with that of the table here. Streams are those of neither.

    Args:
      path: A SavedModel of the published code, its folder `variables`, or the prefix or folder of a
        `tf.train.Checkpoint`; a state dict of CompressAI as .pth, .pth.tar or .safetensors; or a .safetensors file of
        `lic export`, whose tensors may have been trained on in PyTorch.
      name: Which model it is: "hzswq2021", "ms2020" or "zyc2022"; or one of those whose names start with "compressai-",
        which the tensors tell too. A file of `lic export` says it itself.
      format: "tensorflow", "compressai" or "safetensors" for those of `lic export`; default: what the path looks like.
      quality: Of CompressAI's models, the quality 1 to 8 that the weights were trained for. Widths are those of the
        tensors in any case; the quality's lmbda is what training goes on with, and what `effort` weighs by.

    Raises:
      CheckpointError: There is no checkpoint, or a variable in it is missing, too many, or of another shape.
      RegistryError: There is no such quality.
      ImportError: The package that reads the file is not installed.
    """
    format = format or format_of(path)
    if format not in FORMATS:
        raise CheckpointError(f"The formats are {', '.join(FORMATS)}. Received: {format!r}.")
    if format == "compressai":
        return import_compressai(path, name, quality)
    if quality is not None:
        raise CheckpointError(f"Only CompressAI's models have a quality here. Received: {quality!r}.")
    if format == "tensorflow":
        return import_tensorflow(path, name)
    if name is not None:
        raise CheckpointError(f"{path} says of which model it is. Received: {name!r}.")
    return import_tensors(path)


def format_of(path: str | os.PathLike) -> str:
    """Returns which of `FORMATS` a path looks like, by the end of its name and by what a .safetensors file says."""
    path = pathlib.Path(path)
    if path.suffix == ".safetensors":
        return "safetensors" if is_exported(path) else "compressai"
    return "compressai" if path.suffix in _TORCH else "tensorflow"
