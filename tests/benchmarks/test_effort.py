import pytest

from tests.benchmarks.conftest import write_rows


@pytest.fixture
def effort(load):
    return load("effort")


def _row(effort, image, percent, codec="0123abcd", quality="4"):
    return {
        "codec": codec,
        "quality": quality,
        "effort": str(effort),
        "image": image,
        "seconds": str(percent),
        "saved": str(percent / 100),
    }


def test_means_of_the_savings(effort):
    (line,) = effort.means([_row(5, f"{each}.png", each) for each in (4, 5, 9)])
    assert (line["seconds"], line["saved"], line["least"], line["most"]) == ("5", "6.00", "4.00", "9.00")


def test_efforts_are_compared_on_the_images_that_all_were_tried_on(effort):
    rows = [*(_row(5, f"{each}.png", each) for each in (4, 5, 9)), _row(1, "4.png", 2), _row(6, "4.png", 6)]
    lines = [(line["effort"], line["images"], line["saved"]) for line in effort.means(rows)]
    assert lines == [("1", "1", "2.00"), ("5", "1", "4.00"), ("6", "1", "6.00"), ("5", "3", "6.00")]


def test_efforts_on_different_images_have_a_line_each(effort):
    lines = effort.means([_row(1, "a.png", 2), _row(5, "b.png", 4)])
    assert [(line["effort"], line["images"]) for line in lines] == [("1", "1"), ("5", "1")]


def test_rows_of_earlier_codecs_do_not_count(effort):
    others = [_row(5, "a.png", 2, codec="89abcdef"), _row(5, "a.png", 2, quality="7")]
    (line,) = effort.means([*others, _row(5, "a.png", 4), _row(5, "b.png", 6)])
    assert (line["images"], line["saved"]) == ("2", "5.00")


def test_a_section_is_a_table_by_effort(effort, tmp_path):
    assert effort.section(tmp_path) == []
    common = {"quality": "4", "cpu": "Some CPU", "cores": "2"}
    rows = [common | _row(5, "a.png", 9), common | _row(1, "a.png", 2)]
    write_rows(tmp_path / "effort" / "some.csv", rows, effort.COLUMNS)
    (part,) = effort.section(tmp_path)
    assert "codec 0123abcd at quality 4" in part
    assert part.splitlines()[-2:] == ["| 1 | 1 | 2 | 2.00 | 2.00 | 2.00 |", "| 5 | 1 | 9 | 9.00 | 9.00 | 9.00 |"]
