import json

import pytest

import lic
from lic import registry
from lic.config import describe, rebuild
from lic.environment import keras
from lic.errors import RegistryError
from tests.conftest import tiny_model


class _Unregistered(lic.Transform):
    def __init__(self, latent_depth=4, extra=None):
        super().__init__(latent_depth)
        self.analysis = self.synthesis = keras.layers.Layer()


def test_arguments_are_recorded_as_given():
    assert _Unregistered(8).get_config() == {"latent_depth": 8}
    assert _Unregistered(extra=(1, 2.5, "x", None, True)).get_config() == {"extra": [1, 2.5, "x", None, True]}


def test_parts_inside_parts_are_described_by_name():
    description = describe(tiny_model("conv", "charm").entropy)
    assert description["entropy model"] == "charm"
    assert description["config"]["hyper"]["hyper transform"] == "conv"
    assert rebuild(json.loads(json.dumps(description))).get_config() == description["config"]


def test_what_a_configuration_cannot_hold_is_named():
    with pytest.raises(RegistryError, match="_Unregistered.extra: expected numbers.*Received: <object"):
        _Unregistered(extra=object()).get_config()


def test_parts_that_are_not_registered_are_named():
    with pytest.raises(RegistryError, match=r"Put @lic.register_transform\(...\) above it"):
        describe(_Unregistered())


def test_something_else_is_not_rebuilt():
    with pytest.raises(RegistryError, match="Received: {'part': 1}"):
        rebuild({"part": 1})


def test_keras_makes_layers_from_their_configuration():
    transform = registry.transforms.get("conv")(width=8, latent_depth=6)
    again = type(transform).from_config(transform.get_config())
    assert (again.depth, again.get_config()) == (6, {"width": 8, "latent_depth": 6})
