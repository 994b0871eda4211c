"""The command as a whole: what it lists is what its commands say of themselves."""

import click
import pytest

from etltui.cli.main import main

NAMES = main.list_commands(click.Context(main))


@pytest.mark.parametrize("name", NAMES)
def test_a_command_bears_the_words_of_the_list(name):
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    formatter = click.HelpFormatter(width=200)
    main.format_commands(context, formatter)
    words = " ".join(formatter.getvalue().split())
    assert command.name == name
    assert f"{name} {command.get_short_help_str(limit=200)}" in words
