"""Measures entropy models alone: estimating, encoding and decoding one latent, in seconds and symbols a second.

    python benchmarks/bench_entropy.py
    python benchmarks/bench_entropy.py --model hzswq2021 conv+charm+normal-mixture --size 768x512

Without --model all registered entropy models are measured at their default sizes, for latents of the transform `conv`.
With fresh weights the latent is drawn with scales that spread as those of a trained model. Otherwise it is the image's.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import results
from measuring import Quantity, in_fresh_process, timed
from tasks import Parser, Task, count, parser_of, tasks_of

from lic import registry

if TYPE_CHECKING:
    from lic.environment import tf


def measure_entropy(task: Task) -> list[Quantity]:
    """Measures each walk as a graph of its own, as in a codec. No other task may run in its process.

    Raises:
      ValueError: The decoded symbols are not the encoded ones.
    """
    from walks import Walks, analysed, drawn

    from lic.entropy.range_coding.range_coder import coder_seconds

    model = task.make_model()
    latent, within = drawn(model, task) if task.weights == "fresh" else analysed(model, task)
    walks = Walks(model, within)
    coded = walks.encode(latent)
    symbols, string = coded.symbols.numpy(), coded.string
    if (walks.decode(string, 0 * latent)[1].numpy() != symbols).any():
        raise ValueError(f"{task.model}: expected the symbols that were encoded. Received: others, from its own walk.")
    calls = {
        "estimate": lambda: walks.estimate(latent),
        "encode": lambda: walks.encode(latent).string,
        "decode": lambda: walks.decode(string, 0 * latent)[0],
    }
    found = [
        quantity for name, call in calls.items() for quantity in _quantities(name, call, len(symbols), task.repeats)
    ]
    coder = zip(*(coder_seconds(walks.tables, string, coded.cdfs) for _ in range(task.repeats)))
    found += [Quantity(f"{way} range coder", "s", list(each)) for way, each in zip(("encode", "decode"), coder)]
    bits = 8 * len(string.numpy()) / len(symbols)
    return [*found, Quantity("symbols", "symbols", [len(symbols)]), Quantity("bits per symbol", "bits", [bits])]


def _quantities(name: str, call: Callable[[], tf.Tensor], symbols: int, repeats: int) -> list[Quantity]:
    """Returns the seconds and the symbols a second of a walk.

    Args:
      name: Name of the walk.
      call: Runs the walk, and returns a tensor.
      symbols: Number of symbols.
      repeats: Number of measurements.
    """
    call().numpy()
    seconds = [timed(lambda: call().numpy())[1] for _ in range(repeats)]
    return [Quantity(name, "s", seconds), Quantity(f"{name} rate", "symbols/s", [symbols / s for s in seconds])]


def registered() -> list[str]:
    """Returns a mix for each registered entropy model, with the transform `conv`."""
    return [f"conv+{name}" for name in registry.list_entropy_models()]


def jobs_of(options: argparse.Namespace) -> list:
    """Returns the jobs: pairs of a measuring function and a task."""
    options.model = options.model or in_fresh_process(registered)
    sizes = {"latent_depth": options.latent_depth} if options.latent_depth else {}
    return [(measure_entropy, dataclasses.replace(task, sizes=sizes)) for task in tasks_of(options)]


def command_line() -> Parser:
    """Returns the parser of this script's options."""
    parser = parser_of(__doc__, "bench_entropy", (), needs_model=False)
    parser.add_argument("--latent-depth", type=count, metavar="N", help="channels of the latent; default: the model's")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Measures as the command line asks, appends to the CSV file and prints a table."""
    parser = command_line()
    results.record_or_exit(parser, parser.parse_args(arguments), jobs_of)


if __name__ == "__main__":
    main()
