"""A group of commands that shows how things stand where none of them is given."""

from typing import ClassVar

import click

SHOW = "show"


class Showing(click.Group):
    """Calls its command `show` where no command is given; options are that one's then."""

    silent: ClassVar = SHOW
    """What is called where no command is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put it before options and nothing; a call for help is the group's own."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [self.silent, *args]
        return super().parse_args(ctx, args)


class Listing(Showing):
    """Calls its command `list` where no command is given."""

    silent: ClassVar = "list"
