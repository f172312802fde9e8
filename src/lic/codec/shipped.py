"""Codecs that ship with `lic`, by name and by fingerprint. This file needs the standard library only."""

from __future__ import annotations

import functools
import importlib.resources
import os

from lic import registry
from lic.codec.codec_file import read_text
from lic.errors import CheckpointError, RegistryError, check_kind

FINAL = "final.codec"  # The codec in the folder of a training that is finished.


def codec_path(name_or_path: str | os.PathLike) -> str:
    """Returns the path of a codec file.

    Args:
      name_or_path: That path, the folder of a training that is finished, or the name of a model whose weights ship.

    Raises:
      RegistryError: The text is no path, and no model has this name.
      CheckpointError: No weights ship for the model of this name.
      ValueError: It is neither a text nor a path.
    """
    expected = "the name of a model that ships or the path of a codec file, such as 'default'"
    check_kind("load", "name_or_path", name_or_path, (str, os.PathLike), expected)
    text = os.fspath(name_or_path)
    if is_path(text):
        final = os.path.join(text, FINAL)
        return final if os.path.exists(final) else text
    if text not in registry.list_models():
        near = registry.near_names(text, registry.list_models())
        advice = near or "A codec file is given by its path, such as mine.codec."
        raise RegistryError(
            f"There is no model named {text!r}. {advice} Weights ship for {', '.join(map(repr, _shipping()))}."
        )
    weights = registry.models.get(text)().weights
    if weights is None:
        raise CheckpointError(
            f"No weights ship for the model {text!r}. Train lic.create_model({text!r}), then save a lic.Codec of it."
        )
    return str(importlib.resources.files("lic.models").joinpath("weights", weights))


def is_path(text: str) -> bool:
    """Returns whether a text is a path, and not a model's name; a name counts also where a file is called like it."""
    if text.endswith(".codec") or os.sep in text:
        return True
    return os.path.exists(text) and text not in registry.list_models()


def name_of(fingerprint: bytes) -> str:
    """Returns a fingerprint in hexadecimal digits, followed by the name of the codec if it ships."""
    name = _names().get(fingerprint.hex())
    return f"{fingerprint.hex()} ({name})" if name else fingerprint.hex()


def _shipping() -> list[str]:
    return [name for name in registry.list_models() if registry.models.get(name)().weights]


@functools.cache
def _names() -> dict[str, str]:
    texts = {name: read_text(codec_path(name)) for name in _shipping()}
    fields = ("fingerprint", "integer_fingerprint")
    return {text[field]: name for name, text in texts.items() for field in fields if field in text}
