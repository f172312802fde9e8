"""The folder of a portable codec: networks in ONNX, tables, a description, and the readers that need nothing else."""

from __future__ import annotations

import importlib.resources
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lic._version import __version__
from lic.codec.codec import Codec
from lic.codec.codec_file import restored_tables
from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.calibration import units_of
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import tf
from lic.errors import LicError, check_kind
from lic.interop.onnx import onnx_converter
from lic.interop.portable.stages import stages_of
from lic.pages import filled

FORMAT = 1  # Readers refuse folders of any other form.
DESCRIPTION, TABLES = "codec.json", "tables.bin"
READERS, PAGE = ("decode.py", "decode.js", "page.js"), "index.html"


def export_portable(codec: Codec, folder: str | os.PathLike, sample: Sequence[Any] | None = None) -> list[str]:
    """Writes a deterministic codec as a folder whose readers decode its streams, and returns the names of the files.

    `python decode.py photo.lic photo-decoded.png` decodes a stream with numpy and onnxruntime alone. The symbols are
    those of `lic` to the bit, and pixels are within one level.

    Args:
      codec: A deterministic codec of grey or colour images of 8 bits.
      folder: The folder for the files; it is made if it does not exist.
      sample: Streams that the page offers, one for each quality, as page.js describes them.

    Raises:
      LicError: The codec is not deterministic, its images have other channels or more bits, its likelihood makes
        mixtures, its walk depends on the size of the image, or tf2onnx cannot be imported.
    """
    check_kind("export_portable", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model, deterministic=True)")
    if not codec.deterministic:
        raise LicError(
            "A portable codec reads deterministic streams, and this codec makes others. Load it with "
            "deterministic=True, or make one that does: lic.Codec(codec.model, deterministic=True, **codec.settings)."
        )
    model = codec.model
    if codec.channels not in (1, 3) or codec.bit_depth != 8:
        raise LicError(
            f"A portable codec writes PNG files in grey or colour of 8 bits. This one has {codec.channels} channels of "
            f"{codec.bit_depth} bits."
        )
    for path, source in model.entropy.sources.items():
        if source.mixture_size:
            raise LicError(
                f"A portable codec has tables of counts. The likelihood {type(source).__name__} ({path}) makes "
                "mixtures, which no table holds. Take another likelihood, such as 'normal'."
            )
    tables = restored_tables(codec._file, model)
    arithmetic = IntegerArithmetic(model, units_of(codec._file.integer))
    stages, parts = stages_of(model, tables, arithmetic, codec.skip_below, onnx_converter())
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"stage{number}.onnx" for number in range(len(stages))]
    for file, stage in zip(files, stages):
        (folder / file).write_bytes(stage.model.SerializeToString())
    (folder / TABLES).write_bytes(_packed(tables))
    described = _described(codec, tables) | {
        "parts": parts,
        "stages": [{"file": file, "inputs": each.inputs, "outputs": each.outputs} for file, each in zip(files, stages)],
    }
    (folder / DESCRIPTION).write_text(json.dumps(described))
    sources = importlib.resources.files("lic.interop.portable")
    for reader in READERS:
        (folder / reader).write_bytes(sources.joinpath(reader).read_bytes())
    page = sources.joinpath(PAGE).read_text(encoding="utf-8")
    (folder / PAGE).write_text(filled(page, sample, title="Decode .lic streams"), encoding="utf-8")
    return [*files, TABLES, DESCRIPTION, *READERS, PAGE]


def _described(codec: Codec, tables: CdfTables) -> dict[str, Any]:
    model, rate = codec.model, codec.model.rate
    gains = None
    if rate.count > 1:
        logs = (rate.log_gain, rate.log_scale_factor, rate.log_output_gain)
        gains = [np.asarray(tf.convert_to_tensor(each)).astype(float).tolist() for each in logs]
    return {
        "made by": f"lic {__version__}",
        "format": FORMAT,
        "fingerprint": codec.fingerprint.hex(),
        "channels": codec.channels,
        "downscale": model.transform.downscale,
        "depth": model.transform.depth,
        "qualities": len(codec.qualities),
        "log_gains": gains,
        "cdfs": len(tables.cdf_offset),
        "least_bits": codec._graphs.least_bits._asdict(),
    }


def _packed(tables: CdfTables) -> bytes:
    """Returns as int32, little-endian: the first symbol of each cdf, its number of symbols, and the counts of all."""
    return np.concatenate([tables.cdf_offset, tables.cdf_length, tables.counts]).astype("<i4").tobytes()
