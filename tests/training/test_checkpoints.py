"""The state of a training as named tensors, and its checkpoints: three are kept, none is ever half written."""

import numpy as np
import pytest

import lic
from lic.environment import KERAS_3
from lic.errors import CheckpointError, TrainingError
from lic.training.checkpoints import Checkpoints, averaged, restore_state, state_of
from lic.weights import get_tensors
from tests.conftest import random_images, tiny_model

IMAGES = random_images(2, 32, 32, 3).astype(np.float32)


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
    with pytest.raises(TrainingError, match=r"step-0000005.npz is damaged .*Remove it. No whole checkpoint is left"):
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


def test_a_checkpoint_of_other_settings_is_named(checkpoints):
    write(checkpoints, 5)
    other = tiny_model("klt", "factorized")
    other.compile(lic.Adam(use_ema=True), seed=0)
    with pytest.raises(TrainingError, match="step-0000005.npz is of another training. The tensor 'optimizer/.*average"):
        checkpoints.restore(other)


def compiled(optimizer=None):
    model = tiny_model("klt", "factorized")
    # Eager steps take less time than the graph of a few.
    model.compile(optimizer or lic.Adam(1e-2, use_ema=True, ema_momentum=0.5), seed=3, run_eagerly=True)
    return model


def test_state_holds_weights_moments_averages_and_the_step():
    model = compiled()
    model.train_on_batch(IMAGES)
    state = state_of(model)
    name = "transform/analysis/linear"
    assert state["optimizer/iterations"] == 1
    kinds = {key.split("/")[1] for key in state if key.startswith("optimizer/")}
    assert len(kinds) == 5  # Two moments, the averages, the step, the learning rate.
    for kind in kinds - {"iterations", "learning_rate"}:
        assert state[f"optimizer/{kind}/{name}"].shape == state[f"weights/{name}"].shape


def test_lists_of_an_optimizer_that_hold_no_variables_are_no_state():
    model = compiled()
    names = ["bias"] * len(model.trainable_variables)
    model = compiled(lic.SOAP(adam_names=names))
    model.train_on_batch(IMAGES)
    state = state_of(model)
    assert not [name for name in state if "adam_names" in name]
    restore_state(model, state)


def test_a_model_with_another_state_goes_on_as_the_first():
    first, second = compiled(), compiled()
    for _ in range(2):
        first.train_on_batch(IMAGES)
    restore_state(second, state_of(first))
    losses = [model.train_on_batch(IMAGES, return_dict=True)["loss"] for model in (first, second)]
    second_state = state_of(second)
    for name, tensor in state_of(first).items():
        np.testing.assert_allclose(second_state[name], tensor, atol=1e-6, err_msg=name)
    assert second_state["optimizer/iterations"] == 3
    assert np.isfinite(losses).all()


def test_averages_stand_in_for_weights_for_a_while():
    model = compiled()
    weights = [get_tensors(model)]
    for _ in range(2):
        model.train_on_batch(IMAGES)
        weights.append(get_tensors(model))
    with averaged(model):
        means = get_tensors(model)
    for name, (first, second, last) in {name: [each[name] for each in weights] for name in means}.items():
        # Keras 3 begins at the weights after the first step, Keras 2 at those before it.
        begun = second if KERAS_3 else (first + second) / 2
        np.testing.assert_allclose(means[name], (begun + last) / 2, atol=1e-6, err_msg=name)
        assert np.array_equal(get_tensors(model)[name], last)


def test_weights_come_back_after_an_error():
    model = compiled()
    model.train_on_batch(IMAGES)
    weights = get_tensors(model)
    with pytest.raises(ZeroDivisionError), averaged(model):
        1 / 0  # noqa: B018
    assert all(np.array_equal(array, weights[name]) for name, array in get_tensors(model).items())


def test_without_averaging_the_weights_stay():
    model = compiled(lic.Adam(1e-2))
    weights = get_tensors(model)
    with averaged(model):
        assert all(np.array_equal(array, weights[name]) for name, array in get_tensors(model).items())


def test_a_state_of_other_settings_is_an_error():
    state = state_of(compiled())
    with pytest.raises(CheckpointError, match="The tensor 'optimizer/.*average.*' is there, but"):
        restore_state(compiled(lic.Adam(1e-2)), state)


def _edited(change):
    """Returns a damage: the checkpoint with some arrays changed, and sound checksums."""

    def damage(file):
        with np.load(file) as arrays:
            state = dict(arrays)
        name = next(name for name in state if name.startswith("weights/"))
        change(state, name)
        np.savez(file, **state)

    return damage


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-200]),
    "no zip": lambda file: file.write_bytes(b"\x93NUMPY" * 100),
    "json": lambda file: file.write_text("[" * 200_000),
    "another step": _edited(lambda state, name: state.update({"optimizer/iterations": np.int64(7)})),
    "a step of text": _edited(lambda state, name: state.update({"optimizer/iterations": np.array("x")})),
    "not finite": _edited(lambda state, name: state.update({name: state[name] * np.nan})),
    "text": _edited(lambda state, name: state.update({name: np.full(state[name].shape, "x")})),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(checkpoints, model, damage):
    write(checkpoints, 4)
    wanted = get_tensors(model)
    write(checkpoints, 5)
    DAMAGES[damage](checkpoints.folder / "step-0000005.npz")
    with pytest.warns(UserWarning, match=r"step-0000005.npz is damaged .* Training goes on from step-0000004.npz"):
        assert checkpoints.restore(model) == 4
    assert all(np.array_equal(array, wanted[name]) for name, array in get_tensors(model).items())


def test_a_checkpoint_that_would_unpack_to_more_than_the_model_is_refused_packed(checkpoints, model):
    write(checkpoints, 5)
    file = checkpoints.folder / "step-0000005.npz"
    with np.load(file) as arrays:
        state = dict(arrays)
    np.savez_compressed(file, **state, more=np.broadcast_to(np.zeros(1, np.int8), (1 << 28,)))
    with pytest.raises(TrainingError, match="of another training.*'more'"):
        checkpoints.restore(model)
