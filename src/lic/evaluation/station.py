"""Where one codec measures images, one after the other; it can be sent to another process."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lic.errors import ImageError
from lic.evaluation.candidates import Candidate
from lic.evaluation.measure import measure
from lic.evaluation.results import Failure
from lic.evaluation.row import Row
from lic.images import read_image


class Job(NamedTuple):
    """One image to be measured with one codec.

    Attributes:
      codec: Name of the codec.
      image: Name of the image in its folder.
      qualities: The qualities that are not there yet.
    """

    codec: str
    image: str
    qualities: tuple[float | None, ...]


class Measured(NamedTuple):
    """What came of a job.

    Attributes:
      rows: One for each quality that was measured.
      failures: What failed.
    """

    rows: list[Row]
    failures: list[Failure]


class Station:
    """Measures images with a codec; before the first, it runs the codec once without measuring, which traces it.

    Args:
      candidate: The codec.
      folder: The folder of the images.
    """

    def __init__(self, candidate: Candidate, folder: pathlib.Path):
        self._codec, self._folder = candidate.codec, folder
        self._warm = False

    def __call__(self, job: Job) -> Measured:
        """Measures an image at all qualities of a job."""
        if not self._warm:
            self._warm = True
            self(job._replace(qualities=job.qualities[:1]))
        done = Measured([], [])
        try:
            pixels = read_image(self._folder / job.image)
        except ImageError as error:
            return Measured([], [Failure(job.image, None, None, str(error))])
        for quality in job.qualities:
            try:
                done.rows.append(measure(self._codec, job.codec, job.image, pixels, quality))
            except Exception as error:  # Whatever a user's codec raises, the other images go on.
                done.failures.append(failure_of(job, quality, error))
        return done


def jobs_of(candidate: Candidate, images: Sequence[str], rows: Iterable[Row]) -> list[Job]:
    """Returns what is left to be measured with a codec, beside rows that are there."""
    there = {(row.image, row.quality) for row in rows if row.codec == candidate.name}
    left = ((image, tuple(each for each in candidate.qualities if (image, each) not in there)) for image in images)
    return [Job(candidate.name, image, qualities) for image, qualities in left if qualities]


def failure_of(job: Job, quality: float | None, error: Exception) -> Failure:
    """Returns what a codec raised, as a failure."""
    return Failure(job.image, job.codec, quality, f"{type(error).__name__}: {error}")
