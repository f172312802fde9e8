"""`lic complexity`."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from typing import TYPE_CHECKING, Annotated

import typer

from lic.cli.table import print_whole

if TYPE_CHECKING:
    from lic.complexity.complexity import Complexity
    from lic.models.base import CompressionModel


def complexity(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of `lic models`, or a .codec file.")],
    size: Annotated[
        str, typer.Option(metavar="HxW", help="Height x width of the image in pixels; 512x768 lies on its side.")
    ] = "512x768",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count parameters and multiply-accumulates (MAC) of each part of a model.

    Multiply-accumulates are those of convolutions and matrix products, as the codec runs them to encode and to decode.
    """
    height, width = _height_and_width(size)
    counted = _model(model).complexity(height, width)
    if as_json:
        print(json.dumps(_as_data(counted), indent=1))
    else:
        _print_table(counted)


def _height_and_width(size: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)[xX]([1-9]\d*)", size)
    if not found:
        raise typer.BadParameter(f"--size {size}: expected height x width in pixels, such as 512x768")
    return int(found[1]), int(found[2])


def _model(name_or_path: str) -> CompressionModel:
    """The model with zeros for weights, which count like others."""
    import lic
    from lic.codec.codec_file import read_text
    from lic.codec.shipped import is_path
    from lic.layers.tracing import skip_random_init

    with skip_random_init():
        if is_path(name_or_path):
            model = lic.CompressionModel.from_config(read_text(pathlib.Path(name_or_path))["config"])
        else:
            model = lic.create_model(name_or_path)
        model.make_variables()
    return model


def _as_data(counted: Complexity) -> dict:
    data = dataclasses.asdict(dataclasses.replace(counted, rows=()))
    rows = [row._asdict() for row in counted.rows]
    return data | {"rows": rows, "total": counted.total._asdict()}


def _print_table(counted: Complexity) -> None:
    from rich.table import Column, Table

    heads = ("parameters", "kMAC/pixel encode", "kMAC/pixel decode")
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table(Column("part", no_wrap=True), *columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in (*counted.per_pixel, counted.total_per_pixel):
        table.add_row(row.part, f"{row.parameters:,}", *(f"{macs / 1e3:,.2f}" for macs in row[2:]))
    print_whole(table)
    encode, decode = (macs / 1e9 for macs in counted.total[2:])
    size = f"{counted.height}x{counted.width} (height x width)"
    print(f"{size}: {encode:,.2f} GMAC to encode, {decode:,.2f} GMAC to decode")
