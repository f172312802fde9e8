import pytest

import lic
from tests.benchmarks.conftest import QUICK, rows_in, run

PARTS = ["analysis", "synthesis", "hyper analysis", "hyper synthesis"]


@pytest.mark.slow
def test_transforms_are_measured_from_end_to_end(tmp_path):
    out = tmp_path / "transforms.csv"
    arguments = ("--model", "default", "--size", "70x50", "--shipped", "--gmac", "synthesis=1")
    ended = run("bench_transforms", *arguments, *QUICK, "--out", out)
    assert ended.returncode == 0, ended.stderr[-3000:]
    rows = {row["quantity"]: row for row in rows_in(out)}
    assert list(rows) == [*PARTS, "synthesis share"]
    assert {row["weights"] for row in rows.values()} == {f"shipped {lic.load('default').fingerprint.hex()}"}
    rate = (float(rows["synthesis"]["rate_before"]) + float(rows["synthesis"]["rate_after"])) / 2
    share = 2 / float(rows["synthesis"]["median"]) / rate
    assert float(rows["synthesis share"]["median"]) == pytest.approx(share, rel=0.01)


def test_share_is_of_the_rate_of_the_type_it_computes_in(load):
    script, measuring, tasks = load("bench_transforms"), load("measuring"), load("tasks")
    quantities = [measuring.Quantity(name, "s", [0.5]) for name in PARTS]
    before, after = measuring.Calibration(90, 190, 1, 1), measuring.Calibration(110, 210, 1, 1)
    task = tasks.Task("default", 64, 64, precision="bfloat16")
    found = script.shares(measuring.Measured(task, quantities, before, after), {"analysis": 10, "hyper analysis": 1})
    assert [(share.name, share.values) for share in found] == [
        ("analysis share", [pytest.approx(2 * 10 / 0.5 / 200)]),
        ("hyper analysis share", [pytest.approx(2 * 1 / 0.5 / 100)]),
    ]


@pytest.mark.parametrize("gmac", ["analysis", "analysis=x", "analysis=0", "analysis=nan", "entropy=1"])
def test_wrong_gmac_is_one_line(load, capsys, gmac):
    with pytest.raises(SystemExit, match="2"):
        load("bench_transforms").main(["--model", "default", "--gmac", gmac])
    (line,) = capsys.readouterr().err.splitlines()
    assert "PART=NUMBER" in line


def test_gmac_is_of_one_model(load, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("bench_transforms").main(["--model", "default", "ms2020", "--gmac", "analysis=1"])
    assert "one --model" in capsys.readouterr().err
