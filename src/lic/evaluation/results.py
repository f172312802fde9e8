"""What an evaluation found: rows, means and curves, in files that others can read."""

from __future__ import annotations

import collections
import csv
import io
import json
import os
import pathlib
import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

from lic.atomic_write import atomic_write
from lic.errors import LicError
from lic.evaluation.curves import Curve
from lic.evaluation.row import Row
from lic.registry import suggestion

JSON, CSV, MEANS = "eval.json", "eval.csv", "means.csv"
AVERAGING = (
    "Each mean is over images, which count alike whatever their size: of bits per pixel, of dB, of seconds. Only those "
    "that every codec coded at every quality count, so that all means are over the same ones; MS-SSIM is over those of "
    "them that are large enough. Peak memory is the highest."
)
_DERIVED = ("averaging", "images_in_means", "means")
_MEANS = (
    *("bytes", "bpp", "psnr", "ms_ssim", "ms_ssim_db"),
    *("encode_seconds", "encode_networks_seconds", "encode_coder_seconds"),
    *("decode_seconds", "decode_networks_seconds", "decode_coder_seconds"),
)


class Failure(NamedTuple):
    """An image that could not be measured.

    Attributes:
      image: Its name.
      codec: Name of the codec that failed, or None where the image could not be read.
      quality: The quality that failed.
      error: What was wrong.
    """

    image: str
    codec: str | None
    quality: float | None
    error: str


class Results:
    """Rows of an evaluation, and what follows from them.

    Args:
      rows: One for each image, codec and quality.
      failures: What could not be measured.
      facts: Anything else that belongs to the result, as plain data.
    """

    def __init__(self, rows: Iterable[Row], failures: Iterable[Failure] = (), facts: dict[str, Any] | None = None):
        self.rows, self.failures, self.facts = list(rows), list(failures), facts or {}

    @property
    def codecs(self) -> list[str]:
        """Names of the codecs, in order."""
        return list(dict.fromkeys(row.codec for row in self.rows))

    @property
    def common(self) -> list[str]:
        """Names of the images that every codec coded at every quality."""
        points = {(row.codec, row.quality) for row in self.rows}
        count = collections.Counter(row.image for row in self.rows)
        return [image for image, times in count.items() if times == len(points)]

    def means(self) -> list[dict[str, Any]]:
        """Returns one row for each codec and quality: its name, number of images, and means as `AVERAGING` says."""
        common, points = set(self.common), collections.defaultdict(list)
        for row in self.rows:
            if row.image in common:
                points[row.codec, row.quality].append(row)
        return [_mean(codec, quality, rows) for (codec, quality), rows in points.items()]

    def curve(self, codec: str, measure: str = "psnr") -> Curve:
        """Returns the points of a codec by rising rate, with `psnr` or `ms_ssim_db` as its decibels.

        Raises:
          LicError: There is no such codec, or it has no such figures.
        """
        if codec not in self.codecs:
            raise LicError(f"The results have no codec named {codec!r}. {suggestion(codec, self.codecs)}")
        means = [mean for mean in self.means() if mean["codec"] == codec and mean[measure] is not None]
        if not means:
            raise LicError(f"The results have no {measure} for {codec}: no image has it with every codec and quality.")
        points = sorted((mean["bpp"], mean[measure]) for mean in means)
        return Curve(codec, *zip(*points), source=self.facts.get("codecs", {}).get(codec, {}).get("settings", ""))

    def write(self, folder: str | os.PathLike) -> None:
        """Writes eval.json, which holds everything, eval.csv with the rows, and means.csv."""
        folder = pathlib.Path(folder)
        rows = [_with_networks(row) for row in self.rows]
        everything = self.facts | {
            "averaging": AVERAGING,
            "images_in_means": len(self.common),
            "means": self.means(),
            "failures": [failure._asdict() for failure in self.failures],
            "rows": rows,
        }
        with atomic_write(folder / JSON) as file:
            file.write(json.dumps(everything, indent=1, allow_nan=False).encode())
        for name, table in ((CSV, rows), (MEANS, self.means())):
            with atomic_write(folder / name) as file:
                file.write(_csv(table).encode())

    @classmethod
    def read(cls, path: str | os.PathLike) -> Results:
        """Reads what `write` wrote, from the folder or from its eval.json.

        Raises:
          LicError: It is missing, or no such file.
        """
        path = pathlib.Path(path)
        file = path / JSON if path.is_dir() else path
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
            rows = [Row(**{name: row[name] for name in Row._fields}) for row in facts.pop("rows")]
            failures = [Failure(**failure) for failure in facts.pop("failures")]
        except FileNotFoundError:
            raise LicError(f"There is no evaluation at {file}. Make one with `lic eval`.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LicError(f"{file} is not what `lic eval` writes ({error}). Name its folder or its {JSON}.") from error
        return cls(
            rows, failures, {name: facts[name] for name in facts.keys() - {"means", "averaging", "images_in_means"}}
        )


def _mean(codec: str, quality: float | None, rows: list[Row]) -> dict[str, Any]:
    means = {name: _mean_of([getattr(row, name) for row in rows], name.startswith("ms_ssim")) for name in _MEANS}
    memory = [row.peak_memory for row in rows if row.peak_memory is not None]
    return {
        **{"codec": codec, "quality": quality, "images": len(rows), **means},
        "ms_ssim_images": sum(row.ms_ssim is not None for row in rows),
        "peak_memory": max(memory, default=None),
    }


def _mean_of(values: list[float | None], of_those_there: bool) -> float | None:
    """The mean, or None where one is missing: a lossless image has no finite mean."""
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there and (of_those_there or len(there) == len(values)) else None


def _with_networks(row: Row) -> dict[str, Any]:
    networks = {name: getattr(row, name) for name in ("encode_networks_seconds", "decode_networks_seconds")}
    return row._asdict() | networks


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else Row._fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
