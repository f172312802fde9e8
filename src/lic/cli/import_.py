"""`lic import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic.cli import files, options

FORMATS = ("tensorflow", "safetensors")


def import_(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            help="SavedModel of the published code, a tf.train.Checkpoint, or tensors as `lic export` writes them.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The codec file to write; its name ends in .codec.")],
    model: Annotated[
        str | None,
        typer.Option(help="Which model of the published code it is: hzswq2021, ms2020 or zyc2022."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="tensorflow or safetensors; default: what the name of CHECKPOINT says."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing output.")] = False,
) -> None:
    """Make a codec from weights that the published code trained, or that came back from PyTorch."""
    import lic

    format = format or ("safetensors" if checkpoint.suffix == ".safetensors" else "tensorflow")
    options.check_choice("format", format, FORMATS)
    if out.suffix != ".codec":
        raise typer.BadParameter(f"the output {out} should end in .codec")
    if format == "tensorflow" and model is None:
        raise typer.BadParameter("--model is needed: hzswq2021, ms2020 or zyc2022")
    files.refuse_existing(out, force)
    if format == "safetensors":
        from lic.codec.exchange import import_tensors

        codec = lic.Codec(import_tensors(checkpoint))
    else:
        codec = lic.Codec(lic.import_checkpoint(checkpoint, model))
    codec.save(out)
    print(f"{checkpoint} -> {out}  codec {codec.fingerprint.hex()}")
