"""`lic.evaluate`: codecs are measured over a folder of images, and each row is on disk as soon as it is measured."""

from __future__ import annotations

import collections
import concurrent.futures
import datetime
import itertools
import numbers
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lic.cluster import on_cluster
from lic.codec.codec import Codec
from lic.codec.tiling import Tile
from lic.environment import Precision
from lic.errors import EvaluationError, ImageError, check_path
from lic.evaluation.run.codecs import EvaluatedCodec
from lic.evaluation.run.journal import Journal
from lic.evaluation.run.measurement import CONVENTIONS
from lic.evaluation.run.results import Results
from lic.evaluation.run.worker import Outcome, Task, Worker, failure_of, remaining_tasks
from lic.folder_lock import locked, make_folder
from lic.images import image_files
from lic.images.folders import digest_of
from lic.versions import machine, versions

Progress = Callable[[int, int, str], None]
_DEFAULTS = {"precision": "float32", "tile": "auto", "deterministic": False}  # Of `lic.Codec`.


def evaluate(
    images: str | os.PathLike,
    out: str | os.PathLike,
    *,
    models: Sequence[str | os.PathLike | Codec] | Mapping[str, str | os.PathLike | Codec] = (),
    codecs: Sequence[str] = (),
    qualities: Sequence[float] = (),
    precision: Precision = "float32",
    tile: Tile = "auto",
    deterministic: bool = False,
    jobs: int = 1,
    ray: str | None = None,
    progress: Progress | None = None,
) -> Results:
    """Measures codecs over all images of a folder, and writes the results to another folder.

    Each row is in `out` as soon as it is measured, so that the same call resumes an evaluation that was stopped, and
    another call adds codecs or qualities to it. Images that fail are listed in the failures of the results; the other
    images are still measured.

    Args:
      images: A folder of images, or one image.
      out: The folder of results.
      models: Learned codecs: names of models whose weights ship, paths of codec files, or codecs. Text may end in
        =Q,Q, such as "default=1,4,8", to give qualities, and begin with NAME=, such as "mine=RUN/final.codec". A
        mapping gives the names in the results: {"mine": codec, "other": "other.codec"}.
      codecs: Names of classical codecs, such as "jpeg"; they may end in =Q,Q too.
      qualities: Qualities of the codecs whose text gives none; by default each codec has its own.
      precision: As for `lic.Codec`, for the models that are names or paths.
      tile: As for `lic.Codec`.
      deterministic: As for `lic.Codec`.
      jobs: Number of images that are measured at once, in threads; with more than one, the times are those of a busy
        machine.
      ray: Address of a Ray cluster whose workers measure, each with one core, or "local" for a cluster on this machine.
        All machines must see the images under the same path.
      progress: Called after each image with the number of finished measurements, the number of all measurements, and
        the names of codec and image.

    Raises:
      ImageError: The folder holds no images.
      RegistryError: A codec is unknown.
      EvaluationError: There is no codec, two codecs have the same name, a codec lacks a quality, `jobs` is less than 1,
        `out` holds results of other images or codecs, or damaged ones, or another evaluation writes to it.
    """
    check_path("evaluate", "images", images)
    check_path("evaluate", "out", out)
    for name, value in (("models", models), ("codecs", codecs), ("qualities", qualities)):
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise EvaluationError(
                f"evaluate: expected {name} to be a list. Received: {value!r}. Write {name}=[{value!r}]."
            )
    qualities = tuple(qualities)
    for quality in qualities:
        if not isinstance(quality, numbers.Real) or isinstance(quality, bool):
            raise EvaluationError(
                f"evaluate: expected qualities to be numbers. Received: {quality!r}. Write qualities=[20, 50, 80]."
            )
    named = models.items() if isinstance(models, Mapping) else [(None, model) for model in models]
    given = {"precision": precision, "tile": tile, "deterministic": deterministic}
    options = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    evaluated = [EvaluatedCodec.learned(model, qualities, name, **options) for name, model in named]
    evaluated += [EvaluatedCodec.classical(name, qualities) for name in codecs]
    _check(evaluated, jobs)
    arrays = any((each.channels, each.bit_depth) != (3, 8) for each in evaluated)
    folder, names = _images_in(images, arrays)
    at_once = "one for each worker of Ray" if ray else jobs
    make_folder(out, EvaluationError)
    with locked(out, EvaluationError, "evaluation"):
        journal = Journal(out, _facts(evaluated, folder, names, at_once))
        work = [(codec, remaining_tasks(codec, names, journal.rows)) for codec in evaluated]
        anew = {(codec.name, quality) for codec in evaluated for quality in codec.qualities}
        # An image that cannot be read fails again, and is listed again.
        known = [each for each in journal.failures if each.codec and (each.codec, each.quality) not in anew]
        results = Results(journal.rows, known, journal.facts)
        done, total = 0, sum(len(task.qualities) for _, tasks in work for task in tasks)
        outcomes = itertools.chain.from_iterable(_outcomes(codec, tasks, folder, jobs, ray) for codec, tasks in work)
        for task, (rows, failures) in outcomes:
            journal.add(rows, failures)
            results.rows += rows
            # An image that cannot be read fails once for each codec, and is listed once.
            results.failures += [failure for failure in failures if failure not in results.failures]
            done += len(task.qualities)
            if progress:
                progress(done, total, f"{task.codec}, {task.image}")
        results.write(out)
    return results


