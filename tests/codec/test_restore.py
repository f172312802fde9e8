"""Codec files that were changed on purpose, with a fingerprint that fits: typed errors, and no memory taken first."""

import copy
import resource

import numpy as np
import pytest

import lic
from lic.codec.codec_file import CodecFile
from lic.codec.restore import restored_model, restored_tables
from tests.conftest import random_images, tiny_model

WEIGHT = "weights/entropy/hyper/analysis/layers/0/kernel"
OTHER = "weights/entropy/hyper/analysis/layers/1/kernel"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "mine.codec"
    model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02))
    lic.Codec(model, deterministic=True, calibration=[random_images(64, 80, 3)]).save(path)
    return CodecFile.read(path)


def _weight(change):
    return lambda file: file._replace(arrays={**file.arrays, WEIGHT: change(file.arrays[WEIGHT])})


def _table(name, change):
    name = f"tables/{name}"

    def changed(file):
        array = file.arrays[name].copy()
        return file._replace(arrays={**file.arrays, name: change(array)})

    return changed


def _entry(name, number, value):
    def change(array):
        array[number] = value
        return array

    return _table(name, change)


def _described(**changes):
    return lambda file: file._replace(tables={**file.tables, **changes})


def _config(change):
    def changed(file):
        config = copy.deepcopy(file.config)
        change(config)
        return file._replace(config=config)

    return changed


def _part(kind, **changes):
    return _config(lambda config: config[kind]["config"].update(changes))


MODELS = {
    "weight of another shape": (_weight(lambda array: array[0]), "has shape"),
    "weight missing": (lambda file: file._replace(arrays=_without(file.arrays, WEIGHT)), "is missing"),
    "weight too many": (lambda file: file._replace(arrays={**file.arrays, "weights/x": np.ones(3, "f")}), "no such"),
    "weights swapped": (lambda file: file._replace(arrays=_swapped(file.arrays)), "has shape"),
    "whole weights": (_weight(lambda array: array.astype(np.int32)), "is int32, expected float32"),
    "text as weights": (_weight(lambda array: np.full(array.shape, "x")), "expected float32"),
    "weights that are not finite": (_weight(lambda array: array * np.nan), "not finite"),
    "another type": (lambda file: file._replace(stored="float8"), "this lic reads"),
    "an empty configuration": (lambda file: file._replace(config={}), "describes no model"),
    "a list as configuration": (lambda file: file._replace(config=[1]), "describes no model"),
    "an unknown size": (_part("transform", foo=3), "describes no model"),
    "text as width": (_part("transform", width="x"), "describes no model"),
    "a negative width": (_part("transform", width=-3), "describes no model"),
    "a giant": (_part("transform", width=10**7), "asks for a weight of shape"),
    "text as lmbda": (_config(lambda config: config.update(lmbda="x")), "describes no model"),
}
TABLES = {
    "a count of zero": (_entry("counts", 5, 0), "positive count"),
    "a negative count": (_entry("counts", 5, -7), "positive count"),
    "a larger count": (_entry("counts", 5, 9999), "sum up to 65536"),
    "counts as floats": (_table("counts", lambda array: array.astype(np.float32)), "int32"),
    "counts missing": (_table("counts", lambda array: array[:-5]), "positive count"),
    "a longer row": (_entry("size", 1, 9), "positive count"),
    "a negative row": (_entry("size", 1, -3), "rows of 1 to"),
    "an endless row": (_entry("size", 1, 10**9), "rows of 1 to"),
    "rows missing": (_table("size", lambda array: array[:-2]), "rows of 1 to"),
    "a first symbol out of range": (_entry("first", 1, 2**31 - 1), "beyond"),
    "a first symbol below": (_entry("first", 1, -(2**31)), "beyond"),
    "other priors": (_described(priors=[5], scales=[63, 0.11, 256.0]), "of another model"),
    "other scales": (_described(scales=[64, 0.2, 256.0]), "of another model"),
    "priors that are none": (_described(priors="x"), "tables are damaged"),
    "no priors": (lambda file: file._replace(tables={"scales": [64, 0.11, 256.0]}), "tables are damaged"),
}


def _swapped(arrays):
    return {**arrays, WEIGHT: arrays[OTHER], OTHER: arrays[WEIGHT]}


def _without(arrays, name):
    return {each: array for each, array in arrays.items() if each != name}


@pytest.fixture(scope="module")
def model(file):
    return restored_model(file)


@pytest.mark.parametrize("damage", MODELS)
def test_weights_and_configurations_that_do_not_fit_are_told(file, damage):
    change, message = MODELS[damage]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(lic.CheckpointError, match=message):
        restored_model(change(file))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB


@pytest.mark.parametrize("damage", TABLES)
def test_tables_that_do_not_fit_are_told(file, model, damage):
    change, message = TABLES[damage]
    with pytest.raises(lic.CheckpointError, match=message):
        restored_tables(change(file), model)


@pytest.mark.parametrize("damage", [MODELS["weights that are not finite"], TABLES["a count of zero"]])
def test_a_codec_is_not_made_of_either(file, damage, tmp_path):
    change, message = damage
    change(file).write(tmp_path / "changed.codec")
    with pytest.raises(lic.CheckpointError, match=message):
        lic.load(tmp_path / "changed.codec")


def test_a_part_that_is_not_registered_is_told(file, tmp_path):
    _config(lambda config: config["transform"].update(transform="none"))(file).write(tmp_path / "changed.codec")
    with pytest.raises(lic.RegistryError, match="no transform named 'none'"):
        lic.load(tmp_path / "changed.codec")


@pytest.mark.parametrize(
    "change",
    [
        lambda exact: dict(list(exact.items())[:-1]),
        lambda exact: {name: np.asarray("x") for name in exact},
        lambda exact: {name: array + 100 if array.ndim else array for name, array in exact.items()},
        lambda exact: {name: array[:-1] if array.ndim else array for name, array in exact.items()},
    ],
    ids=["missing", "text", "too fine", "too few"],
)
def test_units_that_do_not_fit_are_told(file, change, tmp_path):
    file._replace(exact=change(file.exact)).write(tmp_path / "changed.codec")
    with pytest.raises(lic.CheckpointError):
        lic.load(tmp_path / "changed.codec", deterministic=True)


def test_as_it_was_it_loads(file, tmp_path):
    file.write(tmp_path / "same.codec")
    assert lic.load(tmp_path / "same.codec").fingerprint == file.fingerprint()
