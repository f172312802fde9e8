"""Options that several commands share, and the codec that they describe."""

from __future__ import annotations

import functools
import os
import pathlib
import sys
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from lic.cli.standard_streams import printable
from lic.errors import LicError

if TYPE_CHECKING:
    from lic.codec.bitstream import Stream

MAX_PIXELS = "Decode images of at most N pixels, padded; default: 268,435,456."
MODEL = "A model that ships, a .codec file, or the folder of a training."
PRECISION = "Type in which transforms compute: float32, or bfloat16, which is faster on processors that have it."
ANCHOR = (
    "A codec of the runs, or a published curve such as vtm; published:webp where a run has webp, too. [default: jpeg]"
)
PUBLISHED = "Published curves over Kodak, such as vtm bpg444 ms2020, or all of them: all."
MEASURES = ("psnr", "ms_ssim_db")
METHODS = ("pchip", "akima", "cubic")
TILE = "Height and width in pixels of the tiles of large images: a number, auto, or none."

OUT = "Output file, or folder; a folder is made, and - is standard output."
SKIP_EXISTING = "Leave out inputs whose outputs exist."
ROI = "Picture of any size: white where --roi-quality counts, black where --quality does, grey for what is between."
ROI_QUALITY = "Quality of the region of --roi."
DETERMINISTIC = "Make streams that decode on every machine."
RAY = "Address of a Ray cluster that does the work, or local. All machines must see the files under the same paths."


class Region(NamedTuple):
    """A region of interest.

    Attributes:
      share: How far each entry of the mask belongs to it [rows, columns], 0 to 1.
      quality: Its quality.
    """

    share: Any
    quality: float

    def over(self, codec: Any, background: float | None) -> Any:
        """Returns the map of qualities [rows, columns] for a codec, whose default is that of a missing background."""
        background = codec.model.rate.default if background is None else background
        return background + (self.quality - background) * self.share


def region(roi: pathlib.Path | None, roi_quality: float | None) -> Region | None:
    """Returns the region of the options --roi and --roi-quality, or None without them.

    Raises:
      typer.BadParameter: One is given without the other.
      ImageError: The mask cannot be read.
    """
    if (roi is None) != (roi_quality is None):
        raise typer.BadParameter("--roi and --roi-quality belong together; give both")
    if roi is None:
        return None
    from lic.images import read_image

    mask = read_image(roi, background="black", to_8_bit=True, frame=0)
    return Region((mask if mask.ndim == 2 else mask.mean(-1)) / 255, roi_quality)


def check_qualities(count: int, quality: float | None, region: Region | None) -> None:
    """Raises a typer.BadParameter unless a codec has the qualities of the options --quality and --roi-quality.

    Args:
      count: Number of qualities that the codec has; 0 for a single rate.
      quality: The value of --quality, if it is given.
      region: The region, if there is one.
    """
    for name, value in (("--quality", quality), ("--roi-quality", region and region.quality)):
        if value is not None and not 1 <= value <= count:
            expected = f"expected quality from 1 to {count}" if count else "the model has a single rate; leave it out"
            raise typer.BadParameter(f"{name} {value:g}: {expected}")


def load(model: str, precision: str, tile: str, deterministic: bool = False) -> Any:
    """Loads the codec that the options of a command describe.

    Args:
      model: Name of a model that ships, or path of a codec file or of a training's folder.
      precision: "float32" or "bfloat16".
      tile: "auto", "none" or a number of pixels.
      deterministic: As for `lic.Codec`.

    Raises:
      typer.BadParameter: The value of an option is not allowed.
    """
    arguments = codec_arguments(precision, tile)
    return codec_at(model, deterministic=deterministic, **arguments)


def codec_at(model: str, **arguments: Any) -> Any:
    """Returns the codec of a model that ships, of a codec file, or of the folder of a training.

    A finished training has its final codec. Another one has the codec of its last checkpoint.

    Args:
      model: The name or the path.
      **arguments: Arguments of `lic.load`.
    """
    import lic

    if not _is_unfinished(model):
        return lic.load(model, **arguments)
    from lic.training import codec_of_run

    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "last.codec"
        codec_of_run(model).save(path)
        return lic.load(path, **arguments)


