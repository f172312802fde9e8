"""Tables on the terminal."""

from lic.cli.table import print_table


def printed(capsys, *arguments):
    print_table(*arguments)
    return capsys.readouterr().out.splitlines()


def test_words_are_left_numbers_right_and_a_missing_value_is_a_dash(capsys):
    rows = [{"codec": "a", "bits_per": 1.0, "note": None}, {"codec": "long", "bits_per": None, "note": "why"}]
    assert printed(capsys, rows, {"codec": "{}", "bits_per": "{:.1f}", "note": "{}"}) == [
        "codec  bits per  note",
        "a           1.0  -",
        "long          -  why",
    ]


def test_no_rows_leave_the_names(capsys):
    assert printed(capsys, [], {"codec": "{}"}) == ["codec"]


def test_a_line_is_whole_in_a_narrow_pipe(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    rows = [{"name": "n" * 300, "shape": "[red][3, 5] :smile:"}]
    assert printed(capsys, rows, {"name": "{}", "shape": "{}"})[1] == f"{'n' * 300}  [red][3, 5] :smile:"
