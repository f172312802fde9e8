"""Measures codecs: the time to build, to compress and to decompress, and memory. Measures training steps too.

    python benchmarks/bench_codec.py --model hzswq2021 ms2020 --size 768x512 --training
    python benchmarks/bench_codec.py --model default --shipped --size 512x512 2048x2048 --tile none auto

The values of --precision are `float32` and `bfloat16` for the codec, and `float32` and `mixed_bfloat16` for training.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from typing import TYPE_CHECKING

import results
from measuring import Quantity, peak_memory, timed, times
from tasks import Parser, Task, count, parser_of, tasks_of, tile

import lic

if TYPE_CHECKING:
    import numpy as np

CODEC_PRECISIONS, TRAINING_PRECISIONS = ("float32", "bfloat16"), ("float32", "mixed_bfloat16")
FRESH = "Fresh weights give unnatural latents, so encoded size and the time of coding mean little."


def measure_codec(task: Task) -> list[Quantity]:
    """Builds a codec, and compresses and decompresses an image. No other task may run in its process."""
    (image,), options = task.pixels(), codec_options(task)
    make_codec = lic.Codec  # This imports TensorFlow, before the clock starts.
    codec, build = timed(lambda: make_codec(task.make_model(), **options))
    stream, first_compress = timed(lambda: codec.compress(image))
    _, first_decompress = timed(lambda: codec.decompress(stream))
    return [
        Quantity("build", "s", [build]),
        Quantity("first compress", "s", [first_compress]),
        Quantity("first decompress", "s", [first_decompress]),
        Quantity("compress", "s", times(lambda: codec.compress(image), task.repeats)),
        Quantity("decompress", "s", times(lambda: codec.decompress(stream), task.repeats)),
        Quantity("encoded size", "bytes", [len(stream)]),
        Quantity("codec peak memory", "GiB", [peak_memory()]),
    ]


def measure_training(task: Task) -> list[Quantity]:
    """Takes training steps on one batch. No other task may run in its process."""
    from lic.environment import keras

    if task.precision:
        keras.mixed_precision.set_global_policy(task.precision)
    model = task.make_model()
    model.compile()
    first, *later = step_times(model, task.pixels().astype("float32"), 2 + task.repeats)
    return [
        Quantity("first training step", "s", [first]),
        Quantity("training step", "s", later[1:]),
        Quantity("training peak memory", "GiB", [peak_memory()]),
    ]


def step_times(model: lic.CompressionModel, images: np.ndarray, count: int) -> list[float]:
    """Takes steps on the same images, and returns the seconds of each.

    `fit` takes them, because TensorFlow sometimes needs seconds to free the results of `train_on_batch`.
    """
    from lic.environment import keras, tf

    ends = []

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            ends.append(time.perf_counter())

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            ends.append(time.perf_counter())

    model.fit(tf.data.Dataset.from_tensors(images).repeat(count), shuffle=False, verbose=0, callbacks=[Clock()])
    return [end - start for start, end in itertools.pairwise(ends)]


def codec_options(task: Task) -> dict[str, object]:
    """Returns the arguments of `lic.Codec` that a task is of; its tile None is one of them, and no missing argument."""
    return {"tile": task.tile} | ({"precision": task.precision} if task.precision else {})


def jobs_of(options: argparse.Namespace) -> list:
    """Returns the jobs of measuring functions and tasks: every model at every size, in every precision that applies.

    Raises:
      ValueError: The options leave nothing to measure.
    """
    jobs = []
    precisions = options.precision or [None]
    for task in tasks_of(options):
        for precision in precisions:
            if options.codec and precision in (None, *CODEC_PRECISIONS):
                codecs = [dataclasses.replace(task, precision=precision, tile=tile) for tile in options.tile]
                jobs += [(measure_codec, each) for each in codecs]
            if options.training and precision in (None, *TRAINING_PRECISIONS):
                job = measure_training, training_task(task, options.batch, options.patch, precision)
                jobs += [job] if job not in jobs else []  # Training does not depend on the size of the image.
    if not jobs:
        raise ValueError("Nothing to measure: bfloat16 is of the codec, mixed_bfloat16 of --training.")
    return jobs


def training_task(task: Task, batch: int, side: int, precision: str | None = None) -> Task:
    """Returns the task of training steps on `batch` square images of `side` pixels."""
    return dataclasses.replace(task, precision=precision, width=side, height=side, batch=batch, image=None)


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = parser_of(__doc__, "bench_codec", (*CODEC_PRECISIONS, "mixed_bfloat16"))
    parser.add_argument(
        "--tile",
        nargs="+",
        type=tile,
        default=[None],
        metavar="N",
        help="`tile` of lic.Codec: pixels, auto, none (none)",
    )
    parser.add_argument("--training", action="store_true", help="measure training steps too")
    parser.add_argument("--no-codec", dest="codec", action="store_false", help="measure training steps only")
    parser.add_argument("--batch", type=count, default=8, metavar="N", help="images of a training step (8)")
    parser.add_argument("--patch", type=count, default=256, metavar="PIXELS", help="height and width of these (256)")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints a table."""
    parser = command_line()
    options = parser.parse_args(arguments)
    rows = results.record_or_exit(parser, options, jobs_of)
    if any(row["weights"] == "fresh" for row in rows):
        print(FRESH)


if __name__ == "__main__":
    main()
