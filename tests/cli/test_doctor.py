"""`lic doctor`: facts of a machine, a self-test, and streams from another machine."""

import io
import json
import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

import lic
from lic.cli import app, doctor
from lic.entropy.range_coding.range_coder import coder_name
from tests.conftest import random_images, tiny_model


@pytest.fixture(scope="module")
def codec(tmp_path_factory, loads_once):
    """A codec of two rates that makes both kinds of streams."""
    path = tmp_path_factory.mktemp("codec") / "tiny.codec"
    model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02))
    lic.Codec(model, deterministic=True, calibration=[random_images(64, 64, 3)]).save(path)
    return path


@pytest.fixture(scope="module")
def exported(codec, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "here.zip"
    doctor.export_streams(path, str(codec))
    return path


def test_facts_cover_settings_versions_and_devices(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    facts = doctor.facts()
    assert facts["settings"]["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert facts["range coder"] == coder_name()
    assert {"lic", "python", "tensorflow", "numpy"} <= facts["versions"].keys()
    assert any(device.startswith("CPU") for device in facts["devices"])
    json.dumps(facts)


def test_the_self_test_passes_for_both_kinds(codec):
    findings = list(doctor.self_test(str(codec)))
    assert all(finding.passed for finding in findings), findings
    names = {finding.name for finding in findings}
    assert {"ordinary-photograph-quality-1", "deterministic-grey-quality-2"} <= names
    assert len(names) == len(findings) == 12


def test_exported_streams_are_decoded(codec, exported):
    findings = list(doctor.check_streams(exported, str(codec)))
    assert [finding.found for finding in findings] == ["the same pixels"] * 12
    assert all(finding.passed for finding in findings)


def _changed(exported, path, change):
    """Writes a copy of the exported file with one of its members changed, and returns its path."""
    with zipfile.ZipFile(exported) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = change(name, source.read(name))
            if data is not None:
                target.writestr(name, data)
    return path


def test_a_stream_that_does_not_decode_is_named(codec, exported, tmp_path):
    def damage(name, data):
        return data[:-1] if name == "ordinary-odd-quality-1.lic" else data

    findings = list(doctor.check_streams(_changed(exported, tmp_path / "damaged.zip", damage), str(codec)))
    (failed,) = (finding for finding in findings if not finding.passed)
    assert failed.name == "ordinary-odd-quality-1"
    assert failed.found.startswith("BitstreamError: The stream is damaged")


def test_other_pixels_are_counted(codec, exported, tmp_path):
    def darken(name, data):
        if name != "ordinary-odd-quality-1.npy":
            return data
        array = io.BytesIO()
        np.save(array, np.clip(np.load(io.BytesIO(data)).astype(int) + 9, 0, 255).astype(np.uint8))
        return array.getvalue()

    findings = list(doctor.check_streams(_changed(exported, tmp_path / "other.zip", darken), str(codec)))
    (failed,) = (finding for finding in findings if not finding.passed)
    assert failed.found == "up to 9 grey levels in the pixels"


@pytest.mark.parametrize(
    "change", [lambda name, data: None if name.endswith(".npy") else data, lambda name, data: None]
)
def test_incomplete_files_are_refused(codec, exported, tmp_path, change):
    with pytest.raises(lic.CheckpointError, match="streams or images are missing"):
        list(doctor.check_streams(_changed(exported, tmp_path / "lacking.zip", change), str(codec)))


def test_other_files_are_refused(codec, tmp_path):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(lic.CheckpointError, match="no file of `lic doctor --export`, or damaged"):
        list(doctor.check_streams(tmp_path / "text.zip", str(codec)))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.npy", "no image")
    content = (tmp_path / "other.zip").read_bytes()
    method = content.index(b"PK\x01\x02") + 10  # One that no library knows.
    (tmp_path / "other.zip").write_bytes(content[:method] + b"\x63" + content[method + 1 :])
    with pytest.raises(lic.CheckpointError, match="no file of `lic doctor --export`, or damaged"):
        list(doctor.check_streams(tmp_path / "other.zip", str(codec)))
    with pytest.raises(lic.CheckpointError, match="There is no file .*nothing.zip"):
        list(doctor.check_streams(str(tmp_path / "nothing.zip"), str(codec)))


def test_the_command_exports_and_checks(codec, tmp_path):
    def invoke(*arguments):
        return CliRunner().invoke(app, ["doctor", "--model", str(codec), *map(str, arguments)])

    result = invoke("--export", tmp_path / "here.zip")
    assert result.exit_code == 0, result.output
    assert "passed  deterministic-odd-quality-2: " in result.stdout
    assert "lic doctor --check here.zip" in result.stdout
    result = invoke("--check", tmp_path / "here.zip", "--json")
    assert result.exit_code == 0
    assert all(test["passed"] for test in json.loads(result.stdout)["tests"])
    again = invoke("--export", tmp_path / "here.zip")
    assert again.exit_code == 1
    assert isinstance(again.exception, lic.LicError)
    before = (tmp_path / "here.zip").read_bytes()
    both = invoke("--check", tmp_path / "here.zip", "--export", tmp_path / "here.zip", "--force")
    assert both.exit_code == 2
    assert (tmp_path / "here.zip").read_bytes() == before


def test_codecs_of_other_channels_and_bits_are_tested_on_such_images(tmp_path):
    model = tiny_model("klt", "factorized", channels=2)
    lic.Codec(model, bit_depth=12).save(tmp_path / "deep.codec")
    findings = list(doctor.self_test(str(tmp_path / "deep.codec")))
    assert [finding.passed for finding in findings] == [True, True]
    doctor.export_streams(tmp_path / "here.zip", str(tmp_path / "deep.codec"))
    checked = list(doctor.check_streams(tmp_path / "here.zip", str(tmp_path / "deep.codec")))
    assert [finding.found for finding in checked] == 2 * ["the same pixels"]


def test_the_command_fails_if_a_test_fails(codec, exported, tmp_path):
    path = _changed(exported, tmp_path / "bad.zip", lambda name, data: data[:-1] if name.endswith(".lic") else data)
    result = CliRunner().invoke(app, ["doctor", "--model", str(codec), "--check", str(path)])
    assert result.exit_code == 1
    assert result.stdout.count("FAILED  ") == 12


# The command with findings that are made up.

GOOD, BAD = doctor.Finding("grey", True, "12 bytes"), doctor.Finding("odd", False, "DesyncError: differs here")


@pytest.fixture
def findings(monkeypatch):
    """The findings of the self-test, which a test may add to; a file from another machine has the good one alone."""
    found = [GOOD]
    monkeypatch.setattr(doctor, "self_test", lambda model: iter(found))
    monkeypatch.setattr(doctor, "check_streams", lambda path, model: iter([GOOD]))
    monkeypatch.setattr(doctor, "export_streams", lambda path, model: path.write_text(f"of {model}"))
    return found


def invoke(*arguments):
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


def test_facts_then_findings(findings, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    result = invoke()
    assert result.exit_code == 0, result.output
    *facts, last = result.stdout.splitlines()
    assert last == "passed  grey: 12 bytes"
    printed = dict(line.split(maxsplit=1) for line in facts)
    assert printed["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert printed["lic"] == lic.__version__


def test_it_fails_if_a_test_fails(findings):
    findings.append(BAD)
    result = invoke()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == ["passed  grey: 12 bytes", "FAILED  odd: DesyncError: differs here"]


def test_json_has_facts_and_findings(findings):
    findings.append(BAD)
    result = invoke("--json")
    assert result.exit_code == 1
    printed = json.loads(result.stdout)
    assert printed["tests"] == [GOOD._asdict(), BAD._asdict()]
    assert printed["versions"]["lic"] == lic.__version__


def test_another_machines_file_takes_the_place_of_the_self_test(findings):
    findings[:] = [BAD]
    result = invoke("--check", "there.zip")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "passed  grey: 12 bytes"


def test_it_exports_and_prints_how_to_check(findings, tmp_path):
    result = invoke("--model", "mine.codec", "--export", tmp_path / "here.zip")
    assert result.exit_code == 0, result.output
    assert "lic doctor --check here.zip" in result.stdout
    assert (tmp_path / "here.zip").read_text() == "of mine.codec"


def test_an_export_is_not_overwritten_unasked(findings, tmp_path):
    (tmp_path / "here.zip").write_text("kept")
    result = invoke("--export", tmp_path / "here.zip")
    assert result.exit_code == 1
    assert isinstance(result.exception, lic.LicError)
    assert (tmp_path / "here.zip").read_text() == "kept"
    assert invoke("--force", "--export", tmp_path / "here.zip").exit_code == 0
    assert (tmp_path / "here.zip").read_text() == "of default"
