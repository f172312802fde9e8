"""Measures the crops a second that the training's pipeline gives, and those that training takes.

    python benchmarks/bench_data.py --data PHOTOGRAPHS

Photographs are decoded before the measurement. Each rate is measured alone, in turn with the other and three times, and
the medians are printed.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import statistics
import time

import tensorflow as tf
from tasks import Parser, count

import lic
from lic.training import Photographs

ROUNDS = 3


def crops_given(photographs: Photographs, batches: int) -> float:
    """Returns the crops a second that the pipeline gives when all photographs are decoded."""
    ready = iter(photographs.dataset())
    for _ in itertools.islice(ready, -(-2 * len(photographs.listing) // photographs.batch)):
        pass
    began = time.perf_counter()
    for _ in itertools.islice(ready, batches):
        pass
    return batches * photographs.batch / (time.perf_counter() - began)


def crops_taken(model: lic.CompressionModel, photographs: Photographs, batches: int) -> float:
    """Returns the crops a second that training takes from one ready batch; the first steps do not count."""
    crops = tf.constant(photographs.batch_at(0), tf.float32)
    dataset = tf.data.Dataset.from_tensors(crops).repeat()
    model.fit(dataset, steps_per_epoch=5, verbose=0, shuffle=False)
    began = time.perf_counter()
    model.fit(dataset, steps_per_epoch=batches, verbose=0, shuffle=False)
    return batches * photographs.batch / (time.perf_counter() - began)


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, and prints both rates and their ratio."""
    parser = Parser(prog="bench_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="FOLDER", help="folder of photographs")
    parser.add_argument("--model", default="default", help="a registered model (default)")
    parser.add_argument("--batch", type=count, default=4, metavar="N", help="crops of a step (4)")
    parser.add_argument("--crop", type=count, default=128, metavar="PIXELS", help="height and width of a crop (128)")
    parser.add_argument("--least-scale", type=float, default=0.5, help="crops of photographs reduced so far (0.5)")
    parser.add_argument("--steps", type=count, default=50, metavar="N", help="steps of each measurement (50)")
    options = parser.parse_args(arguments)
    try:
        photographs = Photographs(options.data, options.crop, options.batch, least_scale=options.least_scale)
        model = lic.create_model(options.model)
    except (lic.LicError, ValueError) as error:
        parser.error(str(error))
    model.compile()
    rates = [
        (crops_given(photographs, options.steps), crops_taken(model, photographs, options.steps)) for _ in range(ROUNDS)
    ]
    given, taken = (statistics.median(each) for each in zip(*rates))
    print(f"pipeline: {given:.1f} crops/s; training {options.model}: {taken:.1f} crops/s; ratio {given / taken:.1f}")


if __name__ == "__main__":
    main()
