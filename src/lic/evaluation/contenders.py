"""What is compared and drawn: the codecs of evaluations, and published curves."""

from __future__ import annotations

import os
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lic.errors import LicError, RegistryError
from lic.evaluation.curves import Curve, published_curve
from lic.evaluation.curves import published as published_curves
from lic.evaluation.results import JSON, Results
from lic.registry import suggestion

PUBLISHED = "published:"  # What the names of published curves begin with.
KODAK = frozenset(f"kodim{number:02}" for number in range(1, 25))
OTHER_IMAGES = "The runs are over different images, so that their figures do not compare."
NOT_KODAK = "Published curves are of the 24 images of Kodak; the runs are over others."


class Contender(NamedTuple):
    """A codec of an evaluation, or a published curve.

    Attributes:
      name: Its name, which no other contender has; that of a published curve begins with `PUBLISHED`.
      label: What pictures call it.
      curve: Its points by rising rate.
      qualities: The quality of each point, or None where the codec has a single rate or none is known.
      encode_seconds: Per megapixel, the mean over all images and qualities; None where it is not known.
      decode_seconds: The same.
    """

    name: str
    label: str
    curve: Curve
    qualities: tuple[float | None, ...]
    encode_seconds: float | None = None
    decode_seconds: float | None = None

    @property
    def published(self) -> bool:
        """Whether it is a published curve."""
        return is_published(self.name)


def is_published(name: str) -> bool:
    """Whether a contender's name is that of a published curve."""
    return name.startswith(PUBLISHED)


def read_runs(paths: Iterable[str | os.PathLike]) -> dict[str, Results]:
    """Reads what `lic eval` wrote, by as much of each folder's path as tells the runs apart.

    Raises:
      LicError: There is none, or one is named twice.
    """
    folders = [pathlib.Path(path).resolve() for path in paths]
    folders = [folder.parent if folder.name == JSON else folder for folder in folders]
    for folder in folders:
        if folders.count(folder) > 1:
            raise LicError(f"The run {folder} is named twice. Name each once.")
    return {name: Results.read(folder) for name, folder in zip(_names_of(folders), folders)}


def contenders(
    runs: Mapping[str, Results], published: Iterable[str] = (), measure: str = "psnr"
) -> tuple[list[Contender], list[str]]:
    """Returns what there is to compare, and in words what is missing or does not compare.

    A codec that several runs have is told apart by the run: "jpeg (run-a)".

    Args:
      runs: Results by name of their run.
      published: Names of published curves, with or without `PUBLISHED`.
      measure: "psnr" or "ms_ssim_db".

    Raises:
      RegistryError: There is no such published curve; the message suggests near names.
    """
    found, notes = [], _of_images(runs)
    codecs = [codec for results in runs.values() for codec in results.codecs]
    for run, results in runs.items():
        for codec in results.codecs:
            name = codec if codecs.count(codec) == 1 else f"{codec} ({run})"
            try:
                found.append(_of_run(results, codec, name, measure))
            except LicError as error:
                notes.append(str(error))
    there = [_of_published(name) for name in dict.fromkeys(name.removeprefix(PUBLISHED) for name in published)]
    if there and measure != "psnr":
        return found, [*notes, "Published curves have PSNR only; they are left out of MS-SSIM."]
    if there and any({pathlib.Path(image).stem for image in results.common} != KODAK for results in runs.values()):
        notes.append(NOT_KODAK)
    return found + there, notes


def find(name: str, among: Sequence[Contender]) -> Contender:
    """Returns the contender of a name; a published curve need not be among them, and a codec of a run comes before it.

    A codec that has the same points in all runs needs no run behind its name, and a published curve no `PUBLISHED`.

    Raises:
      RegistryError: There is none, or several runs have it with different points; the message lists them.
    """
    by_name = {each.name: each for each in among}
    for known in (name, PUBLISHED + name):
        if known in by_name:
            return by_name[known]
    several = [each for each in among if each.name.startswith(f"{name} (")]
    if len({each.curve[1:3] for each in several}) == 1:  # The same points in all runs: any of them will do.
        return several[0]
    if several:
        raise RegistryError(
            f"Several runs have {name!r}. Say which: {' or '.join(repr(each.name) for each in several)}."
        )
    plain, curves = name.removeprefix(PUBLISHED), published_curves()
    if plain in curves:
        return _of_published(plain)
    known = [*by_name, *curves]
    raise RegistryError(f"There is no codec and no published curve named {name!r}. {suggestion(plain, known)}")


def _of_run(results: Results, codec: str, name: str, measure: str) -> Contender:
    curve = results.curve(codec, measure)._replace(name=name)
    qualities = {(mean["bpp"], mean[measure]): mean["quality"] for mean in results.means() if mean["codec"] == codec}
    return Contender(
        *(name, name, curve, tuple(qualities[point] for point in zip(curve.bpp, curve.decibels))),
        *(_seconds(results, codec, kind) for kind in ("encode_seconds", "decode_seconds")),
    )


def _of_published(name: str) -> Contender:
    curve = published_curve(name)
    points = sorted(zip(curve.bpp, curve.decibels))
    curve = curve._replace(bpp=tuple(bpp for bpp, _ in points), decibels=tuple(decibels for _, decibels in points))
    return Contender(PUBLISHED + name, curve.name, curve, (None,) * len(points))


def _seconds(results: Results, codec: str, kind: str) -> float:
    """Mean of seconds per megapixel over the images that every codec coded, and all qualities."""
    common = set(results.common)
    rows = [row for row in results.rows if row.codec == codec and row.image in common]
    return statistics.fmean(getattr(row, kind) / (row.height * row.width / 1e6) for row in rows)


def _of_images(runs: Mapping[str, Results]) -> list[str]:
    images = {(results.facts.get("images", {}).get("sha256"), *sorted(results.common)) for results in runs.values()}
    return [OTHER_IMAGES] if len(images) > 1 else []


def _names_of(folders: Sequence[pathlib.Path]) -> list[str]:
    """The shortest ends of the paths that differ from each other."""
    for parts in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-parts:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]
