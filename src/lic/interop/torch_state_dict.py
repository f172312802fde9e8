"""State dicts of PyTorch as arrays. No code in a file is run; PyTorch unpickles with `weights_only=True`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from lic.errors import CheckpointError, as_checkpoint_error


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Returns the tensors of a state dict by name, without the prefix "module." that parallel training adds.

    Args:
      path: A .safetensors file or a file of `torch.save`. The latter holds a state dict, or a dict with one at
        "state_dict".

    Raises:
      CheckpointError: There is no file, or the file holds no state dict.
      ImportError: The package that reads the file is not installed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no file {os.fspath(path)!r}.")
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    return {name.removeprefix("module."): array for name, array in tensors.items()}


def safetensors_package() -> Any:
    """Returns the package safetensors.

    Raises:
      ImportError: The package is not installed.
    """
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "Safetensors files need the package safetensors: pip install 'keras-lic[safetensors]'."
        ) from None
    return safetensors


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    package = safetensors_package()
    with as_checkpoint_error(f"{path} is not a safetensors file that numpy can read"):
        return package.numpy.load_file(path)


def _read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError:
        raise ImportError(
            f"{path} needs PyTorch: pip install 'keras-lic[torch]', or save the weights as .safetensors."
        ) from None
    with as_checkpoint_error(f"{path} is not a file that PyTorch reads with weights_only=True"):
        found = torch.load(path, map_location="cpu", weights_only=True)
    state = found.get("state_dict", found) if isinstance(found, Mapping) else found
    _check_state(path, state, torch.Tensor)
    return {name: (tensor.float() if tensor.is_floating_point() else tensor).numpy() for name, tensor in state.items()}


def _check_state(path: pathlib.Path, state: Any, kind: type) -> None:
    if not isinstance(state, Mapping) or not all(isinstance(each, kind) for each in state.values()):
        raise CheckpointError(f"{path} holds no state dict, neither at its top nor as 'state_dict'.")
