"""Measures published systems in their authors' code, and ours beside them with the same weights; `make peers` runs it.

    cd benchmarks && ../.venv/bin/python -m peers.run --python ../.venv-peers/bin/python
    cd benchmarks && ../.venv/bin/python -m peers.run --python ../.venv-peers/bin/python --source stf=STF wacnn=STF

Each is measured in a process of its own, one after the other, between calibrations of the machine. CompressAI's systems
are measured always, others where `--source` names a clone of their authors' repository, which is run as it is.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import results
from bench_codec import measure_codec, measure_training, training_task
from measuring import Jobs, Quantity, measured, timed
from results import Row
from suite import machine_name
from tasks import DEFAULT_SIZE, RESULTS, Parser, Task, count, size

import lic
from peers.pairs import PAIRS, PEER_COLUMNS, SHOWN, Pair, ratios, slower

MULTIPLE = 64  # The authors' models take heights and widths that are multiples of this.
_COMPRESSAI = [pair.peer for pair in PAIRS if pair.in_compressai]


def measure_ours(task: Task) -> list[Quantity]:
    """Measures imports, building, compressing and decompressing. No other task may run in its process."""
    _, imported = timed(lambda: (lic.Codec, lic.create_model))
    quantities = measure_codec(task)
    seconds = {quantity.name: quantity.values[0] for quantity in quantities}
    start = imported + seconds["build"] + seconds["first compress"]
    return [Quantity("import", "s", [imported]), Quantity("start-up", "s", [start]), *quantities]


def measure_theirs(python: str, source: str | None, weights: str, what: str, task: Task) -> list[Quantity]:
    """Measures the authors' code in its own environment.

    Args:
      python: The Python of that environment.
      source: The folder of the authors' repository, or None for CompressAI.
      weights: The file of the weights.
      what: "codec" or "training".
      task: The model, the images and the repeats.
    """
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        np.save(images := pathlib.Path(folder) / "images.npy", task.pixels())
        options = [*_source(source), "--weights", weights, "--images", str(images), "--repeats", str(task.repeats)]
        return [Quantity(*each) for each in called(python, task.model, what, *options)]


def _source(folder: str | None) -> list[str]:
    return ["--source", str(pathlib.Path(folder).resolve())] if folder else []


def called(python: str, *arguments: str) -> list | dict:
    """Runs `peers.run_pytorch` in another environment, and returns its printed JSON.

    Raises:
      ChildProcessError: The process failed.
    """
    command = [python, "-m", "peers.run_pytorch", *arguments]
    try:
        ended = subprocess.run(command, cwd=pathlib.Path(__file__).parents[1], capture_output=True, text=True)
    except OSError as error:
        raise ChildProcessError(f"{python} cannot be run ({error}). `make peers` makes that environment.") from None
    if ended.returncode:
        last = ended.stderr.strip().splitlines()[-1:]
        raise ChildProcessError(f"{' '.join(command)} ended with {ended.returncode}: {last}")
    return json.loads(ended.stdout.splitlines()[-1])


def jobs_of(pair: Pair, options: argparse.Namespace, weights: str) -> Jobs:
    """Returns the jobs of a pair: our measuring functions and tasks, then theirs.

    Args:
      pair: The system.
      options: Those of the command line.
      weights: The file of the weights that both have.
    """
    measuring = functools.partial(measure_theirs, options.python, options.source.get(pair.peer), weights)
    ours = Task(pair.model, *options.size, repeats=options.repeats, checkpoint=weights)
    theirs = Task(pair.peer, *options.size, repeats=options.repeats)
    jobs = [(measure_ours, ours), (functools.partial(measuring, "codec"), theirs)]
    if options.training and pair.in_compressai:
        ours, theirs = (training_task(each, options.batch, options.patch) for each in (ours, theirs))
        jobs += [(measure_training, ours), (functools.partial(measuring, "training"), theirs)]
    return jobs


def record(options: argparse.Namespace, versions: dict[str, str]) -> Iterator[list[Row]]:
    """Measures all pairs, appends the rows of each task to the CSV file at once, and yields them."""
    results.check_appendable(options.out, PEER_COLUMNS)
    for pair in PAIRS:
        if pair.peer not in (options.model or [*_COMPRESSAI, *options.source]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            weights = str(pathlib.Path(folder) / "weights.npz")
            source = _source(options.source.get(pair.peer))
            called(options.python, pair.peer, "weights", *source, "--weights", weights)
            origin = "the authors' code" if source else f"CompressAI {versions['compressai']}"
            for each in measured(jobs_of(pair, options, weights), options.calibration_repeats):
                rows = results.rows_of(each)
                if each.task.checkpoint:
                    rows = [{"code": f"lic {row['lic']}, TensorFlow {row['tensorflow']}", **row} for row in rows]
                else:
                    others = {"lic": "", "commit": "", "tensorflow": "", "keras": ""}
                    rows = [row | others | {"code": f"{origin}, PyTorch {versions['torch']}"} for row in rows]
                rows = [row | {"peer": pair.peer, "weights": "the same"} for row in rows]
                results.append(options.out, rows, PEER_COLUMNS)
                yield rows


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = Parser(prog="peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [pair.peer for pair in PAIRS]
    parser.add_argument(
        "--source",
        nargs="+",
        type=named_folder,
        default=[],
        metavar="NAME=FOLDER",
        help=f"clones of the authors' repositories of {', '.join(name for name in names if name not in _COMPRESSAI)}",
    )
    parser.add_argument("--python", required=True, metavar="PATH", help="the Python that has CompressAI")
    parser.add_argument("--model", nargs="+", choices=names, help="systems (CompressAI's, and those with --source)")
    parser.add_argument("--size", type=size, default=DEFAULT_SIZE, metavar="WxH", help="size of the image (768x512)")
    parser.add_argument("--no-training", dest="training", action="store_false", help="measure no training steps")
    parser.add_argument("--batch", type=count, default=8, metavar="N", help="images of a training step (8)")
    parser.add_argument("--patch", type=count, default=256, metavar="PIXELS", help="height and width of these (256)")
    parser.add_argument("--repeats", type=count, default=5, metavar="N", help="measurements after a warm-up (5)")
    parser.add_argument("--calibration-repeats", type=count, default=9, metavar="N", help="calls of a calibration (9)")
    default = RESULTS / "peers" / f"{machine_name()}.csv"
    parser.add_argument("--out", type=pathlib.Path, default=default, metavar="CSV", help="rows are appended to it")
    return parser


def named_folder(text: str) -> tuple[str, str]:
    """Returns the name and the folder of a text such as stf=FOLDER."""
    name, _, folder = text.partition("=")
    names = [pair.peer for pair in PAIRS if not pair.in_compressai]
    if name not in names or not pathlib.Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"expected NAME=FOLDER, NAME one of {', '.join(names)}, received {text!r}")
    return name, folder


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints the ratios."""
    parser = command_line()
    options = parser.parse_args(arguments)
    options.source = dict(options.source)
    lacking = [name for name in options.model or () if name not in _COMPRESSAI and name not in options.source]
    if lacking:
        parser.error(f"--model {lacking[0]} needs --source {lacking[0]}=FOLDER")
    rows, failure = [], None
    try:
        if any(length % MULTIPLE for length in (*options.size, options.patch)):
            raise ValueError(f"Expected sizes that are multiples of {MULTIPLE}, which the authors' models need.")
        for new in record(options, called(options.python, "--versions")):
            rows += new
    except (lic.LicError, OSError, ValueError) as error:
        failure = error
    if found := ratios(rows):
        print(results.table(found, SHOWN))
        print("Seconds; the ratio is theirs over ours, so that over 1 ours is faster.", slower(found), sep="\n")
        print(f"Appended to {options.out}", file=sys.stderr)
    if failure:
        parser.error(str(failure))


if __name__ == "__main__":
    main()
