"""`lic export`."""

import numpy as np
import pytest
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.cli.export import RUNTIME_FILES, _refuse_other_folders
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.interop import onnx, portable, saved_model
from tests.conftest import random_images


def export(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.mark.skipif(coder_name() == "numba", reason="numba's coder cannot be served")
def test_a_saved_model_is_written_and_replaced_with_force(codec, tmp_path):
    ended = export(codec, tmp_path / "served", "--format", "savedmodel")
    assert ended.exit_code == 0
    assert lic.load(codec).fingerprint.hex() in ended.stdout
    assert tf.saved_model.contains_saved_model(tmp_path / "served")
    _refuse_other_folders(tmp_path / "served")
    before = (tmp_path / "served" / "saved_model.pb").stat()
    again = export(codec, tmp_path / "served", "--format", "savedmodel")
    assert isinstance(again.exception, lic.LicError)
    assert "--force" in str(again.exception)
    assert (tmp_path / "served" / "saved_model.pb").stat() == before


def test_a_folder_is_replaced_once_the_new_one_is_whole(codec, tmp_path, monkeypatch):
    def write(model, folder):
        folder.mkdir()
        (folder / "new.onnx").touch()
        if fails:
            raise lic.LicError("failed")
        return ["network"]

    monkeypatch.setattr(onnx, "export_onnx", write)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / onnx.DESCRIPTION).touch()
    for fails, name in ((True, onnx.DESCRIPTION), (False, "new.onnx")):
        ended = export(codec, tmp_path / "out", "--format", "onnx", "--force")
        assert (ended.exit_code == 0) is not fails
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]
    assert ended.stdout.endswith("1 network\n")


def test_a_portable_codec_is_a_deterministic_one(codec, tmp_path, monkeypatch):
    def write(codec, folder):
        seen.append(codec.deterministic)
        folder.mkdir()
        (folder / "codec.json").write_bytes(bytes(1234))
        return ["codec.json"]

    seen = []
    monkeypatch.setattr(portable, "export_portable", write)
    ended = export("default", tmp_path / "out", "--format", "portable")
    assert (ended.exit_code, seen) == (0, [True])
    assert ended.stdout.endswith(", 1,234 bytes\n")
    for name in RUNTIME_FILES:
        (tmp_path / "out" / name).write_text(name)
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert export("default", tmp_path / "out", "--format", "portable", "--force").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
    assert isinstance(export(codec, tmp_path / "other", "--format", "portable").exception, lic.CheckpointError)


def test_weights_are_written_with_a_table_of_names_and_come_back(codec, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    ended = export(codec, tmp_path / "weights.safetensors", "--format", "safetensors")
    assert ended.exit_code == 0
    head, *rows, last = ended.stdout.splitlines()
    tensors = safetensors.load_file(tmp_path / "weights.safetensors")
    assert head.split() == ["name", "shape", "torch", "module"]
    assert {row.split()[0] for row in rows} == tensors.keys()
    assert any("Conv2d(stride=1, padding=1); then relu" in row for row in rows)
    assert last.endswith(f"{len(tensors)} tensors")
    model = lic.import_checkpoint(tmp_path / "weights.safetensors")
    assert lic.Codec(model).fingerprint == lic.load(codec).fingerprint


@pytest.mark.parametrize("format", ["savedmodel", "onnx"])
def test_other_folders_than_exports_are_never_replaced(codec, tmp_path, format):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "photo.png").touch()
    for out in (tmp_path / "photographs", tmp_path / "photographs" / "photo.png"):
        ended = export(codec, out, "--format", format, "--force")
        assert isinstance(ended.exception, lic.LicError)
        assert "is not replaced" in str(ended.exception)
    assert (tmp_path / "photographs" / "photo.png").exists()


def test_all_that_exports_write_is_known_as_theirs(tmp_path):
    names = [onnx.DESCRIPTION, "transform.analysis.onnx", saved_model.CONTAINER, portable.export.DESCRIPTION]
    for name in (*names, portable.export.TABLES, *portable.export.READERS, portable.export.PAGE):
        (tmp_path / name).touch()
    _refuse_other_folders(tmp_path)


