"""Trains mixes of transforms, entropy models and likelihoods for equal processor time, and measures them on images.

    nice -n 19 python benchmarks/mixes.py --data PHOTOGRAPHS --images KODAK --work WORK

Each mix has the same widths, crops, seed and minutes of processor time on one thread. It learns five rates in one
model. Its rows go to the CSV file when it is trained and measured; the same command resumes where it was stopped.
Training takes as many steps as a pilot of each mix shows, so that the learning rate ends where the time ends.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import math
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import results
from document import table
from measuring import in_fresh_process, report
from results import Row
from suite import machine_name
from tasks import RESULTS, Parser

import lic
from lic.models.lambdas import LAMBDAS

FOLDER = "mixes"
QUALITIES = LAMBDAS["mse"][1:6]
# Sizes of all mixes; a mix takes those that its parts have. Of the 768 numbers of a block, 96 principal components give
# 31.8 dB over Kodak, which would bound `klt`, and 192 give 37.9 dB.
SIZES = {
    "width": 64,
    "latent_depth": 192,
    "hyper_width": 64,
    "side_depth": 48,
    "features": 96,
    "context_width": 128,
    "parameter_widths": (128,),
    "slice_widths": (96, 64),
    "num_slices": 4,
}
# With crops of 128, whose latents have 8x8 positions, mixes with a context took 1.07 to 4.8 times as many bits a pixel
# for images of 512 as for such crops, and a hyperprior alone 1.07 times as many.
TRAINING = {"batch": 2, "crop": 256, "learning_rate": 1e-3, "average": 0.998, "trim": 0}
PILOT, WARM_UP = 40, 10  # Steps of the pilot, and those of them that are not counted.
COLUMNS = (
    *("date", "lic", "commit", "tensorflow", "cpu", "cores", "transform", "entropy", "likelihood", "parameters"),
    *("minutes", "seed", "steps", "pixels", "quality", "bpp", "psnr"),
)
SHOWN = {
    "transform": "transform",
    "entropy": "entropy model",
    "likelihood": "likelihood",
    "parameters": "parameters",
    "minutes": "minutes",
    "steps": "steps",
    "rate": "BD-rate to JPEG, %",
    "bpp": "bpp",
    "psnr": "PSNR, dB",
}


class Mix(NamedTuple):
    """The names of the parts of a mix."""

    transform: str
    entropy: str
    likelihood: str


def make_model(mix: Mix) -> lic.CompressionModel:
    """Makes the model of a mix at `SIZES`."""
    from lic import registry
    from lic.config import constructor_arguments

    parts = [registry.transforms.get(mix.transform), registry.entropy_models.get(mix.entropy)]
    taken = constructor_arguments(parts[1])
    if "hyper" in taken:
        hyper = mix.transform if mix.transform in registry.list_hyper_transforms() else "conv"
        parts.append(registry.hyper_transforms.get(hyper))
    allowed = set().union(*map(constructor_arguments, parts))
    sizes = {name: size for name, size in SIZES.items() if name in allowed}
    given = {"likelihood": mix.likelihood} if "likelihood" in taken else {}
    return lic.create_model(transform=mix.transform, entropy=mix.entropy, lmbda=QUALITIES, **given, **sizes)


def settings_of(steps: int, seed: int) -> lic.TrainingSettings:
    """Returns the settings of a training, with about ten checkpoints."""
    interval = max(1, steps // 10)
    return lic.TrainingSettings(steps=max(1, steps // interval) * interval, seed=seed, interval=interval, **TRAINING)


def pilot(mix: Mix, data: str, minutes: float, seed: int) -> int:
    """Returns how many steps a mix takes in so many minutes of processor time; needs a process of its own."""
    _take_one_thread()
    from lic.environment import keras

    times = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            times.append(time.process_time())

    settings = dataclasses.replace(settings_of(PILOT, seed), interval=PILOT)
    with tempfile.TemporaryDirectory() as folder:
        lic.train(make_model(mix), data, folder, settings, callbacks=[Clock()])
    # The median has no checkpoint in it: a training has ten, which take as long as a few steps.
    seconds = statistics.median(after - before for before, after in itertools.pairwise(times[WARM_UP:]))
    return max(1, round(60 * minutes / seconds))


def train(mix: Mix, data: str, folder: pathlib.Path, steps: int, seed: int) -> tuple[int, bool]:
    """Trains a mix in a folder, or goes on, and writes its codec there; needs a process of its own.

    Returns:
      Its parameters, and whether the training diverged, so that there is no codec.
    """
    _take_one_thread()
    from lic.environment import keras

    keras.utils.set_random_seed(seed)
    model = make_model(mix)
    diverged = False
    try:
        lic.train(model, data, folder / "run", settings_of(steps, seed)).save(folder / "mix.codec")
    except lic.DivergenceError as error:
        report(f"{'+'.join(mix)}: {error}")
        diverged = True
    return model.count_params(), diverged


def measure(folder: pathlib.Path, images: str) -> list[dict]:
    """Returns the mean rate and PSNR at each quality of the codec in a folder; needs a process of its own."""
    found = lic.evaluate(images, folder / "eval", models=[f"mix={folder / 'mix.codec'}"])
    return found.means()


def record(options: argparse.Namespace) -> Iterator[list[Row]]:
    """Trains and measures the mixes that the file does not hold yet, and yields the rows of each."""
    results.check_appendable(options.out, COLUMNS)
    rows = results.read(options.out, COLUMNS) if options.out.exists() else []
    done = {(*(row[name] for name in Mix._fields), float(row["minutes"]), int(row["seed"])) for row in rows}
    for mix in map(Mix._make, itertools.product(options.transform, options.entropy, options.likelihood)):
        if (*mix, options.minutes, options.seed) in done:
            continue
        report(f"mix: {'+'.join(mix)}")
        folder = options.work / f"{'+'.join(mix)}-{options.minutes:g}-{options.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        counted = folder / "steps.json"
        if not counted.exists():
            steps = in_fresh_process(pilot, mix, options.data, options.minutes, options.seed)
            counted.write_text(json.dumps(steps))
        steps = json.loads(counted.read_text())
        parameters, diverged = in_fresh_process(train, mix, options.data, folder, steps, options.seed)
        common = results.machine_columns() | mix._asdict()
        common |= {"parameters": parameters, "minutes": f"{options.minutes:g}", "seed": options.seed}
        taken = settings_of(steps, options.seed).steps
        common |= {"steps": taken, "pixels": taken * TRAINING["batch"] * TRAINING["crop"] ** 2}
        none = [dict.fromkeys(("quality", "bpp", "psnr"), "")]
        means = none if diverged else in_fresh_process(measure, folder, options.images)
        new = [{name: str((common | mean)[name]) for name in COLUMNS} for mean in means]
        results.append(options.out, new, COLUMNS)
        yield new


def lines(rows: Iterable[Row]) -> list[Row]:
    """Returns a line for each mix, the fewest bits at equal PSNR first.

    The last have no PSNR in common with JPEG, or diverged in training.
    """
    from lic.evaluation.compare import Curve, bd_rate, measured_curve, read_runs

    (anchor,) = (measured_curve(run, "jpeg") for run in read_runs([RESULTS / "kodak"]).values())
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in (*Mix._fields, "minutes", "seed")), []).append(row)
    made = []
    for points in found.values():
        rate, shown = math.inf, {"rate": "diverged"}
        if points[0]["bpp"]:
            bpp, psnr = (tuple(float(point[name]) for point in points) for name in ("bpp", "psnr"))
            with contextlib.suppress(lic.EvaluationError):  # It may not reach the PSNR of JPEG's lowest quality.
                rate = bd_rate(anchor, Curve("mix", bpp, psnr, "")).value
            shown = {"rate": f"{rate:+.1f}" if math.isfinite(rate) else "none"}
            shown |= {"bpp": f"{bpp[0]:.2f} to {bpp[-1]:.2f}", "psnr": f"{psnr[0]:.1f} to {psnr[-1]:.1f}"}
        numbers = {name: f"{int(points[0][name]):,}" for name in ("parameters", "steps")}
        made.append((rate, points[0] | shown | numbers))
    return [line for _, line in sorted(made, key=lambda each: each[0])]


def section(folder: pathlib.Path) -> list[str]:
    """Returns a titled table for each file of results."""
    parts = []
    for path in sorted((folder / FOLDER).glob("*.csv")):
        rows = results.read(path, COLUMNS)
        minutes = " or ".join(sorted({row["minutes"] for row in rows}, key=float))
        title = f"**Mixes at equal training**, {minutes} minutes of one processor each, over the 24 images of Kodak"
        parts.append(f"{title}:\n\n{table(lines(rows), SHOWN)}")
    return parts


def _take_one_thread() -> None:
    from lic.environment import tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = Parser(prog="mixes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, metavar="FOLDER", help="photographs to train on")
    parser.add_argument("--images", required=True, metavar="FOLDER", help="images to measure, such as Kodak's")
    parser.add_argument("--work", required=True, type=pathlib.Path, metavar="FOLDER", help="of trainings and codecs")
    parser.add_argument("--transform", nargs="+", default=["klt", "conv", "residual"], metavar="NAME")
    parser.add_argument("--entropy", nargs="+", metavar="NAME", help="entropy models (all)")
    parser.add_argument("--likelihood", nargs="+", default=["normal"], metavar="NAME")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N", help="of processor time for each mix (20)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of weights, crops and noise (0)")
    default = RESULTS / FOLDER / f"{machine_name()}.csv"
    parser.add_argument("--out", type=pathlib.Path, default=default, metavar="CSV", help="rows are appended to it")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Trains and measures as the command line asks, and prints the table of all results."""
    parser = command_line()
    options = parser.parse_args(arguments)
    options.entropy = options.entropy or in_fresh_process(lic.list_entropy_models)
    try:
        for _ in record(options):
            pass
    except (lic.LicError, OSError, ValueError) as error:
        parser.error(str(error))
    print(results.table(lines(results.read(options.out, COLUMNS)), tuple(SHOWN)))


if __name__ == "__main__":
    main()
