"""Tasks of measurements, each a model with its weights and images, and the options that define them."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from measuring import in_fresh_process

from lic import registry
from lic.codec.codec_file import read_text
from lic.codec.shipped import codec_path

if TYPE_CHECKING:
    import numpy as np

    from lic import CompressionModel

RESULTS = pathlib.Path(__file__).parent / "results"
DEFAULT_SIZE = (768, 512)
CELLS = (64, 32, 16, 8, 4, 2)  # Pixels from one random number to the next, in each layer of the noise.


@dataclasses.dataclass(frozen=True)
class Task:
    """The task of one measuring process.

    Attributes:
      model: Name of a registered model, or TRANSFORM+ENTROPY for a mix of parts at their default sizes.
      width: Width of the images in pixels.
      height: Height of the images in pixels.
      batch: Number of images.
      precision: The precision, whose values the measuring script defines; None if it was not given.
      tile: Argument `tile` of the codec.
      image: File of the image, or None for smooth noise.
      checkpoint: Checkpoint of the published code that the weights are taken from, or None.
      shipped: Whether the weights are those that ship with the model.
      repeats: Number of measurements of each quantity that is measured more than once.
      sizes: Sizes of the parts that differ from the model's own.
    """

    model: str
    width: int
    height: int
    batch: int = 1
    precision: str | None = None
    tile: int | str | None = None
    image: str | None = None
    checkpoint: str | None = None
    shipped: bool = False
    repeats: int = 5
    sizes: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def weights(self) -> str:
        """The origin of the weights: "imported", "fresh", or "shipped" and the fingerprint of their codec."""
        return "imported" if self.checkpoint else shipped_weights(self.model) if self.shipped else "fresh"

    @property
    def size(self) -> str:
        """Width x height, after the number of images if there are several."""
        return f"{self.batch}x" * (self.batch > 1) + f"{self.width}x{self.height}"

    def __str__(self) -> str:
        tile = f", tile {self.tile}" if self.tile else ""
        return f"{self.model} ({self.weights} weights), {self.size}, {self.precision or 'float32'}{tile}"

    def make_model(self) -> CompressionModel:
        """Makes the model and its variables; fresh weights are the same each time."""
        import lic
        from lic.environment import keras
        from lic.weights import get_tensors, set_tensors

        keras.utils.set_random_seed(0)
        if self.checkpoint:
            return lic.import_checkpoint(self.checkpoint, self.model)
        model = lic.create_model(**parts_of(self.model), **self.sizes)
        if self.shipped:
            set_tensors(model, get_tensors(lic.load(self.model).model))
        return model

    def pixels(self) -> np.ndarray:
        """Returns the images, uint8 [batch, height, width, 3]."""
        import numpy as np

        if self.image:
            return _read(self.image)[None]
        return np.stack([smooth_noise(self.width, self.height, seed) for seed in range(self.batch)])


@functools.cache
def shipped_weights(model: str) -> str:
    """Returns "shipped" and the fingerprint of the weights that ship with a model today."""
    return f"shipped {read_text(codec_path(model))['fingerprint']}"


def parts_of(model: str) -> dict[str, str]:
    """Returns the arguments of `lic.create_model` for a name, a model's or TRANSFORM+ENTROPY[+LIKELIHOOD]."""
    parts = model.split("+")
    return dict(zip(("transform", "entropy", "likelihood"), parts)) if len(parts) > 1 else {"name": model}


def smooth_noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Returns random noise, uint8 [height, width, 3], that is stronger the coarser it is, as in photographs."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(seed)
    noise = np.zeros((3, height, width), np.float32)
    for cell in CELLS:
        coarse = random.normal(0, cell, (3, -(-height // cell), -(-width // cell))).astype(np.float32)
        noise += [Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC) for plane in coarse]
    scaled = 127.5 + 50 * (noise - noise.mean()) / max(noise.std(), 1e-6)
    return np.clip(scaled, 0, 255).astype(np.uint8).transpose(1, 2, 0)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Prints the message without the usage, and exits with 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def parser_of(description: str, script: str, precisions: tuple[str, ...], needs_model: bool = True) -> Parser:
    """Returns a parser of the options that measuring scripts share."""
    parser = Parser(prog=script, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    models = "registered models, or mixes TRANSFORM+ENTROPY"
    parser.add_argument("--model", nargs="+", required=needs_model, metavar="NAME", help=models)
    parser.add_argument("--size", nargs="+", type=size, metavar="WxH", help="width and height of the images (768x512)")
    parser.add_argument("--image", metavar="FILE", help="an image in its own size; default: smooth noise")
    parser.add_argument("--checkpoint", metavar="PATH", help="weights of the published code; default: fresh ones")
    parser.add_argument("--shipped", action="store_true", help="the weights that ship with the model")
    if precisions:
        parser.add_argument("--precision", nargs="+", choices=precisions, help="one measurement for each")
    parser.add_argument("--repeats", type=count, default=5, metavar="N", help="measurements after a warm-up (5)")
    parser.add_argument("--calibration-repeats", type=count, default=9, metavar="N", help="calls of a calibration (9)")
    parser.add_argument(
        "--out", type=pathlib.Path, default=RESULTS / f"{script}.csv", metavar="CSV", help="rows are appended to it"
    )
    return parser


def tasks_of(options: argparse.Namespace) -> list[Task]:
    """Returns the task of each model at each size, without a precision.

    Raises:
      ValueError: Options contradict each other.
      LicError: A model is unknown, or the image cannot be read.
    """
    if options.size and options.image:
        raise ValueError("Give --size or --image, not both: an image is taken in its own size.")
    if options.checkpoint and options.shipped:
        raise ValueError("Give --checkpoint or --shipped, not both.")
    if options.checkpoint and len(options.model) > 1:
        raise ValueError("Give one --model with --checkpoint: a checkpoint is of one model.")
    sizes = [_size_of(options.image)] if options.image else options.size or [DEFAULT_SIZE]
    check_models(options.model)
    common = {name: getattr(options, name) for name in ("image", "checkpoint", "shipped", "repeats")}
    return [Task(name, *size, **common) for name, size in itertools.product(options.model, sizes)]


def check_models(names: Iterable[str]) -> None:
    """Raises a RegistryError if a model or a part is unknown, before anything is measured."""
    parts = [parts_of(name) for name in names]
    for each in parts:
        if "name" in each:
            registry.models.get(each["name"])
    mixes = [each for each in parts if "name" not in each]
    if mixes:
        in_fresh_process(_check_mixes, mixes)  # The registries of parts import TensorFlow.


def _check_mixes(mixes: list[dict[str, str]]) -> None:
    for mix in mixes:
        registry.transforms.get(mix["transform"])
        registry.entropy_models.get(mix["entropy"])
        if "likelihood" in mix:
            registry.likelihoods.get(mix["likelihood"])


def size(text: str) -> tuple[int, int]:
    """Returns the width and height of a text such as 768x512."""
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 768x512, received {text!r}")
    return int(found[1]), int(found[2])


def count(text: str) -> int:
    """Returns the whole number over 0 of a text."""
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"expected a whole number over 0, received {text!r}")
    return int(text)


def tile(text: str) -> int | str | None:
    """Returns the tile of a text: a number of pixels, "auto" or None."""
    return {"auto": "auto", "none": None}[text] if text in ("auto", "none") else count(text)


def _read(path: str) -> np.ndarray:
    from lic.images import read_image
    from lic.images.arrays import coloured

    return coloured(read_image(path))


def _size_of(path: str) -> tuple[int, int]:
    height, width, _ = _read(path).shape
    return width, height
