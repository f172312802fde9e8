"""`lic import`."""

import pytest
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.environment import tf
from lic.interop import tensorflow_checkpoint as checkpoints
from tests.conftest import tiny_model
from tests.interop.test_tensorflow_checkpoint import make_tiny, objects, tiny_for_reading
from tests.models.random_compressai import Weights


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "create_model", make_tiny)
    root = objects("hzswq2021", tiny_for_reading("hzswq2021"))
    return tf.train.Checkpoint(root).write(str(tmp_path / "variables" / "variables"))


def _import(*arguments):
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_a_checkpoint_becomes_a_codec(checkpoint, tmp_path):
    ended = _import(tmp_path, tmp_path / "out.codec", "--model", "hzswq2021")
    assert ended.exit_code == 0
    assert lic.load(tmp_path / "out.codec").fingerprint.hex() in ended.stdout
    assert isinstance(_import(tmp_path, tmp_path / "out.codec", "--model", "hzswq2021").exception, lic.LicError)
    assert _import(tmp_path, tmp_path / "out.codec", "--model", "hzswq2021", "--force").exit_code == 0


def test_wrong_use_is_exit_code_2(checkpoint, tmp_path):
    assert _import(tmp_path, tmp_path / "out.lic", "--model", "hzswq2021").exit_code == 2
    assert _import(tmp_path, tmp_path / "out.codec").exit_code == 2


def test_wrong_models_and_missing_checkpoints_are_refused(checkpoint, tmp_path):
    assert isinstance(_import(tmp_path, tmp_path / "a.codec", "--model", "default").exception, lic.CheckpointError)
    assert isinstance(
        _import(tmp_path / "no", tmp_path / "a.codec", "--model", "ms2020").exception, lic.CheckpointError
    )
    assert not (tmp_path / "a.codec").exists()


def test_tensors_from_pytorch_become_a_codec(tmp_path):
    pytest.importorskip("safetensors")
    from lic.interop.safetensors import export_safetensors

    model = tiny_model("conv", "hyperprior")
    export_safetensors(model, tmp_path / "weights.safetensors")
    ended = _import(tmp_path / "weights.safetensors", tmp_path / "out.codec")
    assert ended.exit_code == 0
    assert lic.load(tmp_path / "out.codec").fingerprint == lic.Codec(model).fingerprint


def test_settings_of_a_codec_come_back(tmp_path):
    pytest.importorskip("safetensors")
    codec = lic.Codec(tiny_model("klt", "hyperprior"), bit_depth=12, skip_below=0.3, stored="float16")
    codec.save(tmp_path / "before.codec")
    names = [str(tmp_path / name) for name in ("before.codec", "a.safetensors", "after.codec")]
    exported = CliRunner().invoke(app, ["export", *names[:2], "--format", "safetensors"])
    assert (exported.exit_code, _import(*names[1:]).exit_code) == (0, 0)
    after = lic.load(names[2])
    assert after.settings == codec.settings == {"bit_depth": 12, "skip_below": 0.3, "stored": "float16"}
    assert after.fingerprint == codec.fingerprint


def test_settings_that_no_codec_has_are_one_sentence(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    from lic.interop.safetensors import export_safetensors

    export_safetensors(tiny_model("klt", "hyperprior"), tmp_path / "a.safetensors")
    with pytest.importorskip("safetensors").safe_open(tmp_path / "a.safetensors", "np") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    safetensors.save_file(tensors, tmp_path / "a.safetensors", metadata | {"settings": '{"bit_depth": 99}'})
    error = _import(tmp_path / "a.safetensors", tmp_path / "a.codec").exception
    assert isinstance(error, lic.CheckpointError)
    assert "makes no codec" in str(error)
    assert "bit_depth" in str(error)


def test_an_unknown_format_is_exit_code_2(tmp_path):
    (tmp_path / "weights").touch()
    assert _import(tmp_path / "weights", tmp_path / "out.codec", "--format", "pickle").exit_code == 2


def test_a_missing_file_is_named_whatever_its_format(tmp_path):
    for name in ("weights", "weights.pth", "weights.safetensors"):
        ended = _import(tmp_path / name, tmp_path / "out.codec")
        assert f"There is no file, folder or prefix of a checkpoint '{tmp_path / name}'" in str(ended.exception)


def test_compressais_weights_become_a_codec_by_the_end_of_their_name(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file(Weights("mbt2018-mean", 6, 8, 0).tensors, tmp_path / "a.safetensors")
    ended = _import(tmp_path / "a.safetensors", tmp_path / "a.codec", "--quality", "6")
    assert ended.exit_code == 0
    model = lic.load(tmp_path / "a.codec").model
    assert (model.transform.depth, model.lmbda) == (8, 0.0483)
    (tmp_path / "a.safetensors").rename(tmp_path / "weights")
    options = "--format", "pytorch", "--model", "compressai-mbt2018-mean"
    # Without the end of its name it is taken for a file of PyTorch, which may not be there.
    ended = _import(tmp_path / "weights", tmp_path / "b.codec", *options)
    assert isinstance(ended.exception, (lic.CheckpointError, ImportError))
    assert _import(tmp_path / "weights", tmp_path / "b.codec", "--format", "onnx").exit_code == 2
