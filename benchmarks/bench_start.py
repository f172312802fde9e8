"""Measures the time of starting: whole Python processes, from their start to their end.

    python benchmarks/bench_start.py --model default

Each quantity adds a step: Python alone; `import lic`; `lic --help`; `import lic` and a first use, which imports
TensorFlow; `lic.load` of a model that ships; and the same with the first compression of an image.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import pathlib
import subprocess
import sys
import tempfile

import results
from measuring import Quantity, times
from tasks import Task, parser_of, tasks_of


def measure_start(task: Task) -> list[Quantity]:
    """Measures each step `task.repeats` times, after one run that does not count."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        np.save(image := pathlib.Path(folder) / "image.npy", task.pixels()[0])
        return [
            Quantity(name, "s", times(functools.partial(run, [sys.executable, *step]), task.repeats))
            for name, step in steps(task.model, image).items()
        ]


def steps(model: str, image: pathlib.Path) -> dict[str, list[str]]:
    """Returns the arguments of Python for each step, by its name."""
    load = f"import lic, numpy; codec = lic.load({model!r})"
    return {
        "Python": ["-c", "pass"],
        "import lic": ["-c", "import lic"],
        "lic --help": ["-m", "lic", "--help"],
        "import lic, first use": ["-c", "import lic; lic.Codec"],
        "load": ["-c", load],
        "load, first compress": ["-c", f"{load}; codec.compress(numpy.load({str(image)!r}))"],
    }


def run(command: list[str]) -> None:
    """Runs a command.

    Raises:
      ValueError: The command failed.
    """
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise ValueError(f"{' '.join(command)} failed: {ended.stderr.strip().splitlines()[-1:]}")


def jobs_of(options: argparse.Namespace) -> list:
    """Returns the jobs: pairs of a measuring function and a task."""
    return [(measure_start, dataclasses.replace(task, shipped=True)) for task in tasks_of(options)]


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints a table."""
    parser = parser_of(__doc__, "bench_start", ())
    results.record_or_exit(parser, parser.parse_args(arguments), jobs_of)


if __name__ == "__main__":
    main()
