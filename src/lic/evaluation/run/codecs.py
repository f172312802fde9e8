"""The codecs that an evaluation measures, learned and classical, each with its qualities."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from lic.codec.codec import Codec, load
from lic.codec.shipped import FINAL
from lic.errors import EvaluationError
from lic.evaluation.run.classical import classical_codec
from lic.evaluation.run.measurement import Compressor


class EvaluatedCodec(NamedTuple):
    """A codec to be measured.

    Attributes:
      name: Name of the codec in the results.
      codec: The codec.
      qualities: Qualities to be measured; a single None if the codec has one rate.
      facts: Settings and fingerprint, as plain data; equal facts mean that results come from the same codec.
    """

    name: str
    codec: Compressor
    qualities: tuple[float | None, ...]
    facts: dict[str, Any]

    @property
    def channels(self) -> int:
        """Channels of the images that the codec takes."""
        return getattr(self.codec, "channels", 3)

    @property
    def bit_depth(self) -> int:
        """Bits of a channel of these images."""
        return getattr(self.codec, "bit_depth", 8)

    @classmethod
    def learned(
        cls, model: str | os.PathLike | Codec, qualities: Sequence[float] = (), name: str | None = None, **options: Any
    ) -> EvaluatedCodec:
        """Returns a learned codec, by default with all of its qualities.

        Args:
          model: Name of a model whose weights ship, path of a codec file, or a codec. Text may end in =Q,Q to give
            qualities, and may begin with NAME= to name the codec in the results. By default a codec has the name of its
            file, and the final.codec of a training that of its folder.
          qualities: Qualities to be measured if the text gives none.
          name: Name of the codec in the results, in place of that one.
          **options: `precision`, `tile` and `deterministic` of `lic.Codec`.

        Raises:
          LicError: The codec does not exist.
          EvaluationError: The codec lacks a quality, a text behind "=" is not a list of numbers, or options are given
            with a codec, which has its own.
        """
        if isinstance(model, Codec):
            given = sorted(name for name, value in options.items() if value is not None)
            if given:
                raise EvaluationError(
                    f"evaluate: expected no {' and no '.join(given)} for a codec that is made already. Received: "
                    f"{options}. Give them to lic.Codec or lic.load."
                )
            name, codec, own = name or "codec", model, False
        else:
            if not isinstance(model, (str, os.PathLike)):
                raise EvaluationError(
                    f"evaluate: expected models to be names, paths or codecs. Received: {type(model).__name__}. Make a "
                    "codec of a model by lic.Codec(model)."
                )
            text = os.fspath(model)
            named, qualities = _split(text, qualities, may_be_named=True)
            default, path = _name_and_path(named)
            name, codec, own = name or default, load(path, **options), named != text
        available = codec.qualities
        if not available:
            if own:
                raise EvaluationError(f"{name} has one rate and no qualities. Received: {text}. Leave the numbers out.")
            return cls(name, codec, (None,), _facts(codec))
        for quality in qualities:
            if not available[0] <= quality <= available[-1]:
                raise EvaluationError(
                    f"{name} has qualities from {available[0]} to {available[-1]}. Received: {quality:g}. "
                    f"To give each codec its own, write them behind the name: {name}={available[0]},{available[-1]}."
                )
        return cls(name, codec, tuple(dict.fromkeys(qualities)) or available, _facts(codec))

    @classmethod
    def classical(cls, name: str, qualities: Sequence[float] = ()) -> EvaluatedCodec:
        """Returns a classical codec, by default with the qualities that sample its curve.

        Args:
          name: Name of the codec, which may end in =Q,Q to give qualities.
          qualities: Qualities to be measured if the name gives none.

        Raises:
          RegistryError: No classical codec has the name, or this machine lacks it.
          EvaluationError: The text behind "=" is not a list of numbers.
          ImageError: The codec does not have a quality.
        """
        name, qualities = _split(name, qualities)
        codec = classical_codec(name)
        for quality in qualities:
            codec.check_quality(quality)
        return cls(name, codec, tuple(dict.fromkeys(qualities)) or codec.qualities, {"settings": codec.settings})


def _facts(codec: Codec) -> dict[str, Any]:
    return {
        "settings": f"lic, precision={codec.precision}, tile={codec.tile}{', deterministic' * codec.deterministic}",
        "fingerprint": codec.fingerprint.hex(),
        "lmbda": codec.model.lmbda,
    }


def _split(text: str, qualities: Sequence[float], may_be_named: bool = False) -> tuple[str, tuple[float, ...]]:
    """Splits CODEC=Q,Q into the codec and its qualities; an existing path may hold an equals sign itself.

    With `may_be_named` the text may be NAME=CODEC, too.
    """
    name, found, numbers = text.rpartition("=")
    if not found or os.path.exists(text):
        return text, tuple(qualities)
    pieces = numbers.split(",")
    if all(map(_is_number, pieces)):
        return name, tuple(dict.fromkeys(map(float, pieces)))
    if may_be_named and not any(map(_is_number, pieces)):
        return text, tuple(qualities)
    raise EvaluationError(
        f"Expected the name of a codec, or NAME=Q,Q with numbers such as jpeg=20,50,80. Received: {text!r}."
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _name_and_path(text: str) -> tuple[str, str]:
    """Splits NAME=MODEL, or returns the name that a model has by default."""
    name, found, model = text.partition("=")
    if found and name and model and os.sep not in name and not os.path.exists(text):
        return name, model
    path = pathlib.Path(text)
    if (path / FINAL).is_file():
        path = path / FINAL
    return (path.resolve().parent.name if path.name == FINAL else path.stem), str(path)
