"""TrainingSettings, and those of papers by name."""

import dataclasses

import pytest

from lic import registry
from lic.errors import RegistryError
from lic.training.settings import PRESETS, TrainingSettings, preset

PAPER = {
    "crop": 256,
    "learning_rate": 1e-4,
    "warm_up": 0,
    "decay": "none",
    "clip": None,
    "average": None,
    "precision": "float32",
    "least_scale": 1.0,
    "small": "skip",
    "trim": 0,
    "seed": 0,
    "interval": 1000,
    "start_scales": False,
}
MS2020 = PAPER | {"steps": 2_000_000, "batch": 8, "decay": "tenth"}
DEFAULT = {
    "steps": 42_000,
    "batch": 4,
    "crop": 128,
    "learning_rate": 5e-4,
    "warm_up": 200,
    "decay": "cosine",
    "clip": 1.0,
    "average": 0.998,
    "least_scale": 0.5,
    "start_scales": True,
}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("zyc2022", PAPER | {"steps": 1_000_000, "batch": 16}),
        ("hzswq2021", MS2020),
        ("ms2020", MS2020),
        ("default", PAPER | DEFAULT),
    ],
)
def test_presets_are_as_published_whatever_the_defaults(name, settings):
    assert dataclasses.asdict(TrainingSettings(**preset(name).settings)) == settings


def test_the_lmbda_of_zyc2022_is_that_of_its_beta():
    assert preset("zyc2022").lmbda == pytest.approx(0.0509, abs=1e-4)


def test_presets_are_of_registered_models():
    assert {PRESETS[name].model for name in PRESETS} <= set(registry.list_models())


def test_an_unknown_preset_suggests_another():
    with pytest.raises(RegistryError, match=r"no training preset named 'zyc2020'. .*zyc2022"):
        preset("zyc2020")


def test_an_interval_is_at_most_all_steps():
    assert TrainingSettings(steps=7).interval == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch", 0),
        ("trim", 256),
        ("precision", "float16"),
        ("average", 1.0),
        ("interval", 0),
        ("interval", 7),
        ("learning_rate", 0.0),
        ("clip", 0.0),
    ],
)
def test_wrong_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"TrainingSettings: expected {name} to be .* Received: {value!r}"):
        TrainingSettings(**{"steps": 100} | {name: value})
