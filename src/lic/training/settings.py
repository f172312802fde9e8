"""The settings of a training, and presets: settings of published papers by name."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from typing import Any, Literal

from lic.config import checked_value
from lic.environment import Precision
from lic.errors import RegistryError, check
from lic.models.lambdas import LAMBDAS, lmbda_of_beta
from lic.registry import suggestion
from lic.training.data import check_crops
from lic.training.schedule import Decay, LearningRate

Optimizer = Literal["adam", "soap"]
_SEEDS = 2**32 - 1  # One fewer than numpy has, since the last phase takes the next one.


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training.

    Attributes:
      steps: Steps of the optimizer.
      batch: Crops in a step.
      crop: Height and width of the crops in pixels.
      later_crops: Steps and sizes: from each of these steps on, crops have this height and width.
      optimizer: "adam", `lic.Adam`, or "soap", `lic.SOAP`.
      learning_rate: Learning rate of the optimizer after the warm-up.
      warm_up: Steps of the warm-up.
      decay: "none", "cosine" or "tenth", see `lic.training.LearningRate`.
      clip: Largest norm of all gradients together, or None.
      average: Share of their value that averaged weights keep in a step, or None for no averaging. The untrained
        weights have no share.
      precision: Type in which the transforms compute, "float32" or "bfloat16"; the entropy path is float32.
      least_scale: Crops are taken from images reduced by a random factor from this to 1.
      small: "skip" or "upscale" images smaller than a crop.
      trim: The crops of each step lack up to so many rows at the bottom and columns on the right. With 63 a model
        trains the padded borders of images whose sides are no multiples of 64.
      sharpen: Crops are sharpened by up to so much, see `lic.training.Photographs`.
      grey: The share of the crops whose colours are removed.
      seed: Seed of the initial weights, the crops and the noise.
      interval: Steps from one checkpoint and validation to the next; a Keras epoch.
      start_scales: Whether the scales are initialised by the untrained analysis of photographs.
      frozen: Parts that keep their weights, such as "transform/analysis".
      rounded: Whether numbers are rounded for the rate too, in place of noise.
      last_steps: Steps of a last phase, at most `interval` or a multiple of it. The phase starts from the averaged
        weights. In it the analysis is frozen and numbers are rounded, at a tenth of the learning rate.

    Raises:
      ValueError: A setting is out of range.
    """

    steps: int = 1_000_000
    batch: int = 8
    crop: int = 256
    later_crops: tuple[tuple[int, int], ...] = ()
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    warm_up: int = 200
    decay: Decay = "tenth"
    clip: float | None = 1.0
    average: float | None = 0.995
    precision: Precision = "float32"
    least_scale: float = 1.0
    small: Literal["skip", "upscale"] = "skip"
    trim: int = 0
    sharpen: float = 0.0
    grey: float = 0.0
    seed: int = 0
    interval: int = 1000
    start_scales: bool = True
    frozen: tuple[str, ...] = ()
    rounded: bool = False
    last_steps: int = 0

    def __post_init__(self):
        for name, hint in typing.get_type_hints(type(self)).items():
            object.__setattr__(self, name, checked_value("TrainingSettings", name, getattr(self, name), hint))
        expect = functools.partial(check, "TrainingSettings")
        expect("steps", self.steps >= 1, "at least 1", self.steps)
        crops = self.crop, self.later_crops, self.batch
        check_crops("TrainingSettings", *crops, self.least_scale, self.trim, self.sharpen, self.grey)
        expect("last_steps", self.last_steps >= 0, "at least 0", self.last_steps)
        expect("learning_rate", 0 < self.learning_rate < math.inf, "over 0 and finite", self.learning_rate)
        expect("warm_up", self.warm_up >= 0, "at least 0", self.warm_up)
        expect("seed", 0 <= self.seed < _SEEDS, f"from 0 to {_SEEDS - 1}", self.seed)
        expect("clip", self.clip is None or 0 < self.clip < math.inf, "None, or over 0 and finite", self.clip)
        expect("average", self.average is None or 0 < self.average < 1, "None or between 0 and 1", self.average)
        interval = min(self.interval, self.steps)
        divisor = next((each for each in range(interval, 0, -1) if self.steps % each == 0), 1)
        expect("interval", interval == divisor, f"a divisor of steps={self.steps}, such as {divisor}", self.interval)
        object.__setattr__(self, "interval", interval)
        whole = not self.last_steps % min(interval, max(self.last_steps, 1))
        expect("last_steps", whole, f"at most interval={interval}, or a multiple of it", self.last_steps)

    @property
    def last_crop(self) -> int:
        """Height and width of the crops of the last steps."""
        return self.later_crops[-1][1] if self.later_crops else self.crop

    @property
    def last_phase(self) -> TrainingSettings | None:
        """The settings of the last phase, which is a training of its own; None without one."""
        if not self.last_steps:
            return None
        interval = min(self.last_steps, self.interval)
        frozen = tuple(dict.fromkeys((*self.frozen, "transform/analysis")))
        phase = {"frozen": frozen, "rounded": True, "start_scales": False, "warm_up": 0}
        sizes = {"steps": self.last_steps, "interval": interval, "last_steps": 0}
        sizes |= {"crop": self.last_crop, "later_crops": ()}
        rate = {"learning_rate": self.learning_rate / 10, "decay": "cosine"}
        # Other crops than those of the first steps.
        return dataclasses.replace(self, **phase, **sizes, **rate, seed=self.seed + 1)

    @property
    def has_constant_rate(self) -> bool:
        """Whether the learning rate is the same in all steps."""
        return not self.warm_up and self.decay == "none"

    def schedule(self) -> LearningRate:
        """Returns the learning rate as a function of the step."""
        return LearningRate(self.learning_rate, self.steps, self.warm_up, self.decay)


@dataclasses.dataclass(frozen=True)
class Preset:
    """The model, the loss and the settings of a paper.

    Attributes:
      model: Name of the model.
      lmbda: Weight of the mean squared error, or one for each quality.
      settings: Arguments of `TrainingSettings`.
    """

    model: str
    lmbda: float | tuple[float, ...]
    settings: dict[str, Any]


# A preset lists all that matters, so that it stays as it was published where the defaults change.
_PAPERS = {
    "crop": 256,
    "learning_rate": 1e-4,
    "warm_up": 0,
    "decay": "none",
    "clip": None,
    "average": None,
    "start_scales": False,
}
_MS2020 = _PAPERS | {"steps": 2_000_000, "batch": 8, "decay": "tenth"}
PRESETS = {
    "zyc2022": Preset("zyc2022", lmbda_of_beta(0.0003, 256), _PAPERS | {"steps": 1_000_000, "batch": 16}),
    "hzswq2021": Preset("hzswq2021", 0.01, _MS2020),
    "ms2020": Preset("ms2020", 0.01, _MS2020),
    "default": Preset(
        "default",
        LAMBDAS["mse"],
        {
            "steps": 25_000,
            "batch": 8,
            "crop": 176,
            "later_crops": ((20_000, 256),),
            "trim": 63,
            "learning_rate": 1e-3,
            "warm_up": 200,
            "decay": "cosine",
            "clip": 1.0,
            "average": 0.998,
            "least_scale": 0.65,
            "sharpen": 0.5,
            "grey": 0.2,
            "start_scales": True,
        },
    ),
}


def preset(name: str) -> Preset:
    """Returns the preset of a name.

    Raises:
      RegistryError: There is no such preset; the message suggests similar names.
    """
    if name not in PRESETS:
        raise RegistryError(f"There is no training preset named {name!r}. {suggestion(name, PRESETS)}")
    return PRESETS[name]