def _outcomes(
    codec: EvaluatedCodec, tasks: Sequence[Task], folder: pathlib.Path, jobs: int, ray: str | None
) -> Iterator[tuple[Task, Outcome]]:
    """Yields the tasks of a codec and their outcomes, in the order in which they end."""
    worker = Worker(codec, folder)
    if ray:
        for task, outcome in on_cluster(worker, tasks, ray):
            if isinstance(outcome, Exception):
                outcome = Outcome([], [failure_of(task, quality, outcome) for quality in task.qualities])
            yield task, outcome
        return
    # Tasks run alone until one is measured: it traces the networks, for which all other threads would wait.
    left = iter(tasks)
    for task in left:
        outcome = worker(task)
        yield task, outcome
        if outcome.rows:
            break
    threads = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        futures = {threads.submit(worker, task): task for task in left}
        yield from ((futures[each], each.result()) for each in concurrent.futures.as_completed(futures))
    finally:
        threads.shutdown(cancel_futures=True)  # An evaluation that is stopped waits only for tasks that are running.


def _images_in(images: str | os.PathLike, arrays: bool) -> tuple[pathlib.Path, list[str]]:
    """Returns a folder and the names of the images inside."""
    path = pathlib.Path(images)
    if path.is_file():
        return path.parent, [path.name]
    if not path.is_dir():
        raise ImageError(f"There is no folder or image {str(images)!r}. Give a folder of images, or one image.")
    return path, [str(file.relative_to(path)) for file in image_files(path, arrays)]


def _facts(
    codecs: Sequence[EvaluatedCodec], folder: pathlib.Path, names: Sequence[str], at_once: int | str
) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "images": {"folder": folder.name, "count": len(names), "sha256": digest_of(folder, names, whole=True)},
        "codecs": {codec.name: codec.facts for codec in codecs},
        "conventions": CONVENTIONS | {"images_at_once": at_once},
        "versions": versions(),
        "machine": machine(),
    }


def _check(codecs: Sequence[EvaluatedCodec], jobs: int) -> None:
    names = [codec.name for codec in codecs]
    if not names:
        raise EvaluationError(
            "evaluate: expected models or codecs. Received: none. Name one, as in models=['default']."
        )
    twice = [name for name, times in collections.Counter(names).items() if times > 1]
    if twice:
        raise EvaluationError(
            f"evaluate: expected codecs with different names. Received twice: {', '.join(twice)}. "
            "List the qualities of a codec behind its name once, or name codecs: NAME=PATH, or a mapping of names."
        )
    if not isinstance(jobs, int) or jobs < 1:
        raise EvaluationError(f"evaluate: expected jobs to be an integer of at least 1. Received: {jobs!r}.")
