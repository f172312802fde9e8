"""Training: a folder of photographs in, a codec out."""

from lic.training.data import Photographs
from lic.training.initial_scales import start_scales
from lic.training.loop import train
from lic.training.schedule import LearningRate
from lic.training.settings import PRESETS, Preset, TrainingSettings, preset
from lic.training.strategies import scope_of

__all__ = [
    "PRESETS",
    "LearningRate",
    "Photographs",
    "Preset",
    "TrainingSettings",
    "preset",
    "scope_of",
    "start_scales",
    "train",
]
