"""What of a machine matters for decoding, a self-test, and streams to try on another machine."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

import lic
from lic.atomic_write import atomic_write
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.errors import CheckpointError, LicError
from lic.images import sample_image
from lic.versions import machine, versions

# Of the environment's variables those that choose how numbers are computed.
SETTINGS = (
    *("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("OMP_NUM_THREADS", "TF_XLA_FLAGS", "CUDA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "LIC_CODER"),
)
_FACTS, _NEAR = "facts.json", 1  # Grey levels by which pixels may differ: the synthesis is computed in floats.


class Finding(NamedTuple):
    """What became of one trial.

    Attributes:
      name: What was tried.
      passed: Whether it went as it should.
      found: What was found, in words.
    """

    name: str
    passed: bool
    found: str


class _Case(NamedTuple):
    """A stream to be made: its name, whether it is deterministic, its quality, and the pixels."""

    name: str
    deterministic: bool
    quality: float | None
    pixels: np.ndarray


def facts() -> dict[str, Any]:
    """Returns versions, machine, devices, coder and settings, as plain data."""
    devices = [f"{device.device_type} {device.name.rsplit(':', 1)[-1]}" for device in tf.config.list_physical_devices()]
    settings = {name: os.environ[name] for name in SETTINGS if name in os.environ}
    return {
        "versions": versions(),
        "machine": machine(),
        "devices": devices,
        "range coder": coder_name(),
        "settings": settings,
    }


def self_test(model: str = "default") -> Iterator[Finding]:
    """Compresses and decodes with a codec, and yields what was found.

    Args:
      model: Name of a model that ships, or path of a codec file.
    """
    codecs = _codecs(model)
    for case in _cases(codecs):
        codec = codecs[case.deterministic]
        try:
            stream = codec.compress(case.pixels, quality=case.quality)
            same = np.array_equal(codec.decompress(stream), codec.decompress(stream))
            repeated = codec.compress(case.pixels, quality=case.quality) == stream
        except LicError as error:
            yield Finding(case.name, False, str(error))
        else:
            found = f"{len(stream):,} bytes" if same and repeated else "another result at the second time"
            yield Finding(case.name, same and repeated, found)


def export(path: str | os.PathLike, model: str = "default") -> None:
    """Writes streams, what they decode to here, and facts of this machine, for `check` on another one.

    Args:
      path: The file, a zip.
      model: Name of a model that ships, or path of a codec file, which must be there on the other machine, too.
    """
    codecs = _codecs(model)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_FACTS, json.dumps(facts(), indent=1))
        for case in _cases(codecs):
            stream = codecs[case.deterministic].compress(case.pixels, quality=case.quality)
            png = io.BytesIO()
            Image.fromarray(codecs[case.deterministic].decompress(stream)).save(png, "PNG")
            archive.writestr(f"{case.name}.lic", stream)
            archive.writestr(f"{case.name}.png", png.getvalue())


def check(path: str | os.PathLike, model: str = "default") -> Iterator[Finding]:
    """Decodes what `export` wrote on another machine, and yields what was found.

    Args:
      path: The file.
      model: As for `export`.

    Raises:
      CheckpointError: It is not such a file.
    """
    codec = lic.load(model)
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
            images = {name: np.asarray(Image.open(io.BytesIO(files[name]))) for name in files if name.endswith(".png")}
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError) as error:
        raise CheckpointError(f"{path} is no file of `lic doctor --export`, or damaged ({error}).") from None
    names = sorted(pathlib.PurePath(name).stem for name in files if name.endswith(".lic"))
    if not names or any(f"{name}.png" not in images for name in names):
        raise CheckpointError(f"{path} is no file of `lic doctor --export`: streams or images are missing.")
    for name in names:
        yield _decoded(name, codec, files[f"{name}.lic"], images[f"{name}.png"])


def _decoded(name: str, codec: lic.Codec, stream: bytes, expected: np.ndarray) -> Finding:
    try:
        decoded = codec.decompress(stream)
    except LicError as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")
    if decoded.shape != expected.shape:
        return Finding(name, False, f"an image of shape {decoded.shape}, expected {expected.shape}")
    differences = np.abs(decoded.astype(int) - expected)
    found = "the same pixels" if not differences.any() else f"up to {differences.max()} grey levels in the pixels"
    return Finding(name, int(differences.max()) <= _NEAR, found)


def _codecs(model: str) -> dict[bool, lic.Codec]:
    """The codec by whether it is deterministic, where it can be."""
    codecs = {False: lic.load(model)}
    with contextlib.suppress(CheckpointError):
        codecs[True] = lic.load(model, deterministic=True)
    return codecs


def _cases(codecs: dict[bool, lic.Codec]) -> Iterator[_Case]:
    image = sample_image()
    crops = {"photograph": image[:256, :384], "odd": image[100:133, 200:277], "grey": image[:96, :64, 1]}
    for deterministic, codec in codecs.items():
        kind = "deterministic" if deterministic else "ordinary"
        qualities = codec.qualities and sorted({codec.qualities[0], codec.qualities[-1]})
        for (crop, pixels), quality in ((each, quality) for each in crops.items() for quality in qualities or [None]):
            name = f"{kind}-{crop}" + (f"-quality-{quality}" if quality else "")
            yield _Case(name, deterministic, quality, pixels)
