"""Which codecs an evaluation measures, each at which qualities."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from lic.codec.codec import Codec, load
from lic.errors import LicError
from lic.evaluation.classical import classical
from lic.evaluation.measure import Compressor


class Candidate(NamedTuple):
    """A codec to be measured.

    Attributes:
      name: Its name in the results.
      codec: The codec.
      qualities: Those to measure; a single None where it has one rate.
      facts: What it is, as plain data; results of the same facts are the same codec's.
    """

    name: str
    codec: Compressor
    qualities: tuple[float | None, ...]
    facts: dict[str, Any]


def learned(model: str | os.PathLike | Codec, qualities: Sequence[float] = (), **options: Any) -> Candidate:
    """Returns a learned codec as a candidate, by default at all of its qualities.

    Args:
      model: Name of a model whose weights ship, path of a codec file, or a codec. A name may end in =Q,Q for qualities.
      qualities: Qualities to measure, where the name has none.
      **options: `precision` and `tile` of `lic.Codec`.

    Raises:
      LicError: There is no such codec, or it lacks a quality.
    """
    if isinstance(model, Codec):
        name, codec = "codec", model
    else:
        path, qualities = _split(os.fspath(model), qualities)
        name, codec = pathlib.Path(path).stem, load(path, **options)
    has = codec.qualities
    if not has:
        return Candidate(name, codec, (None,), _facts(codec, options))
    for quality in qualities:
        if not has[0] <= quality <= has[-1]:
            raise LicError(
                f"{name} has qualities from {has[0]} to {has[-1]}. Received: {quality:g}. "
                f"Where codecs need others, write them behind each name, such as {name}={has[0]},{has[-1]}."
            )
    return Candidate(name, codec, tuple(qualities) or has, _facts(codec, options))


def classic(name: str, qualities: Sequence[float] = ()) -> Candidate:
    """Returns a classical codec as a candidate, by default at the qualities of its curve.

    Args:
      name: Its name, which may end in =Q,Q for qualities.
      qualities: Qualities to measure, where the name has none.

    Raises:
      RegistryError: There is no such codec, or this machine lacks it.
    """
    name, qualities = _split(name, qualities)
    codec = classical(name)
    return Candidate(name, codec, tuple(qualities) or codec.qualities, {"settings": codec.settings})


def _facts(codec: Codec, options: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    return {"settings": ", ".join(["lic", *(f"{name}={value}" for name, value in given.items())])} | {
        "fingerprint": codec.fingerprint.hex(),
        "lmbda": codec.model.lmbda,
    }


def _split(text: str, qualities: Sequence[float]) -> tuple[str, tuple[float, ...]]:
    """Takes NAME=Q,Q apart; a path may have an equals sign of its own."""
    name, found, numbers = text.rpartition("=")
    if not found or os.path.exists(text):
        return text, tuple(qualities)
    try:
        return name, tuple(float(number) for number in numbers.split(","))
    except ValueError:
        raise LicError(f"{text}: expected NAME=Q,Q with numbers, such as jpeg=20,50,80.") from None
