"""The command `lic`; only verbs that need TensorFlow import it."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from lic._version import __version__
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
    parts,
    plot,
    show,
    train,
    verify,
)
from lic.cli.batch import message_of
from lic.cli.many_values import ManyValues
from lic.cli.quiet_tensorflow import quiet_tensorflow
from lic.cli.standard_streams import printable, standard_streams
from lic.errors import LicError

app = typer.Typer(
    help="Learned image compression: photographs to small streams and back.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"lic {__version__}")
        raise typer.Exit


@app.callback()
def _options_of_all(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for _verb in (compress.compress, decompress.decompress, verify.verify, info.info, models.models, parts.parts):
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
    logging.basicConfig(format="lic: %(message)s", level=logging.WARNING)
    try:
        with standard_streams(), quiet_tensorflow():
            _run()
    except BrokenPipeError:  # The reader has what it wanted, as `head` does.
        sys.exit(1)
    except OSError as error:
        print(f"lic: the standard output cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(1)


def _run() -> None:
    try:
        app()
    except (LicError, ImportError) as error:
        print(f"lic: {message_of(error)}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:  # Of a file: those of the standard output are raised behind `standard_streams`.
        where = f"{printable(os.fsdecode(error.filename))}: " if isinstance(error.filename, (str, bytes)) else ""
        print(f"lic: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(1)
