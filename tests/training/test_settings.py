"""TrainingSettings, and those of papers by name."""

import dataclasses
import json

import numpy as np
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
    "sharpen": 0.0,
    "grey": 0.0,
    "seed": 0,
    "interval": 1000,
    "start_scales": False,
    "later_crops": (),
    "optimizer": "adam",
    "frozen": (),
    "rounded": False,
    "last_steps": 0,
}
MS2020 = PAPER | {"steps": 2_000_000, "batch": 8, "decay": "tenth"}
DEFAULT = {
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


def test_whole_numbers_of_other_types_are_integers():
    settings = TrainingSettings(steps=4.0, batch=np.int64(2), crop=64.0, interval=2.0)
    assert [type(each) for each in (settings.steps, settings.batch, settings.crop, settings.interval)] == [int] * 4


def test_numbers_of_numpy_and_iterators_are_kept_as_plain_data():
    settings = TrainingSettings(
        learning_rate=np.float32(1e-3), later_crops=iter([[np.int64(9), 64]]), frozen=["transform/analysis"]
    )
    assert json.loads(json.dumps(dataclasses.asdict(settings)))["later_crops"] == [[9, 64]]
    assert (settings.last_crop, settings.frozen) == (64, ("transform/analysis",))
    assert type(settings.learning_rate) is float


def test_an_interval_is_at_most_all_steps():
    assert TrainingSettings(steps=7).interval == 7


def test_an_interval_that_is_no_divisor_is_refused_with_one_that_is():
    with pytest.raises(ValueError, match="interval to be a divisor of steps=1500, such as 750. Received: 1000"):
        TrainingSettings(steps=1500)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch", 0),
        ("trim", 256),
        ("sharpen", -0.5),
        ("grey", 1.5),
        ("average", 1.0),
        ("interval", 0),
        ("interval", 7),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("warm_up", -1),
        ("seed", -1),
        ("seed", 2**32 - 1),
        ("clip", 0.0),
    ],
)
def test_wrong_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"TrainingSettings: expected {name} to be .* Received: {value!r}"):
        TrainingSettings(**{"steps": 100} | {name: value})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"later_crops": ((0, 64),)}, "later_crops to be pairs of a step over 0 and a size, by rising steps"),
        ({"later_crops": ((9, 64), (9, 128))}, "by rising steps"),
        ({"later_crops": ((9, 0),)}, "expected crop to be at least 1"),
        ({"later_crops": ((9, 40),), "trim": 50}, "expected trim to be from 0 to less than crop=40"),
        ({"later_crops": (9, 40)}, "later_crops"),
        ({"optimizer": "sgd"}, "optimizer to be one of 'adam', 'soap'. Received: optimizer='sgd'"),
        ({"precision": "float16"}, "precision to be one of 'float32', 'bfloat16'. Received: precision='float16'"),
        ({"small": "grow"}, "small to be one of 'skip', 'upscale'. Received: small='grow'"),
        ({"last_steps": -1}, "last_steps to be at least 0"),
        ({"last_steps": 1001}, "last_steps to be at most interval=1000, or a multiple of it. Received: 1001"),
        ({"frozen": "transform"}, "frozen"),
    ],
)
def test_settings_out_of_range_are_named(wrong, message):
    with pytest.raises(ValueError, match=f"TrainingSettings: .*{message}"):
        TrainingSettings(**wrong)


def test_the_last_phase_goes_on_with_the_largest_crops():
    settings = TrainingSettings(steps=6000, crop=64, later_crops=((4000, 128),), last_steps=2000, optimizer="soap")
    last = settings.last_phase
    assert (last.steps, last.interval, last.crop, last.later_crops, last.last_steps) == (2000, 1000, 128, (), 0)
    assert TrainingSettings(last_steps=999).last_phase.interval == 999
    assert (last.frozen, last.rounded, last.start_scales, last.optimizer) == (
        ("transform/analysis",),
        True,
        False,
        "soap",
    )
    assert last.learning_rate == settings.learning_rate / 10
    assert (last.decay, last.warm_up, last.seed) == ("cosine", 0, settings.seed + 1)
    assert last.last_phase is None
