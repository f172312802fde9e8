"""The results of an evaluation: rows, their means, and the files that hold them.

Reading results needs no TensorFlow, so that curves are compared and drawn without it.
"""

from __future__ import annotations

import collections
import csv
import io
import json
import os
import pathlib
import statistics
import typing
from collections.abc import Iterable
from typing import Any, NamedTuple

from lic.argument_types import check_argument
from lic.atomic_write import atomic_write
from lic.errors import EvaluationError, as_error
from lic.json_files import read_json

JSON, CSV, MEANS = "eval.json", "eval.csv", "means.csv"
AVERAGING = (
    "Means of bits per pixel, of dB and of seconds are taken over images, which all count alike whatever their size. "
    "They include only the images that every codec coded at every quality, so that all means are over the same images; "
    "means of MS-SSIM leave out those of them that are too small for it. Peak memory is the maximum."
)
_DERIVED = ("averaging", "images_in_means", "means")
_SIZES = ("height", "width", "bytes")
_ANY_SIGN = ("quality", "psnr", "ms_ssim", "ms_ssim_db")
_AVERAGED = (
    "bytes",
    "bpp",
    "psnr",
    "ms_ssim",
    "ms_ssim_db",
    "encode_seconds",
    "encode_networks_seconds",
    "encode_coder_seconds",
    "decode_seconds",
    "decode_networks_seconds",
    "decode_coder_seconds",
)


class Row(NamedTuple):
    """The figures of one image with one codec at one quality; `measurement.CONVENTIONS` defines them.

    Attributes:
      codec: Name of the codec.
      image: Name of the image.
      quality: The quality, or None if the codec has a single rate.
      height: Height of the image in pixels.
      width: Width of the image in pixels.
      bytes: Length of the stream.
      bpp: Bits per pixel.
      psnr: PSNR in dB, or None if it is infinite because nothing was lost.
      ms_ssim: MS-SSIM, or None if the image is too small for it.
      ms_ssim_db: MS-SSIM in dB, or None if it is missing or infinite.
      encode_seconds: Seconds from pixels to bytes.
      encode_coder_seconds: The range coder's share of them, or None if the codec does not report it.
      decode_seconds: Seconds from bytes to pixels.
      decode_coder_seconds: The range coder's share of them, or None if the codec does not report it.
      peak_memory: Bytes, or None if the system does not report them.
      notes: The reason why figures are missing.
    """

    codec: str
    image: str
    quality: float | None
    height: int
    width: int
    bytes: int
    bpp: float
    psnr: float | None
    ms_ssim: float | None
    ms_ssim_db: float | None
    encode_seconds: float
    encode_coder_seconds: float | None
    decode_seconds: float
    decode_coder_seconds: float | None
    peak_memory: int | None
    notes: str = ""

    @property
    def encode_networks_seconds(self) -> float | None:
        """Seconds that encoding takes beside the range coder."""
        return None if self.encode_coder_seconds is None else self.encode_seconds - self.encode_coder_seconds

    @property
    def decode_networks_seconds(self) -> float | None:
        """Seconds that decoding takes beside the range coder."""
        return None if self.decode_coder_seconds is None else self.decode_seconds - self.decode_coder_seconds


_HINTS = typing.get_type_hints(Row)


def checked_row(values: dict[str, Any]) -> Row:
    """Returns a row of values that stand in a file.

    Raises:
      KeyError: A figure is missing.
      ValueError: A figure is of another type, or such as no measurement gives.
    """
    # Files have further columns, which follow from those of a row.
    row = Row(**{name: values[name] for name in Row._fields if name in values or name not in Row._field_defaults})
    for name, value in row._asdict().items():
        check_argument("a row", name, value, _HINTS[name])
        if isinstance(value, (int, float)) and name not in _ANY_SIGN and (value < 0 or (name in _SIZES and not value)):
            raise ValueError(f"a row: expected {name} over 0. Received: {value!r}")
    return row


class Failure(NamedTuple):
    """An image that could not be measured.

    Attributes:
      image: Name of the image.
      codec: Name of the codec that failed, or None if the image could not be read.
      quality: The quality that failed.
      error: The error message.
    """

    image: str
    codec: str | None
    quality: float | None
    error: str


