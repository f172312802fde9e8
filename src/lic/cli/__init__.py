"""The command `lic`; only verbs that need TensorFlow import it."""

from __future__ import annotations

import logging
import os
import sys

import typer

from lic.cli import (
    compare,
    complexity,
    compress,
    decompress,
    doctor,
    eval,
    export,
    import_,
    info,
    models,
    plot,
    show,
    train,
    verify,
)
from lic.cli.files import message_of
from lic.cli.many_values import ManyValues
from lic.errors import LicError

app = typer.Typer(
    help="Learned image compression: photographs to small streams and back.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _verb in (compress.compress, decompress.decompress, verify.verify, info.info, models.models):
    app.command()(_verb)
app.command("import")(import_.import_)
app.command()(export.export)
app.command()(train.train)
app.command("eval", cls=ManyValues)(eval.evaluate)
for _verb in (compare.compare, plot.plot):
    app.command(cls=ManyValues)(_verb)
for _verb in (show.show, complexity.complexity, doctor.doctor):
    app.command()(_verb)


def main() -> None:
    """Runs the command, and prints an error that `lic` raises on purpose as one line without a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(format="lic: %(message)s", level=logging.WARNING)
    try:
        app()
    except (LicError, ImportError) as error:
        print(f"lic: {message_of(error)}", file=sys.stderr)
        sys.exit(1)
