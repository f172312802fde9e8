"""`lic doctor`: facts of this machine that matter for decoding, a self-test, and streams to try on another machine."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lic.cli import files
from lic.errors import CheckpointError, LicError, as_checkpoint_error

if TYPE_CHECKING:
    import numpy as np

    from lic.codec.codec import Codec

# Environment variables that choose how numbers are computed.
SETTINGS = [
    "TF_ENABLE_ONEDNN_OPTS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "TF_XLA_FLAGS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "LIC_CODER",
]
_FACTS = "facts.json"
_NEAR = 1  # Grey levels by which pixels may differ, since the synthesis is computed in floats.


def doctor(
    model: Annotated[
        str, typer.Option(help="A model that ships, a .codec file, or the folder of a finished training.")
    ] = "default",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write streams and their decoded images here, for --check.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decode the streams that another machine exported.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing export.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the facts of this machine that matter for decoding, and test that streams decode here.

    With --export and --check, streams are made on one machine and decoded on another. Exits with 1 if a test fails.
    """
    if export:
        files.refuse_inputs(export, *filter(None, (model, check)))
        files.refuse_existing(export, force)
    known = facts()
    findings = [*(check_streams(check, model) if check else self_test(model))]
    if export:
        with files.new_file(export, force) as path:
            export_streams(path, model)
    if as_json:
        print(json.dumps(known | {"tests": [finding._asdict() for finding in findings]}, indent=1))
    else:
        listed = known["machine"] | known["versions"] | {"devices": ", ".join(known["devices"])}
        for name, value in (listed | {"range coder": known["range coder"]} | known["settings"]).items():
            print(f"{name:26}  {value}")
        for finding in findings:
            print(f"{'passed' if finding.passed else 'FAILED'}  {finding.name}: {finding.found}")
        if export:
            print(f"Exported to {export}; try it on another machine with: lic doctor --check {export.name}")
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


class Finding(NamedTuple):
    """The result of one test.

    Attributes:
      name: Name of the test.
      passed: Whether the test passed.
      found: The result in words.
    """

    name: str
    passed: bool
    found: str


class _Case(NamedTuple):
    """A stream to make: its name, whether it is deterministic, its quality, and the image."""

    name: str
    deterministic: bool
    quality: float | None
    pixels: np.ndarray


def facts() -> dict[str, Any]:
    """Returns versions, machine, devices, coder and settings, as plain data."""
    from lic.entropy.range_coding.range_coder import coder_name
    from lic.environment import tf
    from lic.versions import machine, versions

    devices = [f"{device.device_type} {device.name.rsplit(':', 1)[-1]}" for device in tf.config.list_physical_devices()]
    return {
        "versions": versions(),
        "machine": machine(),
        "devices": devices,
        "range coder": coder_name(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
    }


def self_test(model: str = "default") -> Iterator[Finding]:
    """Compresses and decodes each case twice, and yields whether both results are the same.

    Args:
      model: Name of a model that ships, or path of a codec file.
    """
    import numpy as np

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


def export_streams(path: str | os.PathLike, model: str = "default") -> None:
    """Writes streams, the images that they decode to here, and the facts of this machine, for `check_streams`.

    Args:
      path: The file, a zip.
      model: Name of a model that ships, or path of a codec file; the other machine must have the same codec.
    """
    import numpy as np

    from lic.atomic_write import atomic_write

    codecs = _codecs(model)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_FACTS, json.dumps(facts(), indent=1))
        for case in _cases(codecs):
            stream = codecs[case.deterministic].compress(case.pixels, quality=case.quality)
            array = io.BytesIO()
            np.save(array, codecs[case.deterministic].decompress(stream), allow_pickle=False)
            archive.writestr(f"{case.name}.lic", stream)
            archive.writestr(f"{case.name}.npy", array.getvalue())


def check_streams(path: str | os.PathLike, model: str = "default") -> Iterator[Finding]:
    """Decodes the streams that `export_streams` wrote on another machine, and compares the images.

    Args:
      path: The file.
      model: As for `export_streams`.

    Raises:
      CheckpointError: The file is another one, or damaged.
    """
    import lic
    from lic.array_archive import open_archive, text_of, usual_arrays_of

    codec = lic.load(model)
    if not os.path.exists(path):
        raise CheckpointError(f"There is no file {path}. Write one by `lic doctor --export`.")
    damaged = as_checkpoint_error(f"{path} is no file of `lic doctor --export`, or damaged")
    with damaged, open_archive(path) as archive:
        images = usual_arrays_of(archive)
        members = [name for name in archive.namelist() if name.endswith(".lic")]
        streams = {pathlib.PurePath(name).stem: text_of(archive, name) for name in members}
    if not streams or not streams.keys() <= images.keys():
        raise CheckpointError(f"{path} is no file of `lic doctor --export`: streams or images are missing.")
    for name in sorted(streams):
        yield _decode(name, codec, streams[name], images[name])


def _decode(name: str, codec: Codec, stream: bytes, expected: np.ndarray) -> Finding:
    import numpy as np

    try:
        decoded = codec.decompress(stream)
    except LicError as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")
    if decoded.shape != expected.shape:
        return Finding(name, False, f"an image of shape {decoded.shape}, expected {expected.shape}")
    difference = int(np.abs(decoded.astype(int) - expected).max())
    found = f"up to {difference} grey levels in the pixels" if difference else "the same pixels"
    return Finding(name, difference <= _NEAR, found)


def _codecs(model: str) -> dict[bool, Codec]:
    """Returns the ordinary codec at False and, if the model has one, the deterministic codec at True."""
    import lic

    codecs = {False: lic.load(model)}
    with contextlib.suppress(CheckpointError):
        codecs[True] = lic.load(model, deterministic=True)
    return codecs


def _cases(codecs: dict[bool, Codec]) -> Iterator[_Case]:
    from lic.images import sample_image

    image = sample_image(codecs[False].channels, codecs[False].bit_depth)
    crops = {"photograph": image[:256, :384], "odd": image[100:133, 200:277]}
    if codecs[False].channels == 3:
        crops["grey"] = image[:96, :64, 1]
    for deterministic, codec in codecs.items():
        kind = "deterministic" if deterministic else "ordinary"
        qualities = codec.qualities and sorted({codec.qualities[0], codec.qualities[-1]})
        for (crop, pixels), quality in ((each, quality) for each in crops.items() for quality in qualities or [None]):
            name = f"{kind}-{crop}" + (f"-quality-{quality}" if quality else "")
            yield _Case(name, deterministic, quality, pixels)
