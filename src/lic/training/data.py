"""Random crops of the photographs in a folder: the crops of a step depend on the seed and not on earlier steps."""

from __future__ import annotations

import collections
import functools
import itertools
import logging
import math
import os
import pathlib
import threading
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from PIL import Image

from lic.argument_types import Count, CountOrZero, check_argument
from lic.environment import tf
from lic.errors import ImageError, TrainingError, check
from lic.images import image_files, image_size, read_image
from lic.images.arrays import coloured
from lic.images.folders import digest_of

_log = logging.getLogger(__name__)
_CROPS_PER_READ = 16  # Crops for each photograph that is read, if the folder does not fit in memory.
_SIZES = 1 << 31  # Keeps the random numbers of sizes apart from those of the order.
_READY = 4  # Batches that are made ahead of the model.


class Photographs:
    """Random crops of the photographs in a folder and all folders inside.

    Crop number i depends on the seed, on i and on the files only. A folder that fits in memory is read once. In a
    larger one a window moves over the photographs, in an order that depends on the seed.

    Args:
      folder: The folder.
      crop: Height and width of the crops in pixels.
      batch: Crops in a batch.
      seed: Seed of the order of the photographs and of the crops.
      least_scale: Each crop is taken from the photograph reduced by a random factor between this and 1.
      flips: Whether half of the crops are mirrored, and half transposed.
      small: "skip" leaves out photographs smaller than a crop, "upscale" enlarges them.
      trim: The crops of each step lack up to so many rows at the bottom and columns on the right; a step draws both.
      sharpen: The difference between a crop and its means over 3x3 pixels is added to it, times a random number from 0
        to this. Crops of images that were made smaller are softer than many photographs are.
      grey: The share of the crops whose colours are removed.
      later_crops: Steps and sizes, by rising steps: from each of these steps on, crops have this height and width.
      memory: Bytes of decoded photographs that are kept.

    Attributes:
      crop: The largest height and width of crops.
      listing: Path inside the folder, and bytes, of each photograph.
      digest: SHA-256 of the listing and of the first 64 KiB of each file, in hexadecimal.
      skipped: Path inside the folder -> the reason for leaving a file out. Files that prove damaged later are added.

    Raises:
      TrainingError: The folder does not exist, or holds no photograph that can be used.
      ValueError: An argument has another type, or is out of range.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        crop: int = 256,
        batch: int = 8,
        *,
        seed: int = 0,
        least_scale: float = 1.0,
        flips: bool = True,
        small: Literal["skip", "upscale"] = "skip",
        trim: int = 0,
        sharpen: float = 0.0,
        grey: float = 0.0,
        later_crops: Sequence[tuple[int, int]] = (),
        memory: int = 2 << 30,
    ):
        later_crops = tuple(later_crops) if isinstance(later_crops, Iterable) else later_crops
        for name, hint in typing.get_type_hints(Photographs.__init__).items():
            check_argument("Photographs", name, locals()[name], hint)
        check_crops("Photographs", crop, later_crops, batch, least_scale, trim, sharpen, grey)
        check("Photographs", "seed", seed >= 0, "at least 0", seed)
        self.folder, self.batch, self.seed = pathlib.Path(folder), int(batch), int(seed)
        self._crop_from = [(int(step), int(size)) for step, size in ((0, crop), *later_crops)]
        self.crop = max(size for _, size in self._crop_from)
        self.least_scale, self.flips, self.small = least_scale, flips, small
        self.trim, self.sharpen, self.grey = int(trim), sharpen, grey
        self.skipped: dict[str, str] = {}
        self.listing: list[tuple[str, int]] = []
        pixels = [size for file in photograph_files(self.folder) if (size := self._list(file))]
        if not self.listing:
            raise TrainingError(f"{folder} holds no photograph that can be used. {self._reasons()}")
        self.digest = digest_of(self.folder, [name for name, _ in self.listing])
        self._window = int(np.clip(memory // (3 * np.mean(pixels)), 1, len(self.listing)))
        self._kept: collections.OrderedDict[str, np.ndarray] = collections.OrderedDict()
        self._lock = threading.Lock()  # A dataset makes crops in a thread of its own.

    def batch_at(self, step: int) -> np.ndarray:
        """Returns the batch of a step, from 0: uint8 [batch, height, width, 3].

        Both are the crop's size at this step, less what `trim` allows.

        Raises:
          TrainingError: None of the photographs can be read.
          ValueError: `step` is no whole number of at least 0.
        """
        check_argument("batch_at", "step", step, CountOrZero)
        step = int(step)
        return self._crops(step, range(step * self.batch, (step + 1) * self.batch))

    def dataset(
        self, start: int = 0, stop: int | None = None, *, parts: range = range(1), of: int = 1
    ) -> tf.data.Dataset:
        """Returns the batches of steps from `start` to before `stop`, float32 [batch / of, height, width, 3] on 0..255.

        Args:
          start: The first step.
          stop: The step after the last one, or None for no end.
          parts: Numbers of the parts of each batch that are returned in turn; several devices share a batch.
          of: Number of parts that each batch is divided into.

        Raises:
          TrainingError: The batch cannot be divided.
          ValueError: Another argument has another type, or is out of range.
        """
        for name, value, hint in (("start", start, CountOrZero), ("stop", stop, int | None), ("of", of, Count)):
            check_argument("dataset", name, value, hint)
        start, stop, of = int(start), stop if stop is None else int(stop), int(of)
        check("dataset", "parts", all(0 <= part < of for part in parts), f"numbers from 0 to {of - 1}", parts)
        if self.batch % of:
            raise TrainingError(
                f"Expected batch to be a multiple of {of}, the number of devices that share it. Received: {self.batch}."
            )
        share = self.batch // of

        def shares() -> Iterator[np.ndarray]:
            for step in itertools.takewhile(lambda step: stop is None or step < stop, itertools.count(start)):
                for part in parts:
                    first = step * self.batch + part * share
                    yield self._crops(step, range(first, first + share))

        # Of unknown sizes, a training step is traced once for all of them.
        side = None if self.trim or len(self._crop_from) > 1 else self.crop
        signature = tf.TensorSpec((share, side, side, 3), tf.uint8)
        dataset = tf.data.Dataset.from_generator(shares, output_signature=signature)
        if stop is not None:  # Keras would take a step behind the end of a dataset of unknown length.
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(max(stop - start, 0) * len(parts)))
        return dataset.map(lambda crops: tf.cast(crops, tf.float32)).prefetch(_READY)

    def _crops(self, step: int, numbers: range) -> np.ndarray:
        random = np.random.default_rng((self.seed, step, _SIZES))
        size = max(each for each in self._crop_from if each[0] <= step)[1]
        height, width = size - random.integers(self.trim + 1, size=2)
        return np.stack([self._crop(number, size)[:height, :width] for number in numbers])

    def _crop(self, number: int, size: int) -> np.ndarray:
        random = np.random.default_rng((self.seed, number))
        pixels = self._photograph(number // _CROPS_PER_READ, random)
        scale = random.uniform(self.least_scale, 1.0)
        side = min(round(size / scale), *pixels.shape[:2])
        top, left = (int(random.integers(length - side + 1)) for length in pixels.shape[:2])
        crop = pixels[top : top + side, left : left + side]
        if side != size:
            crop = np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC))
        mirrored, turned = random.random(2) < 0.5
        if self.sharpen:
            crop = _sharpened(crop, self.sharpen * random.random())
        if random.random() < self.grey:
            crop = np.broadcast_to(np.asarray(Image.fromarray(crop).convert("L"))[..., None], crop.shape)
        crop = crop[:, ::-1] if self.flips and mirrored else crop
        return crop.transpose(1, 0, 2) if self.flips and turned else crop

    def _photograph(self, first: int, random: np.random.Generator) -> np.ndarray:
        """Returns a photograph from the window that begins at place `first` of the order; damaged ones are left out."""
        place = first + int(random.integers(self._window))
        for name in map(self._name_at, range(place, place + 2 * len(self.listing))):
            pixels = None if name in self.skipped else self._read(name)
            if pixels is not None:
                return pixels
        raise TrainingError(f"None of the photographs in {self.folder} can be read. {self._reasons()}")

    def _name_at(self, place: int) -> str:
        """Returns the name at a place of the order; each round has all photographs once, in an order of its own."""
        round_number, index = divmod(place, len(self.listing))
        return self.listing[_order(self.seed, round_number, len(self.listing))[index]][0]

    def _read(self, name: str) -> np.ndarray | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            try:
                pixels = self._decoded(name)
            except ImageError as error:
                self._skip(name, error.without_advice())
                return None
            self._kept[name] = pixels
            while len(self._kept) > self._window:
                self._kept.popitem(last=False)
            return pixels

    def _decoded(self, name: str) -> np.ndarray:
        pixels = read_photograph(self.folder / name)
        height, width = self._enlarged(*pixels.shape[:2])
        if (height, width) == pixels.shape[:2]:
            return pixels
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))

    def _enlarged(self, height: int, width: int) -> tuple[int, int]:
        """Returns the height and the width of a photograph that is made as large as a crop, if it is smaller."""
        scale = max(1.0, self.crop / min(height, width))
        return max(self.crop, round(height * scale)), max(self.crop, round(width * scale))

    def _list(self, file: pathlib.Path) -> int | None:
        """Adds a file to the listing and returns how many pixels are kept of it; None for a file that is left out."""
        name = file.relative_to(self.folder).as_posix()
        try:
            height, width = image_size(file)
        except ImageError as error:
            self._skip(name, str(error))
            return None
        if min(width, height) < self.crop:
            if self.small == "skip":
                self._skip(name, f"its {width}x{height} pixels are less than a crop's {self.crop}")
                return None
            _log.warning("%s: %dx%d pixels are enlarged to a crop's %d", name, width, height, self.crop)
        self.listing.append((name, file.stat().st_size))
        return math.prod(self._enlarged(height, width))

    def _skip(self, name: str, reason: str) -> None:
        if name not in self.skipped:
            self.skipped[name] = reason
            _log.warning("%s is left out: %s", name, reason)

    def _reasons(self) -> str:
        name, reason = next(iter(self.skipped.items()))
        return f"Files that are left out: {len(self.skipped)}. The first is {name}, because {reason}."


def _sharpened(pixels: np.ndarray, share: float) -> np.ndarray:
    """Returns pixels [height, width, 3] to which a share of their difference to means over 3x3 pixels is added."""
    (height, width), values = pixels.shape[:2], pixels.astype(np.float32)
    around = np.pad(values, ((1, 1), (1, 1), (0, 0)), "edge")
    means = sum(around[row : row + height, column : column + width] for row in range(3) for column in range(3)) / 9
    return np.rint(np.clip(values + share * (values - means), 0, 255)).astype(np.uint8)


@functools.lru_cache(maxsize=2)
def _order(seed: int, round_number: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, round_number, count)).permutation(count)


def photograph_files(folder: str | os.PathLike) -> list[pathlib.Path]:
    """Returns the image files in a folder and in all folders inside, sorted.

    Raises:
      TrainingError: The folder does not exist, or holds no image files.
    """
    try:
        return image_files(folder)
    except ImageError as error:
        raise TrainingError(str(error)) from None


def read_photograph(file: str | os.PathLike) -> np.ndarray:
    """Returns a photograph as training and validation see it: uint8 [height, width, 3], over white where transparent.

    Raises:
      ImageError: The file cannot be read.
    """
    return coloured(read_image(file, background="white", to_8_bit=True))


def check_crops(
    owner: str,
    crop: int,
    later_crops: Sequence[tuple[int, int]],
    batch: int,
    least_scale: float,
    trim: int,
    sharpen: float,
    grey: float,
) -> None:
    """Raises a ValueError if arguments of `Photographs`, given to `owner`, are out of range."""
    rising = all(before < after for before, after in itertools.pairwise([0, *(step for step, _ in later_crops)]))
    check(owner, "later_crops", rising, "pairs of a step over 0 and a size, by rising steps", later_crops)
    for size in (crop, *(size for _, size in later_crops)):
        check(owner, "crop", size >= 1, "at least 1", size)
        check(owner, "trim", 0 <= trim < size, f"from 0 to less than crop={size}", trim)
    check(owner, "batch", batch >= 1, "at least 1", batch)
    check(owner, "least_scale", 0 < least_scale <= 1, "over 0 and at most 1", least_scale)
    check(owner, "sharpen", 0 <= sharpen < math.inf, "a number of at least 0", sharpen)
    check(owner, "grey", 0 <= grey <= 1, "from 0 to 1", grey)
