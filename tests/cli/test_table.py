"""Tables on the terminal."""

from lic.cli.table import table


def test_words_are_left_figures_right_and_what_lacks_is_a_dash():
    rows = [{"codec": "a", "bits_per": 1.0, "note": None}, {"codec": "long", "bits_per": None, "note": "why"}]
    assert table(rows, {"codec": "{}", "bits_per": "{:.1f}", "note": "{}"}) == (
        "codec  bits per  note\na           1.0  -\nlong          -  why"
    )


def test_no_rows_leave_the_names():
    assert table([], {"codec": "{}"}) == "codec"
