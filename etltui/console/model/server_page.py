"""A server's load in full: its sessions, their limit, what they wait for, and what each means."""

from etltui.console.cells import Cell, Styled
from etltui.console.model.before import said
from etltui.domain.inquiry import ServerChecked
from etltui.domain.server import ServerReading

NO_SERVER = "there is no server to ask: it is a file, or no connection uses the pool"
_NOTHING = "This kind of server tells nothing of its load."
_HEADS = {"sessions": "Sessions", "limit": "Limit", "waits": "Waits"}


def server_page(told: ServerChecked) -> list[Cell]:
    """The lines of the page.

    Args:
        told: What the server answered.
    """
    lines: list[Cell] = [said("Server", f"{told.server} {told.product}".rstrip())]
    lines.append(said("Asked by", told.connection))
    if told.trouble is not None:
        return [*lines, Styled(said("Trouble", told.trouble.message), "bad")]
    if not told.readings:
        return [*lines, _NOTHING]
    for each in told.readings:
        lines += ["", _value(each), each.meaning]
    return lines


def _value(reading: ServerReading) -> Cell:
    text = said(_HEADS.get(reading.name, reading.name), reading.value or "not told")
    return Styled(text, "bad") if reading.warns else text
