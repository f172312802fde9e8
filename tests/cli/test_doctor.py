import json

import pytest
from typer.testing import CliRunner

import lic
from lic import doctor
from lic.cli import app

GOOD, BAD = doctor.Finding("grey", True, "12 bytes"), doctor.Finding("odd", False, "DesyncError: differs here")


@pytest.fixture
def findings(monkeypatch):
    """What the self-test finds, for a test to fill; another machine's file has the good one alone."""
    found = [GOOD]
    monkeypatch.setattr(doctor, "self_test", lambda model: iter(found))
    monkeypatch.setattr(doctor, "check", lambda path, model: iter([GOOD]))
    monkeypatch.setattr(doctor, "export", lambda path, model: path.write_text(f"of {model}"))
    return found


def invoke(*arguments):
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


def test_facts_then_findings(findings, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    result = invoke()
    assert result.exit_code == 0, result.output
    *facts, last = result.stdout.splitlines()
    assert last == "passed  grey: 12 bytes"
    told = dict(line.split(maxsplit=1) for line in facts)
    assert told["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert told["lic"] == lic.__version__


def test_it_fails_where_a_test_does(findings):
    findings.append(BAD)
    result = invoke()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == ["passed  grey: 12 bytes", "FAILED  odd: DesyncError: differs here"]


def test_json_has_facts_and_findings(findings):
    findings.append(BAD)
    result = invoke("--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["tests"] == [GOOD._asdict(), BAD._asdict()]
    assert told["versions"]["lic"] == lic.__version__


def test_another_machines_file_takes_the_place_of_the_self_test(findings):
    findings[:] = [BAD]
    result = invoke("--check", "there.zip")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "passed  grey: 12 bytes"


def test_it_exports_and_says_how_to_check(findings, tmp_path):
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
