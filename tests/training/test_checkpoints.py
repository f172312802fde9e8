"""Checkpoints: the last three are kept, none is ever half written, damage is named."""

import numpy as np
import pytest

import lic
from lic.errors import CheckpointError
from lic.training.checkpoints import Checkpoints
from lic.weights import get_tensors
from tests.conftest import tiny_model


@pytest.fixture
def model():
    model = tiny_model("klt", "factorized")
    model.compile(lic.Adam(), seed=0)
    return model


@pytest.fixture
def checkpoints(model, tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.set_model(model)
    return checkpoints


def write(checkpoints, *steps):
    for step in steps:
        checkpoints.model.optimizer.iterations.assign(step)
        checkpoints.on_epoch_end(0)


def names(checkpoints):
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_the_last_three_are_kept_and_nothing_else_lies_about(checkpoints):
    write(checkpoints, 5, 10, 15, 20)
    assert names(checkpoints) == ["step-0000010.npz", "step-0000015.npz", "step-0000020.npz"]


def test_the_latest_is_restored(checkpoints, model):
    write(checkpoints, 5)
    wanted = get_tensors(model)
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    model.optimizer.iterations.assign(0)
    assert checkpoints.restore(model) == 5
    assert all(np.array_equal(array, wanted[name]) for name, array in get_tensors(model).items())


def test_without_a_checkpoint_training_begins(checkpoints, model):
    assert checkpoints.restore(model) == 0


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("damage", ["cut", "empty", "changed"])
def test_a_damaged_checkpoint_is_named(checkpoints, model, damage, compressed):
    write(checkpoints, 5)
    file = checkpoints.folder / "step-0000005.npz"
    if compressed:
        with np.load(file) as arrays:
            np.savez_compressed(file, **arrays)
    data = bytearray(file.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    file.write_bytes({"cut": data[:-200], "empty": b"", "changed": data}[damage])
    with pytest.raises(CheckpointError, match="step-0000005.npz is damaged .*Remove it to go on"):
        checkpoints.restore(model)


def test_a_write_that_fails_leaves_the_one_before(checkpoints, model, monkeypatch):
    write(checkpoints, 5)

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        write(checkpoints, 10)
    assert names(checkpoints) == ["step-0000005.npz"]
