"""The entries of a comparison: codecs of evaluations, and published curves."""

from __future__ import annotations

import os
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lic.errors import EvaluationError, RegistryError
from lic.evaluation.compare.curves import (
    Curve,
    Measure,
    check_measure,
    measured_curve,
    published_curve,
    published_curves,
)
from lic.evaluation.run.results import JSON, Results
from lic.registry import suggestion

PUBLISHED = "published:"  # Prefix of the names of published curves.
KODAK = frozenset(f"kodim{number:02}" for number in range(1, 25))
OTHER_IMAGES = "The runs are over different images, so that their figures do not compare."
NOT_KODAK = "Published curves are of the 24 images of Kodak; the runs are over others."


class Entry(NamedTuple):
    """A codec of an evaluation, or a published curve.

    Attributes:
      name: Name that no other entry has; the name of a published curve begins with `PUBLISHED`.
      label: Name of the entry in figures.
      curve: The points, by rising rate.
      qualities: The quality of each point, or None if the codec has a single rate or the quality is not known.
      encode_seconds: Seconds per megapixel, the mean over all images and qualities; None if they are not known.
      decode_seconds: Seconds per megapixel, the mean over all images and qualities; None if they are not known.
    """

    name: str
    label: str
    curve: Curve
    qualities: tuple[float | None, ...]
    encode_seconds: float | None = None
    decode_seconds: float | None = None

    @property
    def codec(self) -> str:
        """The name without the run behind it, for a codec that several runs have."""
        return self.name.rpartition(" (")[0] or self.name

    @property
    def published(self) -> bool:
        """True for a published curve."""
        return self.name.startswith(PUBLISHED)

    @property
    def single_rate(self) -> bool:
        """True if the curve is a single point."""
        return len(self.curve.bpp) == 1


def read_runs(paths: Iterable[str | os.PathLike]) -> dict[str, Results]:
    """Reads the folders that `lic eval` wrote; the name of a run is the shortest end of its path that no other has.

    Raises:
      EvaluationError: A folder holds no results, or it is given twice.
    """
    folders = [pathlib.Path(path).resolve() for path in paths]
    folders = [folder.parent if folder.name == JSON else folder for folder in folders]
    for folder in folders:
        if folders.count(folder) > 1:
            raise EvaluationError(f"The run {folder} is named twice. Name each run once.")
    return {name: Results.read(folder) for name, folder in zip(_shortest_names(folders), folders)}


def entries_of(
    runs: Mapping[str, Results], published: Iterable[str] = (), measure: Measure = "psnr"
) -> tuple[list[Entry], list[str]]:
    """Returns the entries of runs and published curves, and notes on what is missing or does not compare.

    A codec that several runs have gets the name of its run, as in "jpeg (run-a)".

    Args:
      runs: Results by name of their run.
      published: Names of published curves, with or without `PUBLISHED`.
      measure: The decibels of the curves, "psnr" or "ms_ssim_db".

    Raises:
      RegistryError: No published curve has a name; the message suggests similar names.
      EvaluationError: The measure does not exist.
    """
    check_measure(measure)
    entries, notes = [], _notes_on_images(runs)
    codecs = [codec for results in runs.values() for codec in results.codecs]
    for run, results in runs.items():
        for codec in results.codecs:
            name = codec if codecs.count(codec) == 1 else f"{codec} ({run})"
            try:
                entries.append(_measured_entry(results, codec, name, measure))
            except EvaluationError as error:
                notes.append(str(error))
    plain_names = dict.fromkeys(name.removeprefix(PUBLISHED) for name in published)
    published_entries = [_published_entry(name) for name in plain_names]
    if published_entries and measure != "psnr":
        return entries, [*notes, "Published curves have PSNR only; they are left out of MS-SSIM."]
    if published_entries and any(_stems(results) != KODAK for results in runs.values()):
        notes.append(NOT_KODAK)
    return entries + published_entries, notes


def find_entry(name: str, entries: Sequence[Entry]) -> Entry:
    """Returns the entry with a name, or else the published curve with that name.

    A codec that has the same points in all runs is found without the run behind its name, and a published curve without
    `PUBLISHED`. A codec of a run comes before a published curve.

    Raises:
      RegistryError: Nothing has the name, or several runs have it with different points; the message lists them.
    """
    by_name = {entry.name: entry for entry in entries}
    for known in (name, PUBLISHED + name):
        if known in by_name:
            return by_name[known]
    several = [entry for entry in entries if entry.name.startswith(f"{name} (")]
    if len({(entry.curve.bpp, entry.curve.decibels) for entry in several}) == 1:
        return several[0]
    if several:
        raise RegistryError(
            f"Several runs have {name!r} with different points. "
            f"Name one of them: {' or '.join(repr(entry.name) for entry in several)}."
        )
    plain, curves = name.removeprefix(PUBLISHED), published_curves()
    if plain in curves:
        return _published_entry(plain)
    raise RegistryError(
        f"There is no codec and no published curve named {name!r}. {suggestion(plain, [*by_name, *curves])}"
    )


def _measured_entry(results: Results, codec: str, name: str, measure: Measure) -> Entry:
    curve = measured_curve(results, codec, measure)._replace(name=name)
    qualities = {(mean["bpp"], mean[measure]): mean["quality"] for mean in results.means() if mean["codec"] == codec}
    return Entry(
        name,
        name,
        curve,
        tuple(qualities[point] for point in zip(curve.bpp, curve.decibels)),
        _seconds(results, codec, "encode_seconds"),
        _seconds(results, codec, "decode_seconds"),
    )


def _published_entry(name: str) -> Entry:
    curve = published_curve(name)
    bpp, decibels = zip(*sorted(zip(curve.bpp, curve.decibels)))
    return Entry(PUBLISHED + name, curve.name, curve._replace(bpp=bpp, decibels=decibels), (None,) * len(bpp))


def _seconds(results: Results, codec: str, kind: str) -> float:
    """Returns the mean of seconds per megapixel over all qualities, and over the images that every codec coded."""
    common = set(results.common)
    rows = [row for row in results.rows if row.codec == codec and row.image in common]
    return statistics.fmean(getattr(row, kind) / (row.height * row.width / 1e6) for row in rows)


def _stems(results: Results) -> set[str]:
    return {pathlib.Path(image).stem for image in results.common}


def _notes_on_images(runs: Mapping[str, Results]) -> list[str]:
    images = {(results.facts.get("images", {}).get("sha256"), *sorted(results.common)) for results in runs.values()}
    return [OTHER_IMAGES] if len(images) > 1 else []


def _shortest_names(folders: Sequence[pathlib.Path]) -> list[str]:
    """Returns the shortest ends of the paths that differ from each other."""
    for parts in range(1, max((len(folder.parts) for folder in folders), default=0) + 1):
        names = ["/".join(folder.parts[-parts:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]
