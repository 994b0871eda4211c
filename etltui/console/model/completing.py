"""What may stand next on the `:` line."""

from collections.abc import Callable, Mapping, Sequence

from etltui.console.commands import Command

OF_VIEWS: Mapping[str, str] = {
    "run": "RUN",
    "logs": "RUN",
    "jobs": "JOB",
    "connections": "CONNECTION",
}
"""From a view to what it may be about."""


def next_words(
    head: str,
    views: Sequence[str],
    commands: Mapping[str, Command],
    sources: Mapping[str, Callable[[], Sequence[str]]],
) -> Sequence[str]:
    """The words that may follow.

    Args:
        head: What stands before the word that is typed; empty for the first one.
        views: Their names.
        commands: By the word that calls them.
        sources: From what a command takes, such as `JOB`, to all words of that kind.
    """
    word = head.strip().partition(" ")[0]
    if not word:
        return [*views, *commands]
    if word in views:
        takes = OF_VIEWS.get(word, "")
    else:
        takes = commands[word].takes if word in commands else ""
    kind = takes.strip("[].…").removesuffix("S") if takes not in sources else takes
    source = sources.get(kind)
    return source() if source is not None else ()
