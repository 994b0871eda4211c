"""The one page: a terminal that fills the window."""

from html import escape

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer: nothing comes from elsewhere, and nobody shows it in a frame of his own."""

# The script of textual-serve looks for what is named textual-terminal, and marks the body with
# -first-byte and -closed.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="preload" href="/static/fonts/RobotoMono-VariableFont_wght.ttf" as="font" type="font/ttf"
  crossorigin>
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
@font-face {{
  font-family: "Roboto Mono"; font-weight: 100 700; font-display: block;
  src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf") format("truetype");
}}
html, body {{ height: 100%; margin: 0; background: #0b0f14; color: #d7dde4; overflow: hidden; }}
body {{ font: 15px "Roboto Mono", monospace; }}
.textual-terminal {{ position: absolute; inset: 4px; }}
.said {{ position: absolute; inset: 0; display: flex; align-items: center;
  justify-content: center; }}
.over {{ display: none; inset: auto 0 0 0; padding: 1em; background: #1d2733; z-index: 20; }}
body.-first-byte .opening {{ display: none; }}
body.-closed .over {{ display: flex; }}
a {{ color: #7fb4ff; margin-left: 1ch; }}
</style>
<script src="/static/js/textual.js"></script>
</head>
<body>
<div class="said opening"><span>Opening the console &hellip;</span></div>
<div class="said over"><span>This console has ended, or cannot be reached.</span>
<a href="/">Open it again</a></div>
<div class="textual-terminal" data-session-websocket-url="ws://{host}/ws" data-font-size="{size}">
</div>
</body>
</html>
"""

REFUSED = (
    "Open the link that `etltui web` has printed: only who has its token comes in. "
    "From another machine open a tunnel first (ssh -L), and the link through it.\n"
)


def page(title: str, host: str, size: int) -> str:
    """The page.

    Args:
        title: Of the tab.
        host: As the browser names this server.
        size: Of letters, in pixels.
    """
    return _PAGE.format(title=escape(title), host=escape(host), size=size)


def number(text: str, *, usual: int, least: int, most: int) -> int:
    """A number that a browser has sent, within bounds; the usual one where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return usual
    return min(max(int(text), least), most)
