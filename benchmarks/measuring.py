"""The method of measuring: each task in a fresh process, between two calibrations of the machine."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if TYPE_CHECKING:
    from tasks import Task

Result = TypeVar("Result")
WARM_UPS = 2  # Calls of each calibration that are not counted.


class Quantity(NamedTuple):
    """One measured quantity: its values in the order in which they were measured."""

    name: str
    unit: str
    values: list[float]


Jobs = Sequence[tuple[Callable[["Task"], list[Quantity]], "Task"]]  # Pairs of a measuring function and a task.


class Calibration(NamedTuple):
    """The rates that the machine reaches at a time.

    Attributes:
      float32: Matrix product of 2048x2048 in float32, GFLOP/s.
      bfloat16: The same in bfloat16, GFLOP/s.
      convolution: 5x5 convolution of 1x128x192x128 to 128 channels in float32, GFLOP/s.
      memory: Transposing 64x1024x1024 float32 numbers and adding one, each read and written twice, GB/s.
    """

    float32: float
    bfloat16: float
    convolution: float
    memory: float


class Measured(NamedTuple):
    """The quantities of one task, and the calibrations right before and right after it."""

    task: Task
    quantities: list[Quantity]
    before: Calibration
    after: Calibration


def measured(jobs: Jobs, calibration_repeats: int) -> Iterator[Measured]:
    """Runs each job's function on its task in a process of its own.

    The calibration after one job is the one before the next. If a process dies, the other jobs are still done.

    Raises:
      ChildProcessError: Processes died; the message names their tasks.
    """
    before, died = _calibrated(calibration_repeats), []
    for function, task in jobs:
        report(f"{_name(function)}: {task}")
        try:
            quantities = in_fresh_process(function, task)
        except ChildProcessError as error:
            report(str(error))
            died.append(str(task))
            continue
        after = _calibrated(calibration_repeats)
        yield Measured(task, quantities, before, after)
        before = after
    if died:
        raise ChildProcessError(f"{len(died)} of {len(jobs)} processes died: {'; '.join(died)}.")


def in_fresh_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Calls a function in a new Python process and returns what it returned, or raises what it raised.

    The process is spawned, because the peak memory of a forked one is at least that of its parent. For the same reason
    nothing here may import TensorFlow in the parent.

    Raises:
      ChildProcessError: The process died.
    """
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise ChildProcessError(
                f"The process of {_name(function)} died, most likely for want of memory; try a smaller size."
            ) from None


def timed(function: Callable[[], Result]) -> tuple[Result, float]:
    """Returns the result of a function, and the seconds that it took."""
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def times(function: Callable[[], Any], repeats: int, warm_ups: int = 1) -> list[float]:
    """Returns the seconds of `repeats` calls, after warm-up calls that do not count."""
    return [timed(function)[1] for _ in range(warm_ups + repeats)][warm_ups:]


def peak_memory() -> float:
    """Returns the peak memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB.


def calibrate(repeats: int) -> Calibration:
    """Measures the machine's rates, each as the median over `repeats` calls."""
    from lic.environment import tf

    matrix = tf.random.normal((2048, 2048))
    rounded = tf.cast(matrix, tf.bfloat16)
    image, kernel = tf.random.normal((1, 128, 192, 128)), tf.random.normal((5, 5, 128, 128))
    stack = tf.random.normal((64, 1024, 1024))

    def rate(work: float, function: Callable, *inputs: tf.Tensor) -> float:
        graph = tf.function(lambda *arrays: tf.reduce_sum(function(*arrays)))
        return work / 1e9 / statistics.median(times(lambda: graph(*inputs).numpy(), repeats, WARM_UPS))

    return Calibration(
        rate(2 * 2048**3, tf.matmul, matrix, matrix),
        rate(2 * 2048**3, tf.matmul, rounded, rounded),
        rate(2 * 128 * 192 * 5 * 5 * 128 * 128, lambda i, k: tf.nn.conv2d(i, k, 1, "SAME"), image, kernel),
        rate(4 * 4 * 64 * 1024 * 1024, lambda s: tf.transpose(s, (0, 2, 1)) + 1.0, stack),
    )


def report(text: str) -> None:
    """Prints a line of progress to stderr."""
    print(text, file=sys.stderr, flush=True)


def _name(function: Callable) -> str:
    return getattr(function, "func", function).__name__  # A functools.partial has the name of its function.


def _calibrated(repeats: int) -> Calibration:
    rates = in_fresh_process(calibrate, repeats)
    report(
        f"calibration: matrix product {rates.float32:.0f} GFLOP/s, bfloat16 {rates.bfloat16:.0f}, "
        f"convolution {rates.convolution:.0f}, memory {rates.memory:.1f} GB/s"
    )
    return rates