class CodecLoader:
    """Loads a codec when it is first needed, since that takes seconds; its file is looked at before.

    Args:
      model: As for `load`.
      precision: As for `load`.
      tile: As for `load`.
      deterministic: As for `load`.
      max_pixels: Streams of larger images, padded, are refused; default: that of `lic.Codec.decompress`.

    Attributes:
      max_pixels: The same.

    Raises:
      typer.BadParameter: The value of an option is not allowed.
      LicError: There is no such model, or its file is no codec file.
    """

    def __init__(
        self, model: str, precision: str, tile: str, deterministic: bool = False, max_pixels: int | None = None
    ):
        from lic.codec.bitstream import MAX_PIXELS

        codec_arguments(precision, tile)
        self.max_pixels = MAX_PIXELS if max_pixels is None else max_pixels
        self._arguments = (model, precision, tile, deterministic)
        self._text = _text_of(model)

    @functools.cached_property
    def codec(self) -> Any:
        """The codec. If it cannot be loaded, no job can be done, and the command ends."""
        try:
            return load(*self._arguments)
        except LicError as error:
            print(f"lic: {printable(str(error))}", file=sys.stderr)
            raise typer.Exit(1) from None

    @property
    def channels(self) -> int:
        """Channels of the images that the codec takes; a training that is not finished is one of 3."""
        return (self._text or {}).get("channels", 3)

    @property
    def bit_depth(self) -> int:
        """Bits of a channel of these images."""
        return (self._text or {}).get("bit_depth", 8)

    @property
    def qualities(self) -> int:
        """Number of qualities of the codec; 0 for a single rate. A training that is not finished is loaded for it."""
        if self._text is None:
            return len(self.codec.qualities)
        lmbda = self._text["config"]["lmbda"]
        return len(lmbda) if isinstance(lmbda, list) else 0

    @property
    def takes_photographs(self) -> bool:
        """Whether the codec takes colour of 8 bits, as files of photographs hold it."""
        return (self.channels, self.bit_depth) == (3, 8)

    def check(self, stream: Stream) -> None:
        """Raises an error unless the codec made a stream; it need not be loaded."""
        from lic.codec.bitstream import Flag, StreamFormat
        from lic.codec.shipped import name_of

        if self._text is None:
            return
        deterministic = Flag.DETERMINISTIC in stream.flags
        fingerprint = self._text.get("integer_fingerprint" if deterministic else "fingerprint")
        if fingerprint is not None:
            streams = StreamFormat(bytes.fromhex(fingerprint), deterministic, self.qualities)
            streams.check(stream, self.max_pixels, name_of)


def _text_of(model: str) -> dict[str, Any] | None:
    """Returns the text of a codec's file; None for a training that is not finished, whose codec has no file yet."""
    from lic.codec.codec_file import read_text
    from lic.codec.shipped import codec_path

    return None if _is_unfinished(model) else read_text(codec_path(model))


def _is_unfinished(model: str) -> bool:
    """Returns whether a model is the folder of a training that is not finished."""
    from lic.codec.shipped import codec_path, is_path

    return is_path(model) and os.path.isdir(codec_path(model))


def codec_arguments(precision: str, tile: str) -> dict[str, Any]:
    """Returns the arguments of `lic.Codec` for the options of a command.

    Args:
      precision: "float32" or "bfloat16".
      tile: "auto", "none" or a number of pixels.

    Raises:
      typer.BadParameter: The value of an option is not allowed.
    """
    if precision not in ("float32", "bfloat16"):
        raise typer.BadParameter(f"--precision {precision}: expected float32 or bfloat16")
    if tile not in ("auto", "none") and not (tile.isdecimal() and int(tile) > 0):
        raise typer.BadParameter(f"--tile {tile}: expected auto, none or a number of pixels")
    return {"precision": precision, "tile": int(tile) if tile.isdecimal() else tile if tile == "auto" else None}


def check_choice(option: str, value: str, among: Sequence[str]) -> None:
    """Raises a `typer.BadParameter` unless the value of an option is one of those in `among`."""
    if value not in among:
        raise typer.BadParameter(f"--{option} {value}: expected {', '.join(among[:-1])} or {among[-1]}")


def published_of(names: Sequence[str] | None) -> list[str]:
    """Returns the names of published curves for the values of an option, where "all" names all of them."""
    from lic.evaluation.compare.curves import published_curves

    return list(published_curves()) if "all" in (names or []) else list(names or [])
