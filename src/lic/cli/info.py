"""`lic info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files

_ZIP = b"PK\x03\x04"  # The first bytes of a codec file.


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .lic stream or a .codec file; - is standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Describe a stream or a codec file, without decoding it."""
    with files.ordinary_file(file) as path:
        facts = _facts(path)
    if as_json:
        print(json.dumps(facts, indent=1))
        return
    for name, value in facts.items():
        print(f"{name:13}  {value}")


def _facts(file: Path) -> dict[str, Any]:
    from lic.codec.bitstream import MAGIC
    from lic.errors import BitstreamError

    try:
        with open(file, "rb") as opened:
            magic = opened.read(4)
    except OSError as error:
        raise BitstreamError(f"{file} cannot be read: {error.strerror}.") from None
    if magic not in (MAGIC, _ZIP):
        raise BitstreamError(f"{file} is neither a .lic stream nor a .codec file.")
    return _describe_stream(file) if magic == MAGIC else _describe_codec(file)


def _describe_stream(file: Path) -> dict[str, Any]:
    from lic.codec.bitstream import VERSION, Flag, Stream
    from lic.codec.shipped import name_of
    from lic.errors import BitstreamError

    data = file.read_bytes()
    try:
        stream = Stream.parse(data)
    except BitstreamError as error:
        raise BitstreamError(f"{file}: {error}") from None
    return {
        "kind": "stream",
        "version": VERSION,
        "codec": name_of(stream.fingerprint),
        "height": stream.height,
        "width": stream.width,
        "grey": Flag.GREY in stream.flags,
        "deterministic": Flag.DETERMINISTIC in stream.flags,
        "quality": stream.quality,
        "quality map": None if stream.quality_map is None else f"{len(stream.quality_map)} bytes",
        "bytes": len(data),
        "bpp": round(8 * len(data) / (stream.height * stream.width), 4),
    }


def _describe_codec(file: Path) -> dict[str, Any]:
    from lic.codec.codec_file import read_text

    text = read_text(file)
    config = text["config"]
    likelihood = config["entropy"]["config"].get("likelihood") or {}
    return {
        "kind": "codec",
        "fingerprint": text["fingerprint"],
        "stored": text["stored"],
        "transform": config["transform"]["name"],
        "entropy model": config["entropy"]["name"],
        "likelihood": likelihood.get("name"),
        "deterministic": "integer_fingerprint" in text,
        "skip below": text.get("skip_below"),
        "channels": text.get("channels", 3),
        "bits": text.get("bit_depth", 8),
        "lmbda": config["lmbda"],
        "made by": f"lic {text['lic']}",
        "bytes": file.stat().st_size,
    }
