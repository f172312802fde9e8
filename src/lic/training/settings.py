"""How a model is trained: what `lic train` takes, and the settings of published papers by name."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from lic.errors import RegistryError, check
from lic.models.lambdas import LAMBDAS, lmbda_of_beta
from lic.registry import suggestion
from lic.training.data import check_crops
from lic.training.schedule import LearningRate


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
      steps: Steps of the optimiser.
      batch: Crops in a step.
      crop: Height and width of the crops in pixels.
      learning_rate: Adam's, after the warm-up.
      warm_up: Steps until then.
      decay: "none", "cosine" or "tenth", see `lic.training.schedule.LearningRate`.
      clip: Largest norm of all gradients together, or None.
      average: Share that the averaged weights keep in a step, or None for no averaging.
      precision: What the transforms compute in, "float32" or "bfloat16"; the entropy path is float32.
      least_scale: Crops are taken from images reduced by a random factor from this to 1.
      small: "skip" or "upscale" images smaller than a crop.
      seed: Of the initial weights, crops, noise.
      interval: Steps from one checkpoint and validation to the next; a Keras epoch.
      start_scales: Whether the scales start at what the untrained analysis gives for the photographs.

    Raises:
      ValueError: A setting is outside what is said here.
    """

    steps: int = 1_000_000
    batch: int = 8
    crop: int = 256
    learning_rate: float = 1e-4
    warm_up: int = 0
    decay: str = "none"
    clip: float | None = 1.0
    average: float | None = None
    precision: str = "float32"
    least_scale: float = 1.0
    small: str = "skip"
    seed: int = 0
    interval: int = 1000
    start_scales: bool = False

    def __post_init__(self):
        expect = functools.partial(check, "TrainingSettings")
        expect("steps", self.steps >= 1, "at least 1", self.steps)
        check_crops("TrainingSettings", self.crop, self.batch, self.least_scale, self.small)
        self.schedule()  # Knows the decays.
        expect("learning_rate", self.learning_rate > 0, "over 0", self.learning_rate)
        expect("clip", self.clip is None or self.clip > 0, "None or over 0", self.clip)
        expect("precision", self.precision in ("float32", "bfloat16"), "'float32' or 'bfloat16'", self.precision)
        expect("average", self.average is None or 0 < self.average < 1, "None or between 0 and 1", self.average)
        interval = min(self.interval, self.steps)
        divides = interval >= 1 and self.steps % interval == 0
        expect("interval", divides, f"a divisor of steps={self.steps}", self.interval)
        object.__setattr__(self, "interval", interval)

    def schedule(self) -> LearningRate:
        """Returns the learning rate as a function of the step."""
        return LearningRate(self.learning_rate, self.steps, self.warm_up, self.decay)


@dataclasses.dataclass(frozen=True)
class Preset:
    """Settings of a paper, and the loss that it minimised.

    Attributes:
      model: Name of the model that it was used for.
      lmbda: Weight of the mean squared error, or one for each quality.
      settings: What differs from the defaults of `TrainingSettings`.
    """

    model: str
    lmbda: float | tuple[float, ...]
    settings: dict[str, Any]


_MS2020 = {"steps": 2_000_000, "decay": "tenth", "clip": None}
PRESETS = {
    "zyc2022": Preset("zyc2022", lmbda_of_beta(0.0003, 256), {"steps": 1_000_000, "batch": 16, "clip": None}),
    "hzswq2021": Preset("hzswq2021", 0.01, _MS2020),
    "ms2020": Preset("ms2020", 0.01, _MS2020),
    "default": Preset(
        "default",
        LAMBDAS["mse"],
        {
            "steps": 42_000,
            "batch": 4,
            "crop": 128,
            "learning_rate": 5e-4,
            "warm_up": 200,
            "decay": "cosine",
            "average": 0.998,
            "least_scale": 0.5,
            "start_scales": True,
        },
    ),
}


def preset(name: str) -> Preset:
    """Returns the settings of this name.

    Raises:
      RegistryError: There are none; the message suggests near names.
    """
    if name not in PRESETS:
        raise RegistryError(f"There is no training recipe named {name!r}. {suggestion(name, PRESETS)}")
    return PRESETS[name]