def test_an_export_beside_files_of_ones_own_is_not_replaced(codec, tmp_path):
    (tmp_path / "project").mkdir()
    for name in ("codec.json", "thesis.txt"):
        (tmp_path / "project" / name).touch()
    ended = export("default", tmp_path / "project", "--format", "portable", "--force")
    assert "holds what lic does not export (thesis.txt), so it is not replaced" in str(ended.exception)
    assert len(list((tmp_path / "project").iterdir())) == 2


def test_a_link_leads_to_the_new_folder(codec, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "export_onnx", lambda model, folder: folder.mkdir() or [])
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "networks.json").touch()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert export(codec, tmp_path / "link", "--format", "onnx", "--force").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("error", [OSError(28, "full"), tf.errors.OutOfRangeError(None, None, "full")])
def test_a_folder_that_cannot_be_written_is_an_error_of_lic(codec, tmp_path, monkeypatch, error):
    def write(codec, folder):
        raise error

    monkeypatch.setattr(saved_model, "export_saved_model", write)
    ended = export(codec, tmp_path / "served", "--format", "savedmodel")
    assert isinstance(ended.exception, lic.LicError)
    assert str(ended.exception).startswith(f"{tmp_path / 'served'} cannot be written: ")
    assert not list(tmp_path.iterdir())


def test_a_deterministic_codec_is_asked_for(codec, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(saved_model, "export_saved_model", lambda codec, folder: seen.append(codec))
    ended = export(codec, tmp_path / "served", "--format", "savedmodel", "--deterministic")
    assert isinstance(ended.exception, lic.CheckpointError)  # It holds no networks for that.
    assert export(codec, tmp_path / "served", "--format", "onnx", "--deterministic").exit_code == 2
    assert not seen


def test_wrong_use_is_exit_code_2(codec, tmp_path):
    assert export(codec, tmp_path / "served", "--format", "h5").exit_code == 2
    assert export(codec, tmp_path / "served").exit_code == 2
    assert export(codec, tmp_path / "served.onnx", "--format", "onnx").exit_code == 2
    before = codec.read_bytes()
    assert export(codec, codec, "--format", "safetensors", "--force").exit_code == 2
    assert codec.read_bytes() == before


def test_a_model_without_weights_is_refused(tmp_path):
    ended = export("zyc2022", tmp_path / "served", "--format", "onnx")
    assert isinstance(ended.exception, lic.CheckpointError)
    assert "No weights ship" in str(ended.exception)


def test_a_codec_gets_networks_in_whole_numbers(codec, tmp_path):
    photographs, out = tmp_path / "photographs", tmp_path / "out.codec"
    photographs.mkdir()
    lic.images.write_image(photographs / "a.png", random_images(40, 60, 3))
    ended = export(codec, out, "--format", "codec", "--deterministic", "--calibration", photographs)
    assert ended.exit_code == 0, ended.output
    made, plain = lic.load(out, deterministic=True), lic.load(codec)
    image = random_images(30, 50, 3)
    assert lic.load(out).fingerprint == plain.fingerprint
    assert np.array_equal(lic.load(out).decompress(made.compress(image)), made.decompress(made.compress(image)))
    assert made.fingerprint.hex() in ended.stdout
    sample = lic.Codec(plain.model, deterministic=True, **plain.settings)
    assert made.fingerprint != sample.fingerprint  # The units are those of the photographs.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.codec", "--format", "codec", "--calibration", "."], "--calibration is for --format codec with"),
        (["a", "--format", "onnx", "--deterministic"], "--deterministic is for --format codec and savedmodel"),
        (["a", "--format", "codec"], "writes a file that ends in .codec"),
        (["a.bin", "--format", "safetensors"], "writes a file that ends in .safetensors"),
        (["a.codec", "--format", "onnx"], "writes a folder"),
    ],
)
def test_wrong_outputs_and_options_are_named(codec, arguments, message):
    ended = export(codec, *arguments)
    assert ended.exit_code == 2
    assert message in " ".join(ended.output.replace("│", " ").split())
