"""Training: a folder of photographs in, a codec out."""

from lic.training.data import Photographs
from lic.training.initial_scales import start_scales
from lic.training.loop import codec_of_run, train
from lic.training.schedule import LearningRate
from lic.training.settings import PRESETS, Preset, TrainingSettings, preset
from lic.training.strategies import scope_of

__all__ = [
    "PRESETS",
    "LearningRate",
    "Photographs",
    "Preset",
    "TrainingSettings",
    "codec_of_run",
    "preset",
    "scope_of",
    "start_scales",
    "train",
]
