"""Options that take several values behind one name."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from lic.cli.many_values import ManyValues


def result_of(*arguments):
    app, seen = typer.Typer(), []

    @app.command(cls=ManyValues)
    def command(
        paths: list[str],
        model: Annotated[list[str] | None, typer.Option("--model", "-m")] = None,
        number: Annotated[list[float] | None, typer.Option()] = None,
        out: Annotated[str, typer.Option()] = "",
        flag: Annotated[bool, typer.Option("--flag")] = False,
    ):
        seen.append((paths, model, number, out, flag))

    return CliRunner().invoke(app, arguments), seen


def run(*arguments):
    result, seen = result_of(*arguments)
    assert result.exit_code == 0, result.output
    return seen[0]


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ("in --model a b --number 1 2.5 --out x", (["in"], ["a", "b"], [1, 2.5], "x", False)),
        ("in --model a --model b", (["in"], ["a", "b"], None, "", False)),
        ("in -m a b --flag", (["in"], ["a", "b"], None, "", True)),
        ("one two --out x --model a", (["one", "two"], ["a"], None, "x", False)),
        ("--flag one", (["one"], None, None, "", True)),
        ("--model a -- --odd b", (["--odd", "b"], ["a"], None, "", False)),
        ("--model=a in", (["in"], ["a"], None, "", False)),
    ],
)
def test_values(arguments, seen):
    assert run(*arguments.split()) == seen


@pytest.mark.parametrize(
    "arguments", ["in --model --number 1", "in --model", "in --flag -m", "in --model --", "in -m a --number"]
)
def test_an_option_without_a_value_is_a_wrong_use(arguments):
    result, seen = result_of(*arguments.split())
    assert (result.exit_code, seen) == (2, [])
    assert "requires an argument" in result.output
