import inspect
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

import lic
from lic import registry
from lic.config import Configured, constructor_arguments, describe, rebuild, without_added_arguments
from lic.environment import keras
from lic.errors import RegistryError
from tests.conftest import tiny_model

KINDS = (registry.transforms, registry.hyper_transforms, registry.entropy_models)
PARTS = [(kind, name) for kind in KINDS for name in kind.names()]


class Range(NamedTuple):
    low: float = 0.5
    high: float = 8.0


RANGE = Range()


class Unregistered(lic.Transform):
    def __init__(
        self,
        latent_depth: int = 4,
        step: float = 2.0,
        widths: Sequence[int] | int | None = None,
        limits: tuple[float, float] | Range = RANGE,
        untyped=(3, 1.5),
        **kwargs,
    ):
        super().__init__(latent_depth, **kwargs)
        self.analysis = self.synthesis = keras.layers.Layer()


DEFAULTS = {"latent_depth": 4, "step": 2.0, "widths": None, "limits": [0.5, 8.0], "untyped": [3, 1.5]}


def _made(kind, name):
    """Returns a tiny part of a kind."""
    if kind is registry.transforms:
        return tiny_model(name, "factorized").transform
    if kind is registry.hyper_transforms:
        return tiny_model("swin" if name == "swin" else "conv", "hyperprior").entropy.hyper
    return tiny_model("conv", name).entropy


def test_arguments_are_recorded_with_all_defaults():
    assert Unregistered().configuration() == DEFAULTS
    assert Unregistered(8).configuration() == DEFAULTS | {"latent_depth": 8}
    assert Unregistered(widths=(1, 2)).configuration() == DEFAULTS | {"widths": [1, 2]}


def test_a_default_is_recorded_like_the_same_value():
    assert Unregistered(4, 2).configuration() == Unregistered().configuration()
    conv = registry.transforms.get("conv")
    assert conv(192).configuration() == conv().configuration()
    assert lic.create_model("default").configuration() == lic.create_model("default", step=52).configuration()


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ({"latent_depth": 8.0}, 8),
        ({"latent_depth": np.int64(8)}, 8),
        ({"step": 3}, 3.0),
        ({"step": np.float64(3)}, 3.0),
        ({"widths": np.array([4.0, 5.0])}, [4, 5]),
        ({"widths": [4.0, 5]}, [4, 5]),
        ({"widths": 4.0}, 4),
        ({"limits": (1, 2)}, [1.0, 2.0]),
        ({"limits": (1,)}, [1.0, 8.0]),
        ({"untyped": (1.0, 2)}, [1.0, 2.0]),
        ({"untyped": ["a", "b"]}, ["a", "b"]),
    ],
)
def test_numbers_are_of_the_type_that_the_argument_has(given, recorded):
    (name,) = given
    found = Unregistered(**given).configuration()[name]
    assert json.dumps(found) == json.dumps(recorded)


def test_lists_are_tuples_from_the_start():
    class Listed(lic.Transform):
        def __init__(self, names=(), **kwargs):
            super().__init__(4, **kwargs)
            self.names = names

    for given in (["a", "b"], [], [1, 2], range(3), range(4, 0, -2)):
        listed = Listed(given)
        assert listed.names == tuple(given)
        assert listed.configuration()["names"] == list(given)


def test_an_infinite_number_stays_a_float():
    assert Unregistered(step=float("inf")).configuration()["step"] == float("inf")


def test_an_annotation_that_only_type_checkers_know_is_no_obstacle():
    class Strange(lic.Transform):
        def __init__(self, latent_depth: "NoSuchName" = 4, step: "NoSuchName" = 2.0):  # noqa: F821
            super().__init__(latent_depth)

    assert json.dumps(Strange(8.0, 3).configuration()) == '{"latent_depth": 8, "step": 3.0}'


def test_keywords_of_bases_are_recorded_and_those_of_keras_are_not():
    assert Unregistered(downscale=8, name="x", dtype="float32", trainable=False).configuration() == DEFAULTS | {
        "downscale": 8
    }
    again = Unregistered.from_config(Unregistered(downscale=8).configuration())
    assert again.downscale == 8
    entropy = tiny_model("conv", "charm", quantization="ste/ste").entropy
    assert entropy.configuration()["quantization"] == "ste/ste"


def test_a_keyword_that_a_subclass_sets_itself_is_not_passed_again():
    class Fixed(lic.EntropyModel):
        def __init__(self, latent_depth: int, **kwargs):
            super().__init__(latent_depth, prior_filters=(2,), **kwargs)

    config = Fixed(4, quantization="ste/ste").configuration()
    assert config.keys() == constructor_arguments(Fixed).keys() - {"prior_filters"}
    assert Fixed.from_config(config).quantization == "ste/ste"
    del config["quantization"]  # An argument of the base.
    with pytest.raises(ValueError, match="without quantization"):
        Fixed.from_config(config)


def test_a_keyword_that_a_subclass_sets_itself_may_be_an_added_argument(monkeypatch):
    class Base(lic.Transform):
        def __init__(self, latent_depth: int = 4, *, slope: float = 0.5, step: float = 2.0, **kwargs):
            super().__init__(latent_depth, **kwargs)
            self.slope, self.step = slope, step

    class Fixed(Base):
        def __init__(self, latent_depth: int = 4, **kwargs):
            super().__init__(latent_depth, slope=1.0, **kwargs)

    written = {"latent_depth": 4, "downscale": 16}
    monkeypatch.setattr(Base, "added_arguments", {"slope": 0.0, "step": 1.0})
    assert (Base.from_config(written).slope, Base.from_config(written).step) == (0.0, 1.0)
    assert (Fixed.from_config(written).slope, Fixed.from_config(written).step) == (1.0, 1.0)


