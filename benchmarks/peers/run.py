"""Measures CompressAI's models, and ours beside them, on the same images; `make peers` runs this.

    cd benchmarks && ../.venv/bin/python -m peers.run --python ../.venv-peers/bin/python

Each model is measured in a process of its own, one after the other, between calibrations of the machine.
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

MULTIPLE = 64  # CompressAI's models take heights and widths that are multiples of this.


def measure_ours(task: Task) -> list[Quantity]:
    """Measures imports, building, compressing and decompressing. No other task may run in its process."""
    _, imported = timed(lambda: (lic.Codec, lic.create_model))
    quantities = measure_codec(task)
    seconds = {quantity.name: quantity.values[0] for quantity in quantities}
    start = imported + seconds["build"] + seconds["first compress"]
    return [Quantity("import", "s", [imported]), Quantity("start-up", "s", [start]), *quantities]


def measure_theirs(python: str, what: str, task: Task) -> list[Quantity]:
    """Measures CompressAI in its own environment.

    Args:
      python: The Python of that environment.
      what: "codec" or "training".
      task: The model, the images and the repeats.
    """
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        np.save(images := pathlib.Path(folder) / "images.npy", task.pixels())
        options = ["--images", str(images), "--repeats", str(task.repeats)]
        return [Quantity(*each) for each in called(python, task.model, what, *options)]


def called(python: str, *arguments: str) -> list | dict:
    """Runs `peers.run_compressai` in another environment, and returns its printed JSON.

    Raises:
      ChildProcessError: The process failed.
    """
    command = [python, "-m", "peers.run_compressai", *arguments]
    try:
        ended = subprocess.run(command, cwd=pathlib.Path(__file__).parents[1], capture_output=True, text=True)
    except OSError as error:
        raise ChildProcessError(f"{python} cannot be run ({error}). `make peers` makes that environment.") from None
    if ended.returncode:
        last = ended.stderr.strip().splitlines()[-1:]
        raise ChildProcessError(f"{' '.join(command)} ended with {ended.returncode}: {last}")
    return json.loads(ended.stdout.splitlines()[-1])


def jobs_of(pair: Pair, options: argparse.Namespace) -> Jobs:
    """Returns the jobs of a pair: our measuring functions and tasks, then theirs."""
    ours = Task(pair.model, *options.size, repeats=options.repeats, sizes=pair.sizes)
    theirs = Task(pair.peer, *options.size, repeats=options.repeats)
    jobs = [(measure_ours, ours), (functools.partial(measure_theirs, options.python, "codec"), theirs)]
    if options.training:
        ours, theirs = (training_task(each, options.batch, options.patch) for each in (ours, theirs))
        jobs += [(measure_training, ours), (functools.partial(measure_theirs, options.python, "training"), theirs)]
    return jobs


def record(options: argparse.Namespace, versions: dict[str, str]) -> Iterator[list[Row]]:
    """Measures all pairs, appends the rows of each task to the CSV file at once, and yields them."""
    results.check_appendable(options.out, PEER_COLUMNS)
    chosen = [pair for pair in PAIRS if pair.peer in options.model]
    jobs = [(pair.peer, *job) for pair in chosen for job in jobs_of(pair, options)]
    origins = {id(task): (peer, function) for peer, function, task in jobs}
    for each in measured([job[1:] for job in jobs], options.calibration_repeats):
        peer, function = origins[id(each.task)]
        rows = [{"code": f"lic {row['lic']}, TensorFlow {row['tensorflow']}", **row} for row in results.rows_of(each)]
        if isinstance(function, functools.partial):
            code = f"CompressAI {versions['compressai']}, PyTorch {versions['torch']}"
            rows = [row | {"code": code, "lic": "", "commit": "", "tensorflow": "", "keras": ""} for row in rows]
        rows = [row | {"peer": peer} for row in rows]
        results.append(options.out, rows, PEER_COLUMNS)
        yield rows


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = Parser(prog="peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [pair.peer for pair in PAIRS]
    parser.add_argument("--python", required=True, metavar="PATH", help="the Python that has CompressAI")
    parser.add_argument("--model", nargs="+", choices=names, default=names, help="models of CompressAI (all)")
    parser.add_argument("--size", type=size, default=DEFAULT_SIZE, metavar="WxH", help="size of the image (768x512)")
    parser.add_argument("--no-training", dest="training", action="store_false", help="measure no training steps")
    parser.add_argument("--batch", type=count, default=8, metavar="N", help="images of a training step (8)")
    parser.add_argument("--patch", type=count, default=256, metavar="PIXELS", help="height and width of these (256)")
    parser.add_argument("--repeats", type=count, default=5, metavar="N", help="measurements after a warm-up (5)")
    parser.add_argument("--calibration-repeats", type=count, default=9, metavar="N", help="calls of a calibration (9)")
    default = RESULTS / "peers" / f"{machine_name()}.csv"
    parser.add_argument("--out", type=pathlib.Path, default=default, metavar="CSV", help="rows are appended to it")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints the ratios."""
    parser = command_line()
    options = parser.parse_args(arguments)
    rows, failure = [], None
    try:
        if any(length % MULTIPLE for length in (*options.size, options.patch)):
            raise ValueError(f"Expected sizes that are multiples of {MULTIPLE}, which CompressAI's models need.")
        for new in record(options, called(options.python, "--versions")):
            rows += new
    except (lic.LicError, OSError, ValueError) as error:
        failure = error
    if found := ratios(rows):
        print(results.table(found, SHOWN))
        print("Seconds; the ratio is CompressAI's over ours, so that over 1 ours is faster.", slower(found), sep="\n")
        print(f"Appended to {options.out}", file=sys.stderr)
    if failure:
        parser.error(str(failure))


if __name__ == "__main__":
    main()
