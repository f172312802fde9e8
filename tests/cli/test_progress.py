"""The progress bar."""

import sys

import pytest

from lic.cli.progress import on_terminal, progress_bar


@pytest.mark.parametrize(
    ("terminal", "term", "seen"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_it_is_seen_on_a_terminal_only(monkeypatch, terminal, term, seen):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("TERM", term)
    assert on_terminal() is seen


def test_hidden_it_prints_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with progress_bar() as bar:
        bar.update(bar.add_task("Measuring", total=2), advance=2)
    assert capsys.readouterr() == ("", "")
