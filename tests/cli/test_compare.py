import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lic.cli import app
from lic.errors import EvaluationError, RegistryError


def compare(*arguments):
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_table_has_a_row_for_each_codec(run_folder):
    head, jpeg, better, worse, single, legend = compare(run_folder).stdout.splitlines()
    assert head.split("  ")[0] == "codec"
    assert jpeg.endswith("the anchor")
    assert better.split()[:2] == ["better", "-20.00"]
    assert worse.split()[:2] == ["worse", "+10.00"]
    assert "-30.00" in single
    assert "one rate" in single
    assert legend.startswith("The anchor is jpeg, the interpolation pchip")


def test_several_published_names_behind_one_option(run_folder):
    result = compare(run_folder, "--published", "vtm", "bpg444", "--anchor", "published:vtm")
    assert [line.split()[0] for line in result.stdout.splitlines()[5:7]] == ["published:vtm", "published:bpg444"]
    assert result.stderr == "lic: Published curves are of the 24 images of Kodak; the runs are over others.\n"


def test_all_published_curves(run_folder):
    from lic.evaluation.compare import published_curves

    data = json.loads(compare(run_folder, "--published", "all", "--json").stdout)
    assert {f"published:{name}" for name in published_curves()} <= {row["codec"] for row in data["rows"]}


def test_json_is_everything(run_folder):
    data = json.loads(compare(run_folder, "--json", "--measure", "ms_ssim_db", "--method", "akima").stdout)
    assert (data["anchor"], data["measure"], data["method"], data["notes"]) == ("jpeg", "ms_ssim_db", "akima", [])
    assert [row["codec"] for row in data["rows"]] == ["jpeg", "better", "worse", "single"]
    assert data["rows"][1]["bd_rate"] == pytest.approx(-20, abs=1e-6)


def test_tensorflow_is_not_imported(run_folder):
    script = f"""
import sys
from lic.cli import app
try:
    app(["compare", {str(run_folder)!r}])
finally:
    print("tensorflow" in sys.modules, file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "False\n")


@pytest.mark.parametrize("arguments", [["--measure", "ssim"], ["--method", "linear"]])
def test_wrong_choice_is_a_wrong_use(run_folder, arguments):
    assert CliRunner().invoke(app, ["compare", str(run_folder), *arguments]).exit_code == 2


def test_errors_name_the_known_entries(run_folder, tmp_path):
    with pytest.raises(EvaluationError, match="no evaluation at"):
        compare(tmp_path)
    with pytest.raises(RegistryError, match="Did you mean 'vtm'"):
        compare(run_folder, "--anchor", "vmt")