class Results:
    """The rows of an evaluation, and the means that follow from them.

    Args:
      rows: One row for each image, codec and quality.
      failures: The images that could not be measured.
      facts: Anything else that belongs to the results, as plain data.
    """

    def __init__(self, rows: Iterable[Row], failures: Iterable[Failure] = (), facts: dict[str, Any] | None = None):
        # An image that was measured twice, by two evaluations at once, counts once.
        self.rows = list({(row.codec, row.image, row.quality): row for row in rows}.values())
        self.failures, self.facts = list(failures), facts or {}

    @property
    def codecs(self) -> list[str]:
        """Names of the codecs, in the order of the rows."""
        return list(dict.fromkeys(row.codec for row in self.rows))

    @property
    def common(self) -> list[str]:
        """Names of the images that every codec coded at every quality."""
        points = {(row.codec, row.quality) for row in self.rows}
        count = collections.Counter(row.image for row in self.rows)
        return [image for image, times in count.items() if times == len(points)]

    def means(self) -> list[dict[str, Any]]:
        """Returns a dict for each codec and quality: names, number of images, and means as `AVERAGING` defines them."""
        common, points = set(self.common), collections.defaultdict(list)
        for row in self.rows:
            if row.image in common:
                points[row.codec, row.quality].append(row)
        return [_mean(codec, quality, rows) for (codec, quality), rows in points.items()]

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
                file.write(_csv(table).encode(errors="backslashreplace"))  # A name may have any bytes.

    @classmethod
    def read(cls, path: str | os.PathLike) -> Results:
        """Reads the results that `write` wrote, from their folder or from its eval.json.

        Raises:
          EvaluationError: The file is missing, or it does not hold results with all columns.
        """
        path = pathlib.Path(path)
        file = path / JSON if path.is_dir() else path
        if not file.exists():
            raise EvaluationError(f"There is no evaluation at {file}. Make one with `lic eval`.")
        with as_error(
            EvaluationError, f"{file} is not a file that `lic eval` writes", f"Name a folder of results or its {JSON}."
        ):
            facts = read_json(file)
            missing = [name for name in ("rows", "failures") if name not in facts]
            if missing:
                raise ValueError(f"{' and '.join(missing)} missing")
            rows = [checked_row(row) for row in facts.pop("rows")]
            failures = [checked_failure(failure) for failure in facts.pop("failures")]
            check_facts(facts)
        return cls(rows, failures, {name: fact for name, fact in facts.items() if name not in _DERIVED})


def checked_failure(values: dict[str, Any]) -> Failure:
    """Returns a failure of values that stand in a file.

    Raises:
      TypeError: A value is missing, or there are others.
      ValueError: A text is of another type.
    """
    failure = Failure(**values)
    check_argument("a failure", "its texts", (failure.image, failure.error), tuple[str, str])
    return failure


def check_facts(facts: dict[str, Any]) -> None:
    """Checks facts that stand in a file.

    Raises:
      ValueError: They name no images and codecs.
    """
    for name in ("images", "codecs"):
        value = facts.get(name, {})
        if not isinstance(value, dict) or (
            name == "codecs" and not all(isinstance(each, dict) for each in value.values())
        ):
            raise ValueError(f"expected {name} to be an object. Received: {value!r}")


def _mean(codec: str, quality: float | None, rows: list[Row]) -> dict[str, Any]:
    # A missing PSNR is infinite, and so is any mean that includes it. Of images that are too small for MS-SSIM, neither
    # it nor its decibels are known; where only the decibels are missing, they are infinite.
    known = [row for row in rows if row.ms_ssim is not None]
    means = {
        name: _mean_of([getattr(row, name) for row in (known if name.startswith("ms_ssim") else rows)])
        for name in _AVERAGED
    }
    memory = [row.peak_memory for row in rows if row.peak_memory is not None]
    return {
        "codec": codec,
        "quality": quality,
        "images": len(rows),
        **means,
        "ms_ssim_images": sum(row.ms_ssim is not None for row in rows),
        "peak_memory": max(memory, default=None),
    }


def _mean_of(values: list[float | None]) -> float | None:
    return None if not values or None in values else statistics.fmean(values)


def _with_networks(row: Row) -> dict[str, Any]:
    networks = {name: getattr(row, name) for name in ("encode_networks_seconds", "decode_networks_seconds")}
    return row._asdict() | networks


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else Row._fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
