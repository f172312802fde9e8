"""Measures the standard set of all registered parts and models, and the headline; `make bench` runs this.

    python benchmarks/suite.py
    python benchmarks/suite.py --quick
    python benchmarks/suite.py --only codec --model ms2020 hzswq2021

The file of the results is named after the machine: processor, cores and TensorFlow. Quick results are for a first look.
They go to a folder of their own, and no page shows them.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
from collections.abc import Callable
from typing import NamedTuple

import headline
import results
from bench_codec import measure_codec, measure_training, training_task
from bench_entropy import measure_entropy
from bench_start import measure_start
from bench_transforms import measure_transforms
from measuring import Jobs, in_fresh_process
from tasks import DEFAULT_SIZE, RESULTS, Parser, Task

from lic import registry
from lic.versions import machine, versions

INSTRUCTIONS = ("avx512_bf16", "avx512f", "avx2")  # The first set that a processor has is in its name.


class Extent(NamedTuple):
    """The extent of a run of the suite.

    Attributes:
      repeats: Measurements of each quantity.
      calibration_repeats: Calls of each calibration.
      sides: Heights and widths of the square images of the section `size`.
      codecs: Models of the section `codec`, or None for all.
      trained: Models of the section `training`, or None for all.
    """

    repeats: int
    calibration_repeats: int
    sides: tuple[int, ...]
    codecs: tuple[str, ...] | None = None
    trained: tuple[str, ...] | None = None


FULL = Extent(5, 9, (256, 512, 1024, 2048, 4096))
QUICK = Extent(2, 3, (256, 1024), ("default", headline.SLOW, headline.FAST), ("default",))


class Registered(NamedTuple):
    """The names of registered parts and models."""

    transforms: list[str]
    entropy_models: list[str]
    models: list[str]
    shipped: list[str]


def registered() -> Registered:
    """Returns all names of the registries; `shipped` are the models whose weights ship."""
    models = registry.list_models()
    shipped = [name for name in models if registry.models.get(name)().weights]
    return Registered(registry.list_transforms(), registry.list_entropy_models(), models, shipped)


def transform_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of every transform, with a hyperprior, so that its hyper transform is measured too."""
    return [(measure_transforms, _task(f"{name}+hyperprior", extent)) for name in names.transforms]


def entropy_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of every entropy model, and of mixtures, which no tables hold, on latents of `conv`."""
    mixes = [f"conv+{name}" for name in names.entropy_models] + ["conv+hyperprior+normal-mixture"]
    return [(measure_entropy, _task(mix, extent)) for mix in mixes]


def codec_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of every model as a codec, with its weights if they ship."""
    models = _chosen(names.models, extent.codecs)
    return [(measure_codec, _task(name, extent, shipped=name in names.shipped)) for name in models]


def training_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of training steps of every model, on 8 images of 256x256."""
    models = _chosen(names.models, extent.trained)
    return [(measure_training, training_task(_task(name, extent), 8, 256)) for name in models]


def start_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of starting, with every model whose weights ship."""
    return [(measure_start, _task(name, extent, shipped=True)) for name in names.shipped]


def size_jobs(names: Registered, extent: Extent) -> Jobs:
    """Returns the jobs of the models whose weights ship over the sizes of images, without tiles and with tiles."""
    tasks = [_task(name, extent, shipped=True) for name in names.shipped]
    return [
        (measure_codec, dataclasses.replace(task, width=side, height=side, tile=tile))
        for task in tasks
        for side in extent.sides
        for tile in (None, "auto")
    ]


SECTIONS: dict[str, Callable[[Registered, Extent], Jobs]] = {
    "start": start_jobs,
    "transforms": transform_jobs,
    "entropy": entropy_jobs,
    "codec": codec_jobs,
    "training": training_jobs,
    "size": size_jobs,
}


def jobs_of(names: Registered, extent: Extent, sections: list[str]) -> Jobs:
    """Returns the jobs of sections: pairs of a measuring function and a task."""
    return [job for section in sections for job in SECTIONS[section](names, extent)]


def machine_name() -> str:
    """Returns the machine's name for files, such as amd-epyc-avx512bf16-2-cores-tf2.14."""
    here, tensorflow = machine(), results.tensorflow_version(versions())
    processor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\(\w+\)|@.*", "", str(here["processor"]).lower())).strip("-")
    sets = _instructions()
    widest = [each.replace("_", "") for each in INSTRUCTIONS if each in sets][:1]
    return "-".join([processor, *widest, str(here["cores"]), "cores", f"tf{'.'.join(tensorflow.split('.')[:2])}"])


def _instructions() -> list[str]:
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return flags[1].split() if flags else []


def _task(model: str, extent: Extent, shipped: bool = False) -> Task:
    return Task(model, *DEFAULT_SIZE, shipped=shipped, repeats=extent.repeats)


def _chosen(models: list[str], wanted: tuple[str, ...] | None) -> list[str]:
    return [name for name in models if wanted is None or name in wanted]


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = Parser(prog="suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a run of some minutes: fewer models, sizes and repeats")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=[*SECTIONS], help="sections (all)")
    parser.add_argument("--model", nargs="+", metavar="NAME", help="models of the sections codec and training")
    parser.add_argument("--name", default=machine_name(), help="name of the file in benchmarks/results (%(default)s)")
    parser.add_argument("--out", type=pathlib.Path, metavar="CSV", help="another file; rows are appended to it")
    return parser


def extent_of(options: argparse.Namespace) -> Extent:
    """Returns the extent that options ask for.

    Raises:
      RegistryError: A model is unknown.
    """
    extent = QUICK if options.quick else FULL
    if options.model is None:
        return extent
    for name in options.model:
        registry.models.get(name)
    return extent._replace(codecs=tuple(options.model), trained=tuple(options.model))


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the machine's CSV file, and prints a table and the headline."""
    parser = command_line()
    options = parser.parse_args(arguments)
    options.out = options.out or RESULTS / ("quick" if options.quick else "") / f"{options.name}.csv"
    options.calibration_repeats = (QUICK if options.quick else FULL).calibration_repeats

    def jobs(options: argparse.Namespace) -> Jobs:
        return jobs_of(in_fresh_process(registered), extent_of(options), options.only)

    rows = results.record_or_exit(parser, options, jobs, conclude=headline.headlines)
    for row in headline.headlines(rows):
        print(headline.sentence(row))


if __name__ == "__main__":
    main()
