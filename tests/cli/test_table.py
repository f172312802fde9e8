"""Tables on the terminal."""

from lic.cli.table import table


def test_columns_are_aligned_and_what_is_missing_is_a_dash():
    rows = [{"codec": "jpeg", "bit_rate": 1.5, "rest": 0}, {"codec": "a", "bit_rate": None}]
    assert table(rows, {"codec": "{}", "bit_rate": "{:.2f}"}).splitlines() == [
        "codec  bit rate",
        "jpeg       1.50",
        "a             -",
    ]


def test_no_rows_leave_the_names():
    assert table([], {"codec": "{}"}) == "codec"
