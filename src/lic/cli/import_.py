"""`lic import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic.cli import files
from lic.cli.standard_streams import printable
from lic.errors import CheckpointError, as_checkpoint_error


def import_(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            help="A SavedModel or tf.train.Checkpoint of published code, a state dict of published code in PyTorch "
            "(.pth, .pth.tar, .pt, .safetensors or .npz), or a .safetensors of `lic export`, trained further or not.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The codec file to write, whose name ends in .codec.")],
    model: Annotated[
        str | None,
        typer.Option(
            help="Name of the model. Checkpoints of TensorFlow need it: hzswq2021, ms2020 or zyc2022. State dicts give "
            "it themselves, and are refused if they are of another."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="tensorflow, pytorch or safetensors (of `lic export`). [default: by CHECKPOINT's suffix]"),
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(metavar="Q", help="Quality of a model in PyTorch; it sets the lmbda of --effort."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing output.")] = False,
) -> None:
    """Make a codec from weights that published code trained, or that PyTorch trained further."""
    if out.suffix != ".codec":
        raise typer.BadParameter(f"the output {out} should end in .codec")
    if not checkpoint.exists() and not checkpoint.with_name(f"{checkpoint.name}.index").exists():
        raise CheckpointError(f"There is no file, folder or prefix of a checkpoint {str(checkpoint)!r}.")

    import lic
    from lic.interop.import_weights import FORMATS, guess_format
    from lic.interop.safetensors import settings_of

    format = format or guess_format(checkpoint)
    if format not in FORMATS:
        raise typer.BadParameter(f"--format {format}: expected one of {', '.join(FORMATS)}")
    if format == "tensorflow" and not model:
        raise typer.BadParameter(
            f"{checkpoint} is taken for a checkpoint of TensorFlow, which does not give its model. Name the model: "
            "--model hzswq2021, ms2020 or zyc2022. Files of PyTorch end in .pth, .pth.tar, .pt, .safetensors or .npz"
        )
    files.refuse_inputs(out, checkpoint)
    files.refuse_existing(out, force)
    imported = lic.import_checkpoint(checkpoint, model, format=format, quality=quality)
    settings = settings_of(checkpoint) if format == "safetensors" else {}
    with as_checkpoint_error(f"{checkpoint} makes no codec"):
        codec = lic.Codec(imported, **settings)
    with files.new_file(out, force) as path:
        codec.save(path)
    print(printable(f"{checkpoint} -> {out}  codec {codec.fingerprint.hex()}"))
