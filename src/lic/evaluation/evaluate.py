"""Evaluating codecs over a folder of images, with results that are written as they come."""

from __future__ import annotations

import collections
import concurrent.futures
import datetime
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lic.cluster import on_cluster
from lic.codec.codec import Codec
from lic.errors import ImageError, LicError
from lic.evaluation.candidates import Candidate, classic, learned
from lic.evaluation.journal import Journal
from lic.evaluation.measure import CONVENTIONS
from lic.evaluation.results import Results
from lic.evaluation.station import Job, Measured, Station, failure_of, jobs_of
from lic.images import digest_of, image_files
from lic.versions import machine, versions

Progress = Callable[[int, int, str], None]  # Is told how many measurements are done, of how many, and which was last.


def evaluate(
    images: str | os.PathLike,
    out: str | os.PathLike,
    *,
    models: Sequence[str | os.PathLike | Codec] = (),
    codecs: Sequence[str] = (),
    qualities: Sequence[float] = (),
    jobs: int = 1,
    ray: str | None = None,
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
      ray: Address of a Ray cluster whose workers measure, each with one core, or "local" for one of this machine. All
        must see the images under the same path.
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
    at_once = "one for each worker of Ray" if ray else jobs
    journal = Journal(out, _facts(candidates, folder, names, at_once))
    work = [(each, jobs_of(each, names, journal.rows)) for each in candidates]
    results = Results(journal.rows, (), journal.facts)
    done, total = 0, sum(len(job.qualities) for _, each in work for job in each)
    for job, (rows, failures) in itertools.chain.from_iterable(_done(*each, folder, jobs, ray) for each in work):
        journal.add(rows)
        results.rows += rows
        results.failures += [failure for failure in failures if failure not in results.failures]
        done += len(job.qualities)
        if progress:
            progress(done, total, f"{job.codec}, {job.image}")
    results.write(out)
    return results


def _done(
    candidate: Candidate, work: Sequence[Job], folder: pathlib.Path, jobs: int, ray: str | None
) -> Iterator[tuple[Job, Measured]]:
    """Each job of a codec and what came of it, as they end."""
    station = Station(candidate, folder)
    if ray:
        for job, done in on_cluster(station, work, ray):
            failed = Measured([], [failure_of(job, quality, done) for quality in job.qualities])
            yield job, failed if isinstance(done, Exception) else done
        return
    yield from ((job, station(job)) for job in work[:1])
    threads = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        of = {threads.submit(station, job): job for job in work[1:]}
        yield from ((of[each], each.result()) for each in concurrent.futures.as_completed(of))
    finally:
        threads.shutdown(cancel_futures=True)  # One that is stopped does not wait for what has not begun.


def _listed(images: str | os.PathLike) -> tuple[pathlib.Path, list[str]]:
    """The folder, and names of the images inside."""
    path = pathlib.Path(images)
    if path.is_file():
        return path.parent, [path.name]
    names = [str(file.relative_to(path)) for file in image_files(path)]
    if not names:
        raise ImageError(f"{images} holds no images. Give a folder of images, such as PNG files.")
    return path, names


def _facts(
    candidates: Sequence[Candidate], folder: pathlib.Path, names: Sequence[str], at_once: int | str
) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "images": {"folder": folder.name, "count": len(names), "sha256": digest_of(folder, names)},
        "codecs": {each.name: each.facts for each in candidates},
        "conventions": CONVENTIONS | {"images_at_once": at_once},
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
