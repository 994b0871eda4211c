"""A group of commands that shows how things stand where none of them is given."""

import click

SHOW = "show"


class Showing(click.Group):
    """Calls its command `show` where no command is given; options are that one's then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` before options and nothing; a call for help is the group's own."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)
