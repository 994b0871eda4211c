"""The page of help: what each key does where the operator is, and anywhere."""

from collections.abc import Iterable, Mapping, Sequence

from etltui.console.cells import Cell, Styled
from etltui.console.commands import Command
from etltui.console.frame import key_name
from etltui.console.model.keymap import Bound
from etltui.console.registry import BY_NAME

HANG = 31
"""Where the sentences stand: behind keys and titles."""


def bound_of(command: Command) -> Bound:
    """A command as something that keys do."""
    return Bound(id=command.id, keys=command.keys, title=command.title, help=command.help)


def help_line(bound: Bound, chosen: Mapping[str, str], *, unicode: bool) -> str:
    """Keys, title and sentence of something that keys do."""
    keys = " ".join(key_name(key, unicode=unicode) for key in bound.with_keys(chosen))
    return f" {keys:<13} {bound.title:<15} {bound.help}".rstrip()


def _called(command: Command) -> str:
    # A view of that name is what `:` shows.
    return "" if command.word in BY_NAME else f"  :{command.word} {command.takes}".rstrip()


def help_lines(
    title: str,
    commands: Sequence[Command],
    general: Sequence[Command],
    others: Iterable[tuple[str, Sequence[Bound]]],
    *,
    chosen: Mapping[str, str],
    unicode: bool,
) -> list[Cell]:
    """The whole page.

    Args:
        title: Of the view.
        commands: What can be done in the view.
        general: What can be done anywhere.
        others: More keys under headings of their own.
        chosen: From an id to the keys that the configuration gives it.
        unicode: Whether signs may stand for keys.
    """
    lines: list[Cell] = []

    def section(heading: str, found: Sequence[Command]) -> None:
        lines.extend((Styled(heading, "accent"), ""))
        lines.extend(
            help_line(bound_of(each), chosen, unicode=unicode) + _called(each) for each in found
        )
        lines.append("")

    section(title, commands)
    section("Anywhere", general)
    for heading, bound in others:
        lines.extend((Styled(heading, "accent"), ""))
        lines.extend(help_line(each, chosen, unicode=unicode) for each in bound)
        lines.append("")
    lines.append(Styled("Keys are changed in the configuration, under [console.keys]:", "muted"))
    example = commands[0].id if commands else "app.help"
    lines.append(Styled(f'  "{example}" = "f5"', "muted"))
    return lines
