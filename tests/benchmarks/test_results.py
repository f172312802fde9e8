import pytest

from tests.benchmarks.conftest import rows_in


@pytest.fixture
def rows(load):
    measuring, tasks = load("measuring"), load("tasks")
    quantities = [measuring.Quantity("compress", "s", [3.0, 1.0, 2.5]), measuring.Quantity("size", "bytes", [123456])]
    before, after = measuring.Calibration(100, 200, 110, 10), measuring.Calibration(120, 220, 130, 12)
    task = tasks.Task("default", 64, 48, precision="bfloat16", tile=512)
    return load("results").rows_of(measuring.Measured(task, quantities, before, after))


def test_a_row_holds_all_of_a_quantity(rows):
    first, second = rows
    assert [first[name] for name in ("median", "least", "most", "repeats")] == ["2.5", "1", "3", "3"]
    assert second["median"] == "123456"
    rates = [first[f"{name}_rate"] for name in ("convolution", "bfloat16", "memory")]
    assert (first["rate_before"], first["rate_after"], rates) == ("100", "120", ["120", "210", "11"])
    assert (first["precision"], first["tile"]) == ("bfloat16", "512")


def test_rows_are_appended_under_one_header(load, rows, tmp_path):
    results, path = load("results"), tmp_path / "new" / "x.csv"
    for _ in range(2):
        results.check_appendable(path)
        results.append(path, rows)
    assert rows_in(path) == rows * 2
    assert path.read_text().splitlines()[0] == ",".join(results.COLUMNS)


def test_a_table_is_aligned(load):
    text = load("results").table([{"a": "1", "b": "x"}, {"a": "1000", "b": "y"}], ("a", "b"))
    assert text.splitlines() == ["a     b", "1     x", "1000  y"]
