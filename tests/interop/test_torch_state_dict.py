"""State dicts: what is read, and what is refused. Files of PyTorch where that is installed."""

import builtins

import numpy as np
import pytest

from lic.errors import CheckpointError
from lic.interop.import_weights import import_checkpoint
from lic.interop.torch_state_dict import read_state_dict
from lic.weights import get_tensors
from tests.models.random_compressai import Weights

STATE = Weights("mbt2018-mean", 6, 8, 0).tensors


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is an extra")


def _tensors(torch, prefix=""):
    return {prefix + name: torch.from_numpy(array) for name, array in STATE.items()}


def _assert_is_state(read):
    assert read.keys() == STATE.keys()
    for name, array in read.items():
        np.testing.assert_array_equal(array, STATE[name])


def test_pytorch_files_are_read(torch, tmp_path):
    torch.save(_tensors(torch), tmp_path / "a.pth")
    _assert_is_state(read_state_dict(tmp_path / "a.pth"))
    nested = {"epoch": 3, "state_dict": _tensors(torch, "module."), "optimizer": {"lr": 1e-4}}
    torch.save(nested, tmp_path / "a.pth.tar", _use_new_zipfile_serialization=False)
    _assert_is_state(read_state_dict(tmp_path / "a.pth.tar"))
    halves = {name: tensor.bfloat16() for name, tensor in _tensors(torch).items()}
    torch.save(halves, tmp_path / "halves.pth")
    read = read_state_dict(tmp_path / "halves.pth")["g_a.0.weight"]
    np.testing.assert_allclose(read, STATE["g_a.0.weight"], rtol=1e-2)


@pytest.mark.parametrize("place", ["model_state_dict", "model", "net"])
def test_state_dicts_are_found_where_scripts_keep_them(torch, tmp_path, place):
    torch.save({"epoch": 3, place: _tensors(torch), "optimizer": {"lr": 1e-4}}, tmp_path / "a.pt")
    _assert_is_state(read_state_dict(tmp_path / "a.pt"))


def test_parameters_are_read_as_tensors_are(torch, tmp_path):
    parameters = {name: torch.nn.Parameter(tensor.float()) for name, tensor in _tensors(torch).items()}
    torch.save(parameters, tmp_path / "parameters.pt")
    found = read_state_dict(tmp_path / "parameters.pt")
    for name, array in STATE.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model.", "net.module."])
def test_parts_of_names_that_wrappers_add_are_removed(tmp_path, prefix):
    np.savez(tmp_path / "a.npz", **{prefix + name: array for name, array in STATE.items()})
    _assert_is_state(read_state_dict(tmp_path / "a.npz"))


def test_wrappers_of_single_layers_and_counters_are_removed(tmp_path):
    names = {name: name.replace("g_a.", "g_a._orig_mod.") for name in STATE}
    averaged = {f"module.{names[name]}": array for name, array in STATE.items()} | {"n_averaged": np.asarray(7)}
    np.savez_compressed(tmp_path / "a.npz", **averaged)
    _assert_is_state(read_state_dict(tmp_path / "a.npz"))


def test_names_that_become_one_are_refused(tmp_path):
    name = next(iter(STATE))
    np.savez(tmp_path / "a.npz", **STATE, **{f"module.{name}": STATE[name] + 1})
    with pytest.raises(CheckpointError, match=f"holds '{name}' and 'module.{name}', of which only one can be meant"):
        read_state_dict(tmp_path / "a.npz")


def test_halves_become_float32(tmp_path):
    np.savez(tmp_path / "a.npz", **{name: array.astype(np.float16) for name, array in STATE.items()})
    read = read_state_dict(tmp_path / "a.npz")["g_a.0.weight"]
    np.testing.assert_array_equal(read, STATE["g_a.0.weight"].astype(np.float16).astype(np.float32))


def test_an_npz_file_becomes_a_model(tmp_path):
    np.savez(tmp_path / "a.npz", **STATE)
    assert import_checkpoint(tmp_path / "a.npz", "compressai-mbt2018-mean").transform.depth == 8


@pytest.mark.parametrize("content", [b"no such thing", b"PK\x03\x04", b""])
def test_damaged_npz_files_are_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match="is not an .npz file of arrays"):
        read_state_dict(tmp_path / "a.npz")


def test_npz_files_of_objects_are_not_unpickled(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", weight=np.array([_RunsCode()], object))
    capsys.readouterr()
    with pytest.raises(CheckpointError, match="is not an .npz file of arrays"):
        read_state_dict(tmp_path / "a.npz")
    assert capsys.readouterr().out == ""


def test_pytorch_files_become_the_same_model_as_safetensors(torch, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    torch.save({"state_dict": _tensors(torch, "module.")}, tmp_path / "a.pth.tar")
    safetensors.save_file(STATE, tmp_path / "a.safetensors")
    _assert_is_state(read_state_dict(tmp_path / "a.safetensors"))
    models = [import_checkpoint(tmp_path / name, quality=6) for name in ("a.pth.tar", "a.safetensors")]
    assert models[0].configuration() == models[1].configuration()
    expected = get_tensors(models[0])
    for name, array in get_tensors(models[1]).items():
        np.testing.assert_array_equal(array, expected[name])


class _RunsCode:
    def __reduce__(self):
        return print, ("this must not run",)


def test_nothing_else_is_unpickled(torch, tmp_path, capsys):
    torch.save({"state_dict": _tensors(torch), "other": _RunsCode()}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="not a file that PyTorch reads with weights_only=True"):
        read_state_dict(tmp_path / "a.pth")
    assert capsys.readouterr().out == ""


def test_files_without_a_state_dict_are_refused(torch, tmp_path):
    (tmp_path / "a.pth").write_bytes(b"no such thing")
    with pytest.raises(CheckpointError, match="not a file that PyTorch reads"):
        read_state_dict(tmp_path / "a.pth")
    torch.save([1, 2], tmp_path / "b.pth")
    torch.save({"epoch": 3}, tmp_path / "c.pth")
    for name in ("b.pth", "c.pth"):
        with pytest.raises(CheckpointError, match="holds no state dict"):
            read_state_dict(tmp_path / name)


def test_damaged_safetensors_are_refused(tmp_path):
    pytest.importorskip("safetensors")
    (tmp_path / "a.safetensors").write_bytes(b"no such thing")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        read_state_dict(tmp_path / "a.safetensors")


@pytest.mark.parametrize(("name", "package"), [("a.pth", "torch"), ("a.safetensors", "safetensors")])
def test_a_missing_package_is_named_with_its_extra(name, package, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(imported, *arguments, **keywords):
        if imported.split(".")[0] == package:
            raise ImportError(imported)
        return real(imported, *arguments, **keywords)

    (tmp_path / name).touch()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=rf"pip install 'keras-lic\[{package}\]'"):
        read_state_dict(tmp_path / name)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="There is no file"):
        read_state_dict(tmp_path / "a.pth")
