"""The format of a checkpoint."""

import pytest

from lic.errors import CheckpointError
from lic.interop.import_weights import guess_format, import_checkpoint
from lic.interop.safetensors import export_safetensors
from lic.weights import get_tensors
from tests.conftest import tiny_model
from tests.models.random_compressai import Weights


def test_the_end_of_a_name_gives_the_format():
    names = ("a.pth", "a-6-a19628ab.pth.tar", "a.npz", "a.safetensors", "a/ckpt-1", "a/variables", "a")
    assert [guess_format(name) for name in names] == ["pytorch"] * 4 + ["tensorflow"] * 3


def test_a_file_of_safetensors_names_its_origin(tmp_path):
    safetensors, model = pytest.importorskip("safetensors.numpy"), tiny_model("conv", "hyperprior")
    export_safetensors(model, tmp_path / "ours.safetensors")
    safetensors.save_file(Weights("mbt2018-mean", 6, 8, 0).tensors, tmp_path / "theirs.safetensors")
    assert [guess_format(tmp_path / f"{whose}.safetensors") for whose in ("ours", "theirs")] == [
        "safetensors",
        "pytorch",
    ]
    assert get_tensors(import_checkpoint(tmp_path / "ours.safetensors")).keys() == get_tensors(model).keys()
    with pytest.raises(
        CheckpointError,
        match="Expected name to be None, since .*ours.safetensors holds its model's parts. Received: 'ms2020'",
    ):
        import_checkpoint(tmp_path / "ours.safetensors", "ms2020")


def test_the_format_may_be_given(tmp_path):
    with pytest.raises(CheckpointError, match="There is no file"):
        import_checkpoint(tmp_path / "weights", format="pytorch")
    with pytest.raises(CheckpointError, match="tensorflow, pytorch, safetensors. Received: 'onnx'"):
        import_checkpoint(tmp_path / "weights.pth", format="onnx")
    with pytest.raises(CheckpointError, match="Expected quality to be None, since format is 'tensorflow'. Received: 3"):
        import_checkpoint(tmp_path / "weights", "ms2020", quality=3)
