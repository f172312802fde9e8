import csv

import pytest

from tests.benchmarks.conftest import BENCHMARKS, result, rows_in, write_rows

PUBLISHED = {
    "code": "the published code",
    "model": "some",
    "size": "64x64",
    "quantity": "compress",
    "unit": "s",
    "median": "2",
    "rate": "200",
    "machine": "two cores",
}


@pytest.fixture
def compare(load, tmp_path, capsys):
    """Writes both files, compares, and returns the lines that were printed."""

    def write(name, rows, columns):
        with open(tmp_path / name, "w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return str(tmp_path / name)

    def run(published, ours):
        columns = load("results").COLUMNS
        base, found = write("b.csv", published, list(PUBLISHED)), write("r.csv", ours, columns)
        load("compare").main([found, "--baseline", base])
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return run


def ours(**changes):
    rates = {"rate_before": "90", "rate_after": "100", "convolution_rate": "1", "weights": "fresh"}
    what = {name: PUBLISHED[name] for name in ("model", "size", "quantity", "unit")}
    return what | rates | {"median": "1", "precision": "float32"} | changes


def test_seconds_are_compared_times_the_rate(compare):
    _, row, *_ = compare([PUBLISHED], [ours()])
    assert float(row[-1]) == pytest.approx(2 * 200 / (1 * 95), abs=0.005)


def test_memory_is_compared_as_it_is(compare):
    memory = {"quantity": "codec peak memory", "unit": "GiB"}
    _, row, *_ = compare([PUBLISHED | memory], [ours(median="0.5", **memory)])
    assert row[-1] == "4.00"


def test_the_last_result_of_one_thing_counts(compare):
    others = [ours(median="1"), ours(median="4"), ours(median="8", precision="bfloat16"), ours(quantity="encoded size")]
    _, first, second, note = compare([PUBLISHED], others)
    assert [row[-1] for row in (first, second)] == ["1.05", "0.53"]
    assert note[0] == "there:"


def test_unsteady_machines_are_marked(compare):
    _, row, _, note = compare([PUBLISHED], [ours(rate_after="120")])
    assert row[-1] == "(unsteady)"
    assert note[0] == "unsteady:"


def test_two_results_are_compared_if_all_columns_are_equal(load, tmp_path, capsys):
    columns = load("results").COLUMNS
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    rates = {"rate_before": "50", "rate_after": "50"}
    rows = [result(**rates), result(quantity="encode rate", unit="symbols/s", median="100", **rates)]
    write_rows(old, [*rows, result(weights="shipped"), result(unit="bytes", quantity="encoded size")], columns)
    faster = result(quantity="encode rate", unit="symbols/s", median="300")
    write_rows(new, [result(median="0.5"), faster, result(unit="bytes", quantity="encoded size")], columns)
    load("compare").main([str(new), "--baseline", str(old)])
    _, seconds, rate, note = capsys.readouterr().out.splitlines()
    assert float(seconds.split()[-1]) == pytest.approx(2 / 0.5 * 50 / 100)
    assert float(rate.split()[-1]) == pytest.approx(300 / 100 * 50 / 100)
    assert note == "there: lic 0.1.0 abc on Some CPU, 2 cores, TensorFlow 2.14.1"


@pytest.mark.parametrize(
    ("published", "found", "message"),
    [
        (PUBLISHED, {"model": "other"}, "some at 64x64"),
        (PUBLISHED, {"unit": "ms"}, "in ms here and in s there"),
        (PUBLISHED, {"median": "much"}, "'much'"),
    ],
)
def test_wrong_input_is_one_line(compare, capsys, published, found, message):
    with pytest.raises(SystemExit, match="2"):
        compare([published], [ours(**found)])
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_file_of_something_else_is_one_line(load, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("compare").main([str(BENCHMARKS / "baseline.csv")])
    (line,) = capsys.readouterr().err.splitlines()
    assert "lacks the columns date, lic" in line


def test_published_figures_are_complete(load):
    rows = rows_in(BENCHMARKS / "baseline.csv")
    assert {row["model"] for row in rows} == {"hzswq2021", "ms2020", "zyc2022"}
    for row in rows:
        assert all(row[name] for name in load("compare").BASELINE_COLUMNS)
        assert float(row["least"] or row["median"]) <= float(row["median"]) <= float(row["most"] or row["median"])
        assert row["rate"] == "200"
