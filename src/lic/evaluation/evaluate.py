"""Evaluating codecs over a folder of images, with results that are written as they come."""

from __future__ import annotations

import collections
import concurrent.futures
import datetime
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lic.codec.codec import Codec
from lic.codec.images import digest_of, image_files, read_image
from lic.errors import ImageError, LicError
from lic.evaluation.candidates import Candidate, classic, learned
from lic.evaluation.journal import Journal
from lic.evaluation.measure import CONVENTIONS, measure
from lic.evaluation.results import Failure, Results
from lic.evaluation.row import Row
from lic.versions import machine, versions

Progress = Callable[[int, int, str], None]  # Is told how many measurements are done, of how many, and which was last.


class Job(NamedTuple):
    """One image to be measured with one codec, at the qualities that are not there yet."""

    candidate: Candidate
    image: str
    qualities: tuple[float | None, ...]


def evaluate(
    images: str | os.PathLike,
    out: str | os.PathLike,
    *,
    models: Sequence[str | os.PathLike | Codec] = (),
    codecs: Sequence[str] = (),
    qualities: Sequence[float] = (),
    jobs: int = 1,
    progress: Progress | None = None,
    **options: Any,
) -> Results:
    """Measures codecs over all images of a folder, and writes the results into another.

    What is measured is in `out` at once, so that the same call goes on where one was stopped; more codecs or qualities
    are added to what is there. Images that fail are in the results' failures, and the rest goes on.

    Args:
      images: A folder of images, or one image.
      out: The folder of results.
      models: Learned codecs: names of models whose weights ship, paths of codec files, or codecs. A name may end in
        =Q,Q, such as "default=1,4,8", for its qualities.
      codecs: Classical codecs by name, such as "jpeg"; with qualities as above.
      qualities: Qualities of those whose name has none; by default each codec's own.
      jobs: Images that are measured at once, in threads; times are those of a busy machine then.
      progress: Is told how far it is.
      **options: `precision` and `tile` of `lic.Codec`, for the models.

    Raises:
      ImageError: There are no images.
      LicError: A codec is unknown, lacks a quality, or `out` holds results of other images or codecs.
    """
    candidates = [learned(model, qualities, **options) for model in models]
    candidates += [classic(name, qualities) for name in codecs]
    _check(candidates, jobs)
    folder, names = _listed(images)
    journal = Journal(out, _facts(candidates, folder, names, jobs))
    work = jobs_of(candidates, names, journal.rows)
    results = Results(journal.rows, (), journal.facts)
    done, total = 0, sum(len(job.qualities) for job in work)
    for job, rows, failures in _done(work, folder, jobs):
        journal.add(rows)
        results.rows += rows
        results.failures += [failure for failure in failures if failure not in results.failures]
        done += len(job.qualities)
        if progress:
            progress(done, total, f"{job.candidate.name}, {job.image}")
    results.write(out)
    return results


def jobs_of(candidates: Iterable[Candidate], images: Sequence[str], rows: Iterable[Row]) -> list[Job]:
    """Returns what is left to be measured, codec by codec."""
    there = {(row.codec, row.image, row.quality) for row in rows}
    every = [
        Job(each, image, tuple(q for q in each.qualities if (each.name, image, q) not in there))
        for each in candidates
        for image in images
    ]
    return [job for job in every if job.qualities]


def measured(job: Job, folder: pathlib.Path) -> tuple[list[Row], list[Failure]]:
    """Measures an image at all qualities of a job, and returns rows, and what failed."""
    name, rows, failures = job.candidate.name, [], []
    try:
        pixels = read_image(folder / job.image)
    except ImageError as error:
        return [], [Failure(job.image, None, None, str(error))]
    for quality in job.qualities:
        try:
            rows.append(measure(job.candidate.codec, name, job.image, pixels, quality))
        except Exception as error:  # Whatever a user's codec raises, the other images go on.
            failures.append(Failure(job.image, name, quality, f"{type(error).__name__}: {error}"))
    return rows, failures


def _done(work: Sequence[Job], folder: pathlib.Path, jobs: int) -> Iterator[tuple[Job, list[Row], list[Failure]]]:
    """Each job and what came of it, as they end; every codec runs once more before what is measured."""
    for _, group in itertools.groupby(work, lambda job: job.candidate.name):
        group = list(group)
        measured(group[0]._replace(qualities=group[0].qualities[:1]), folder)
        if jobs == 1:
            yield from ((job, *measured(job, folder)) for job in group)
            continue
        with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
            of = {threads.submit(measured, job, folder): job for job in group}
            yield from ((of[each], *each.result()) for each in concurrent.futures.as_completed(of))


def _listed(images: str | os.PathLike) -> tuple[pathlib.Path, list[str]]:
    """The folder, and names of the images inside."""
    path = pathlib.Path(images)
    if path.is_file():
        return path.parent, [path.name]
    names = [str(file.relative_to(path)) for file in image_files(path)]
    if not names:
        raise ImageError(f"{images} holds no images. Give a folder of images, such as PNG files.")
    return path, names


def _facts(candidates: Sequence[Candidate], folder: pathlib.Path, names: Sequence[str], jobs: int) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "images": {"folder": folder.name, "count": len(names), "sha256": digest_of(folder, names)},
        "codecs": {each.name: each.facts for each in candidates},
        "conventions": CONVENTIONS | {"images_at_once": jobs},
        "versions": versions(),
        "machine": machine(),
    }


def _check(candidates: Sequence[Candidate], jobs: int) -> None:
    names = [each.name for each in candidates]
    if not names:
        raise LicError("evaluate: expected models or codecs. Received: none. Name one, such as models=['default'].")
    twice = [name for name, times in collections.Counter(names).items() if times > 1]
    if twice:
        raise LicError(f"evaluate: expected codecs with different names. Received twice: {', '.join(twice)}.")
    if jobs < 1:
        raise ValueError(f"evaluate: expected jobs of at least 1. Received: {jobs!r}.")
