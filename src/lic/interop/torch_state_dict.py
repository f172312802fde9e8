"""State dicts of PyTorch as arrays. No code in a file is run; PyTorch unpickles with `weights_only=True`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from lic.array_archive import open_archive, usual_arrays_of
from lic.errors import CheckpointError, as_checkpoint_error

# Where training scripts keep the state dict in a larger dict.
_PLACES = ("state_dict", "model_state_dict", "model", "net")
# Parts of names that wrappers of a whole model, or of a layer in it, add: parallel training and compilation.
_WRAPPERS = ("module", "_orig_mod")


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Returns the tensors of a state dict by the names that they have in the model, floats as float32.

    Parts of names that wrappers add, such as "module." and "_orig_mod.", are removed, as is a first part that all names
    share.

    Args:
      path: A .safetensors file, an .npz file of numpy, or a file of `torch.save`. The last holds a state dict, or a
        dict with one at "state_dict", "model_state_dict", "model" or "net".

    Raises:
      CheckpointError: There is no file, or the file holds no state dict.
      ImportError: The package that reads the file is not installed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no file {os.fspath(path)!r}.")
    tensors = {".safetensors": _read_safetensors, ".npz": _read_npz}.get(path.suffix, _read_torch)(path)
    parts = {}
    for name in tensors:
        bare = tuple(part for part in name.split(".") if part not in _WRAPPERS)
        if bare in parts:
            raise CheckpointError(f"{path} holds {parts[bare]!r} and {name!r}, of which only one can be meant.")
        parts[bare] = name
    parts.pop(("n_averaged",), None)  # The counter of torch.optim.swa_utils.AveragedModel.
    while len(parts) > 1 and len({name[:1] for name in parts}) == 1:
        parts = {name[1:]: key for name, key in parts.items()}
    return {".".join(name): _as_float32(tensors[key]) for name, key in parts.items()}


def _as_float32(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # A number that is too large becomes infinite, and is refused as a weight.
        return array.astype(np.float32) if array.dtype.kind == "f" else array


def _read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
    with as_checkpoint_error(f"{path} is not an .npz file of arrays"), open_archive(path) as archive:
        return usual_arrays_of(archive)


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
            f"{path} needs PyTorch: pip install 'keras-lic[torch]', or save the weights as .safetensors or .npz."
        ) from None
    with as_checkpoint_error(f"{path} is not a file that PyTorch reads with weights_only=True"):
        found = torch.load(path, map_location="cpu", weights_only=True)
    places = [found, *(found[name] for name in _PLACES if name in found)] if isinstance(found, Mapping) else []
    for state in places:
        if isinstance(state, Mapping) and all(isinstance(each, torch.Tensor) for each in state.values()):
            with as_checkpoint_error(f"{path} holds a tensor that numpy cannot hold", "Save it as float32."):
                return {  # A state dict may hold parameters, which numpy takes when they are detached.
                    name: (tensor.float() if tensor.is_floating_point() else tensor).detach().numpy()
                    for name, tensor in state.items()
                }
    raise CheckpointError(f"{path} holds no state dict, neither at its top nor as {', '.join(map(repr, _PLACES))}.")
