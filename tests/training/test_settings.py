"""TrainingSettings, and those of papers by name."""

import pytest

from lic import registry
from lic.errors import RegistryError
from lic.training.settings import PRESETS, TrainingSettings, preset


def test_presets_are_as_published():
    swin = TrainingSettings(**preset("zyc2022").settings)
    assert (swin.steps, swin.batch, swin.crop, swin.learning_rate, swin.decay) == (10**6, 16, 256, 1e-4, "none")
    assert preset("zyc2022").lmbda == pytest.approx(0.0509, abs=1e-4)
    for name in ("hzswq2021", "ms2020"):
        settings = TrainingSettings(**preset(name).settings)
        assert (settings.steps, settings.batch, settings.learning_rate) == (2 * 10**6, 8, 1e-4)
        assert settings.decay == "tenth"


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
