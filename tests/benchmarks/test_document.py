import pytest

TEXT = "above\n<!-- results: begin -->\nold\n<!-- results: end -->\nbelow\n"


def test_a_table_leaves_out_columns_that_are_empty_in_every_row(load):
    text = load("document").table([{"a": "1", "b": ""}, {"a": "2", "c": "x"}], {"a": "A, s", "b": "B", "c": "C"})
    assert text.splitlines() == ["| A, s | C |", "| --- | --- |", "| 1 |  |", "| 2 | x |"]


def test_only_the_text_between_the_markers_is_replaced(load):
    placed = load("document").placed
    assert placed(TEXT, "results", "new \\1") == TEXT.replace("old", "new \\1")
    assert placed(placed(TEXT, "results", ""), "results", "old") == TEXT
    assert "old" not in placed(TEXT, "results", "")


@pytest.mark.parametrize("text", ["", TEXT + TEXT, TEXT.replace("end", "stop")])
def test_a_text_without_one_pair_of_markers_is_an_error(load, text):
    with pytest.raises(ValueError, match="one pair of markers <!-- results: begin -->"):
        load("document").placed(text, "results", "new")
