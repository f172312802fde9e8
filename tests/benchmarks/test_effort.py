import pytest

from tests.benchmarks.conftest import write_rows


@pytest.fixture
def effort(load):
    return load("effort")


def test_means_of_what_is_saved(effort):
    rows = [{"effort": "5", "seconds": str(each), "saved": str(each / 100)} for each in (4, 5, 9)]
    (line,) = effort.means(rows)
    assert (line["seconds"], line["saved"], line["least"], line["most"]) == ("5", "6.00", "4.00", "9.00")


def test_a_section_is_a_table_by_effort(effort, tmp_path):
    assert effort.section(tmp_path) == []
    rows = [
        {
            "codec": "0123abcd",
            "quality": "4",
            "cpu": "Some CPU",
            "cores": "2",
            "effort": "5",
            "seconds": "9",
            "saved": "0.05",
        },
        {
            "codec": "0123abcd",
            "quality": "4",
            "cpu": "Some CPU",
            "cores": "2",
            "effort": "1",
            "seconds": "2",
            "saved": "0.01",
        },
    ]
    write_rows(tmp_path / "effort" / "some.csv", rows, effort.COLUMNS)
    (part,) = effort.section(tmp_path)
    assert "codec 0123abcd at quality 4" in part
    assert part.splitlines()[-2:] == ["| 1 | 1 | 2 | 1.00 | 1.00 | 1.00 |", "| 5 | 1 | 9 | 5.00 | 5.00 | 5.00 |"]
