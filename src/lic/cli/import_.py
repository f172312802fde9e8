"""`lic import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic.cli import files


def import_(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="SavedModel of the published code, or a tf.train.Checkpoint.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The codec file to write; its name ends in .codec.")],
    model: Annotated[str, typer.Option(help="Which model it is: hzswq2021, ms2020 or zyc2022.")],
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing output.")] = False,
) -> None:
    """Make a codec from weights that the published code trained."""
    import lic

    if out.suffix != ".codec":
        raise typer.BadParameter(f"the output {out} should end in .codec")
    files.refuse_existing(out, force)
    codec = lic.Codec(lic.import_checkpoint(checkpoint, model))
    codec.save(out)
    print(f"{checkpoint} -> {out}  codec {codec.fingerprint.hex()}")