def test_a_constructor_of_another_base_records_its_arguments():
    class Mixin:
        def __init__(self, *args, slope: float = 0.5, **kwargs):
            super().__init__(*args, **kwargs)
            self.slope = slope

    class Mixed(Mixin, Unregistered):
        def __init__(self, latent_depth: int = 4, *, slope: float = 0.5, **kwargs):
            super().__init__(latent_depth, slope=slope, **kwargs)

    assert Mixed(slope=0.25).configuration()["slope"] == 0.25
    assert Mixed.from_config(Mixed(slope=0.25).configuration()).slope == 0.25


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_the_configuration_of_every_registered_part_lists_every_argument(kind, name):
    part = _made(kind, name)
    arguments = set(inspect.signature(type(part).__init__).parameters) - {"self"}
    if "kwargs" in arguments:
        bases = type(part).__mro__[1 : type(part).__mro__.index(Configured)]
        passed = [each for base in bases for each in inspect.signature(base.__init__).parameters.values()]
        arguments |= {parameter.name for parameter in passed if parameter.kind is parameter.KEYWORD_ONLY}
        arguments.remove("kwargs")
    config = part.configuration()
    assert config.keys() == arguments == constructor_arguments(type(part)).keys()
    again = rebuild(json.loads(json.dumps(describe(part))))
    assert type(again) is type(part)
    assert json.dumps(again.configuration()) == json.dumps(config)


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_a_configuration_that_lacks_an_argument_is_refused(kind, name):
    part = _made(kind, name)
    config = part.configuration()
    added = {name for base in type(part).__mro__ for name in vars(base).get("added_arguments", {})}
    last = [name for name in config if name not in added][-1]
    with pytest.raises(ValueError, match=f"every argument.*Received one without {last}"):
        type(part).from_config({key: value for key, value in config.items() if key != last})


def test_parts_inside_parts_are_described_by_kind_and_name():
    description = describe(tiny_model("conv", "charm").entropy)
    assert (description["kind"], description["name"]) == ("entropy_model", "charm")
    assert description["config"]["hyper"]["kind"] == "hyper_transform"
    assert description["config"]["hyper"]["name"] == "conv"
    assert rebuild(json.loads(json.dumps(description))).configuration() == description["config"]


def test_a_part_that_the_constructor_makes_in_place_of_none_is_recorded():
    class Wrapping(Unregistered):
        def __init__(self, inner: lic.Transform | None = None):
            super().__init__()
            self.inner = inner or registry.transforms.get("conv")(8)

    assert Wrapping().configuration()["inner"]["config"]["width"] == 8


def test_a_value_that_no_configuration_can_hold_is_named():
    with pytest.raises(RegistryError, match="Unregistered.untyped: expected numbers.*Received: <object"):
        Unregistered(untyped=object()).configuration()


def test_parts_that_are_not_registered_are_named():
    with pytest.raises(RegistryError, match=r"Put @lic.register_transform\(...\) above it"):
        describe(Unregistered())


@pytest.mark.parametrize("value", [{"part": 1}, {"kind": "colour", "name": "red", "config": {}}, 3])
def test_something_else_is_not_rebuilt(value):
    with pytest.raises(ValueError, match="Received: "):
        rebuild(value)


def test_keras_makes_layers_from_their_configuration():
    transform = registry.transforms.get("conv")(width=8, latent_depth=6)
    again = type(transform).from_config(transform.configuration())
    assert (again.depth, again.configuration()) == (6, transform.configuration())
    assert transform.configuration()["width"] == 8


def test_a_configuration_without_an_added_argument_stands_for_the_declared_value(monkeypatch):
    config = Unregistered(step=5).configuration()
    del config["step"]
    monkeypatch.setattr(Unregistered, "added_arguments", {"step": 7})
    assert Unregistered.from_config(config).configuration() == DEFAULTS | {"step": 7.0}


def test_declared_values_do_not_count_in_fingerprints(monkeypatch):
    monkeypatch.setattr(Unregistered, "added_arguments", {"step": 7, "widths": (1, 2)})
    config = Unregistered(step=7.0, widths=[1, 2]).configuration()
    assert without_added_arguments(Unregistered, config).keys() == DEFAULTS.keys() - {"step", "widths"}
    config = Unregistered(widths=[1, 3]).configuration()
    assert without_added_arguments(Unregistered, config) == DEFAULTS | {"widths": [1, 3]}


def test_so_are_those_of_parts_inside_parts_and_of_bases(monkeypatch):
    model = tiny_model("conv", "hyperprior")
    hyper = type(model.entropy.hyper)
    monkeypatch.setattr(hyper, "added_arguments", {"side_bias": False})
    monkeypatch.setattr(lic.EntropyModel, "added_arguments", {"quantization": "noise/ste"})
    monkeypatch.setattr(type(model.entropy), "added_arguments", {"zero_mean": True})
    reduced = without_added_arguments(type(model), model.configuration())["entropy"]["config"]
    assert "quantization" not in reduced
    assert reduced["zero_mean"] is False
    assert "side_bias" not in reduced["hyper"]["config"]
    assert reduced["hyper"]["config"]["num_syntheses"] == 1


def test_arguments_that_a_configuration_cannot_hold_are_refused():
    class Options(lic.Transform):
        def __init__(self, latent_depth=12, **options):
            super().__init__(latent_depth)

    class Many(lic.Transform):
        def __init__(self, *widths, latent_depth=12):
            super().__init__(latent_depth)

    Options(8, name="mine")
    with pytest.raises(TypeError, match="Options: .* Received: gain, which the constructor takes through"):
        Options(8, gain=3.0)
    with pytest.raises(TypeError, match="Many: .* Received: widths, which"):
        Many(3, 4)
