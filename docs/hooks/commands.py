"""Writes the options of the command from the command itself."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from lic.cli import app

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces the mark by a section for each verb."""
    if MARK not in markdown:
        return markdown
    verbs = typer.main.get_command(app).commands
    return markdown.replace(MARK, "\n\n".join(_section(name, verb) for name, verb in verbs.items()))


def _section(name: str, verb: Any) -> str:
    parameters = [each for each in verb.params if each.name != "help"]
    arguments = " ".join(each.metavar for each in parameters if each.param_type_name == "argument")
    rows = "\n".join(_row(each) for each in parameters)
    heading = f"### lic {name}\n\n```text\nlic {name} {arguments}\n```\n\n{inspect.cleandoc(verb.help)}"
    return f"{heading}\n\n| option | | default |\n|---|---|---|\n{rows}"


def _row(parameter: Any) -> str:
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or parameter.name.upper()
    names = " ".join(parameter.opts) if parameter.param_type_name == "option" else ""
    default = "" if parameter.default is None or value == "" else f"`{parameter.default}`"
    text = (parameter.help or "").replace("|", "\\|")
    return f"| `{' '.join([names, value]).strip()}` | {text} | {'needed' if parameter.required else default} |"
