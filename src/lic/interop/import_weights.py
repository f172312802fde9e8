"""Models from weights of other code, in any format that lic imports."""

from __future__ import annotations

import os
import pathlib
from typing import Literal

from lic.errors import CheckpointError, check_path
from lic.interop.safetensors import has_model_config, import_safetensors
from lic.interop.tensorflow_checkpoint import import_tensorflow_checkpoint
from lic.interop.torch_systems import import_torch
from lic.models.base import CompressionModel

FORMATS = ("tensorflow", "pytorch", "safetensors")
_TORCH = (".pth", ".pt", ".tar", ".npz")


def import_checkpoint(
    path: str | os.PathLike,
    name: str | None = None,
    *,
    format: Literal["tensorflow", "pytorch", "safetensors"] | None = None,
    quality: int | None = None,
) -> CompressionModel:
    """Makes a model with weights that published code trained, or that PyTorch trained further.

    The published TensorFlow code estimates the rate with the real scale index and truncates the index when it codes.
    Systems in PyTorch estimate the rate with the predicted scale. `lic` rounds the index in both cases, so that its
    estimates differ a little. `lic` reads the streams of neither.

    Args:
      path: A SavedModel of the published code, its folder `variables`, or the prefix or folder of a
        `tf.train.Checkpoint`; a state dict of a published system in PyTorch as .pth, .pth.tar, .pt, .safetensors or
        .npz; or a .safetensors file of `export_safetensors`, trained further or not.
      name: Name of the model. TensorFlow's checkpoints need it: "hzswq2021", "ms2020" or "zyc2022". For a state dict
        of PyTorch it is checked against the model that the tensors belong to. For a file of `export_safetensors` it is
        None.
      format: "tensorflow", "pytorch", or "safetensors" for files of `export_safetensors`; default: `guess_format`.
      quality: For systems in PyTorch, the quality, from 1, that the weights were trained for. It sets `lmbda`, by which
        the model trains on and `effort` weighs; widths follow from the tensors.

    Raises:
      CheckpointError: There is no checkpoint, or one of its tensors is missing, left over, of another shape, or holds
        other than finite real numbers.
      RegistryError: There is no such quality.
      ImportError: The package that reads the file is not installed.
    """
    check_path("import_checkpoint", "path", path)
    file = pathlib.Path(path)
    if file.suffix == ".codec":
        raise CheckpointError(f"{path} is a codec file. Load it by lic.load({str(path)!r}).")
    format = format or guess_format(path)
    if format not in FORMATS:
        raise CheckpointError(f"Expected format to be one of {', '.join(FORMATS)}. Received: {format!r}.")
    if format == "pytorch":
        try:
            return import_torch(path, name, quality)
        except CheckpointError as error:
            if file.suffix != ".safetensors":
                raise
            raise CheckpointError(
                f"{error} If lic exported the file, write it with the metadata that it had: "
                "safetensors.torch.save_file(tensors, path, metadata)."
            ) from None
    if quality is not None:
        raise CheckpointError(f"Expected quality to be None, since format is {format!r}. Received: {quality!r}.")
    if format == "tensorflow":
        if not (file.exists() or file.with_name(file.name + ".index").exists()):
            raise CheckpointError(f"There is no checkpoint {path}, or it lacks its index. Give one that is there.")
        return import_tensorflow_checkpoint(path, name)
    if name is not None:
        raise CheckpointError(f"Expected name to be None, since {path} holds its model's parts. Received: {name!r}.")
    return import_safetensors(path)


def guess_format(path: str | os.PathLike) -> str:
    """Returns the format of a path, one of `FORMATS`, by its suffix and by the metadata of a .safetensors file."""
    path = pathlib.Path(path)
    if path.suffix == ".safetensors":
        return "safetensors" if has_model_config(path) else "pytorch"
    return "pytorch" if path.suffix in _TORCH else "tensorflow"
