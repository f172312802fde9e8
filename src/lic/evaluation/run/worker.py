"""The worker that measures images with one codec, one after the other; a process of a cluster can hold it too."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lic.errors import ImageError
from lic.evaluation.run.codecs import EvaluatedCodec
from lic.evaluation.run.measurement import measure
from lic.evaluation.run.results import Failure, Row
from lic.images import read_samples


class Task(NamedTuple):
    """One image to be measured with one codec.

    Attributes:
      codec: Name of the codec.
      image: Name of the image in its folder.
      qualities: The qualities that no row has yet.
    """

    codec: str
    image: str
    qualities: tuple[float | None, ...]


class Outcome(NamedTuple):
    """The rows and failures of a task.

    Attributes:
      rows: One row for each quality that was measured.
      failures: One failure for each quality that failed, or one for an image that could not be read.
    """

    rows: list[Row]
    failures: list[Failure]


class Worker:
    """Measures images with a codec.

    Before the first image it runs the codec once without measuring it, because the first run traces the networks.

    Args:
      codec: The codec.
      folder: Folder of the images.
    """

    def __init__(self, codec: EvaluatedCodec, folder: pathlib.Path):
        self._codec, self._folder = codec.codec, folder
        self._warm = False
        self._channels, self._bit_depth = codec.channels, codec.bit_depth

    def __call__(self, task: Task) -> Outcome:
        """Measures the image of a task at all of its qualities."""
        outcome = Outcome([], [])
        try:
            pixels = read_samples(self._folder / task.image, channels=self._channels, bit_depth=self._bit_depth)
        except ImageError as error:
            return Outcome([], [Failure(task.image, None, None, error.without_advice())])
        if not self._warm:
            self._warm = True
            with contextlib.suppress(Exception):  # It is measured, and its error is listed, below.
                measure(self._codec, task.codec, task.image, pixels, task.qualities[0])
        for quality in task.qualities:
            try:
                outcome.rows.append(measure(self._codec, task.codec, task.image, pixels, quality))
            except Exception as error:  # A user's codec may raise anything; the other images are still measured.
                outcome.failures.append(failure_of(task, quality, error))
        return outcome


def remaining_tasks(codec: EvaluatedCodec, images: Sequence[str], rows: Iterable[Row]) -> list[Task]:
    """Returns a task for each image that lacks rows of a codec.

    Args:
      codec: The codec.
      images: Names of all images.
      rows: Rows that were measured already, of this and of other codecs.
    """
    measured = {(row.image, row.quality) for row in rows if row.codec == codec.name}
    left = ((image, tuple(each for each in codec.qualities if (image, each) not in measured)) for image in images)
    return [Task(codec.name, image, qualities) for image, qualities in left if qualities]


def failure_of(task: Task, quality: float | None, error: Exception) -> Failure:
    """Returns the failure of a task at a quality."""
    return Failure(task.image, task.codec, quality, f"{type(error).__name__}: {error}")
