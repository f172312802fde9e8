"""Measures the transforms of models alone, at batch 1: image and hyper analysis and synthesis.

    python benchmarks/bench_transforms.py --model hzswq2021 --gmac analysis=70 synthesis=70

`--precision bfloat16` makes models under Keras's policy mixed_bfloat16. The entropy model, and with it the hyper
transform, stays in float32.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from typing import TYPE_CHECKING

import results
from measuring import Measured, Quantity, times
from tasks import Task, parser_of, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lic.environment import keras, tf

PARTS = ("analysis", "synthesis", "hyper analysis", "hyper synthesis")
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def measure_transforms(task: Task) -> list[Quantity]:
    """Measures each transform as a graph of its own, as in a codec."""
    from lic.environment import keras

    keras.mixed_precision.set_global_policy(POLICIES[task.precision or "float32"])
    return [
        Quantity(name, "s", _times(_as_in_a_codec(layer), values, task.repeats))
        for name, (layer, values) in layers_of(task).items()
    ]


def _as_in_a_codec(layer: keras.layers.Layer) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a layer as a graph whose kernels are computed once."""
    from lic.environment import tf
    from lic.layers.tracing import snapshot_weights

    derived = {}

    def call(values: tf.Tensor) -> tf.Tensor:
        with snapshot_weights(derived):
            return layer(values)

    return tf.function(call, autograph=False)


def layers_of(task: Task) -> dict[str, tuple[keras.layers.Layer, tf.Tensor]]:
    """Returns the transforms by name, each with the input that the others give it."""
    from lic.environment import tf
    from lic.layers.padding import pad

    model = task.make_model()
    transform, hyper = model.transform, model.entropy.hyper
    images = pad(tf.cast(task.pixels(), model.compute_dtype), transform.downscale)
    latent = transform.analysis(images)
    layers = {"analysis": (transform.analysis, images), "synthesis": (transform.synthesis, tf.round(latent))}
    if hyper:
        latent = tf.cast(latent, "float32")
        side = tf.round(hyper.analysis(latent))
        layers |= {"hyper analysis": (hyper.analysis, latent), "hyper synthesis": (hyper.synthesis, side)}
    return layers


def shares(each: Measured, gmac: dict[str, float]) -> list[Quantity]:
    """Returns the share of the machine's matrix product rate, in its own type, that each part reaches."""
    found = []
    for quantity in each.quantities:
        if quantity.name in gmac:
            bfloat16 = each.task.precision == "bfloat16" and not quantity.name.startswith("hyper")
            rate = statistics.mean((pair.bfloat16 if bfloat16 else pair.float32) for pair in (each.before, each.after))
            values = [2 * gmac[quantity.name] / seconds / rate for seconds in quantity.values]
            found.append(Quantity(f"{quantity.name} share", "of matrix product", values))
    return found


def part_and_gmac(text: str) -> tuple[str, float]:
    """Returns the part and the number of a text PART=NUMBER."""
    part, _, number = text.partition("=")
    try:
        gmac = float(number)
    except ValueError:
        gmac = 0.0
    if part not in PARTS or not 0 < gmac < float("inf"):
        raise argparse.ArgumentTypeError(
            f"expected PART=NUMBER such as analysis=70, of {', '.join(PARTS)}, received {text!r}"
        )
    return part, gmac


def jobs_of(options: argparse.Namespace) -> list:
    """Returns the jobs: pairs of a measuring function and a task.

    Raises:
      ValueError: Options contradict each other.
    """
    if options.gmac and len(options.model) > 1:
        raise ValueError("Give one --model with --gmac: the numbers are of one model.")
    return [
        (measure_transforms, dataclasses.replace(task, precision=precision))
        for task in tasks_of(options)
        for precision in options.precision or [None]
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints a table."""
    parser = parser_of(__doc__, "bench_transforms", tuple(POLICIES))
    parser.add_argument(
        "--gmac",
        nargs="+",
        type=part_and_gmac,
        default=[],
        metavar="PART=NUMBER",
        help="10^9 multiply-accumulates of a part at this size, for the share of the matrix product rate it reaches",
    )
    options = parser.parse_args(arguments)
    results.record_or_exit(parser, options, jobs_of, lambda each: shares(each, dict(options.gmac)))


def _times(graph: tf.types.experimental.PolymorphicFunction, values: tf.Tensor, repeats: int) -> list[float]:
    return times(lambda: graph(values).numpy(), repeats, warm_ups=2)  # The first call traces.


if __name__ == "__main__":
    main()
