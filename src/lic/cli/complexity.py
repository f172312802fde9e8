"""`lic complexity`."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from lic.cli.table import print_table

if TYPE_CHECKING:
    from lic.complexity.complexity import Complexity
    from lic.models.base import CompressionModel


def complexity(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of `lic models`, or a .codec file.")],
    size: Annotated[
        str, typer.Option(metavar="HxW", help="Height x width of the image in pixels; 512x768 is landscape.")
    ] = "512x768",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count parameters and multiply-accumulates (MAC) of each part of a model.

    The multiply-accumulates are those of the convolutions and matrix products that the codec runs to encode and decode.
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
    import lic
    from lic.codec.shipped import is_path
    from lic.layers.initial_weights import skip_random_init

    if is_path(name_or_path):
        return lic.load(name_or_path).model
    with skip_random_init():  # Zeros for weights are made faster, and count the same.
        return lic.create_model(name_or_path)


def _as_data(counted: Complexity) -> dict:
    data = dataclasses.asdict(dataclasses.replace(counted, rows=()))
    rows = [row._asdict() for row in counted.rows]
    return data | {"rows": rows, "total": counted.total._asdict()}


def _print_table(counted: Complexity) -> None:
    columns = {"part": "{}", "parameters": "{:,}", "kMAC/pixel_encode": "{:,.2f}", "kMAC/pixel_decode": "{:,.2f}"}
    rows = [
        (row.part, row.parameters, row.macs_encode / 1e3, row.macs_decode / 1e3)
        for row in (*counted.per_pixel, counted.total_per_pixel)
    ]
    print_table([dict(zip(columns, row)) for row in rows], columns)
    encode, decode = (macs / 1e9 for macs in counted.total[2:])
    size = f"{counted.height}x{counted.width} (height x width)"
    print(f"{size}: {encode:,.2f} GMAC to encode, {decode:,.2f} GMAC to decode")
