"""Puts text into the clipboard of the operator's terminal, also through tmux and screen."""

import base64
from collections.abc import Mapping

MOST = 74_994
"""Bytes of text that one sequence may carry: many terminals drop those over 100 kB in base64."""
_SCREEN_PIECE = 76
"""What GNU screen passes through at once."""


def osc52(text: str, environ: Mapping[str, str]) -> tuple[str, bool]:
    """The sequence that sets the clipboard, and whether the text had to be cut.

    See https://invisible-island.net/xterm/ctlseqs/ctlseqs.html (OSC 52).
    """
    whole = text.encode("utf-8", "replace")
    cut = whole[:MOST].decode("utf-8", "ignore").encode()
    body = base64.b64encode(cut).decode("ascii")
    sequence = f"\x1b]52;c;{body}\x07"
    if environ.get("TMUX"):
        sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    elif environ.get("TERM", "").startswith("screen"):
        pieces = [
            sequence[at : at + _SCREEN_PIECE] for at in range(0, len(sequence), _SCREEN_PIECE)
        ]
        sequence = "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence, len(cut) < len(whole)
