"""Options that take several values behind one name."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class ManyValues(TyperCommand):
    """A command whose repeatable options take several values at once: `--model A B` means `--model A --model B`.

    The values of such an option end where the next option begins, so arguments must come before it.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses arguments after repeating the option before each of its values."""
        repeatable = {name for each in self.params if getattr(each, "multiple", False) for name in each.opts}
        return super().parse_args(ctx, _repeated(args, repeatable))


def _repeated(args: list[str], repeatable: set[str]) -> list[str]:
    written, current, has_value = [], None, True
    for position, each in enumerate(args):
        is_option = each.startswith("-") and len(each) > 1
        if is_option and not has_value:
            break  # The parser then names the option that has no value.
        if each == "--":
            return written + args[position:]
        if is_option:
            current = each if each in repeatable else None
            written += [] if current else [each]
            has_value = not current
        else:
            written += [current, each] if current else [each]
            has_value = True
    return written if has_value else [*written, current]
