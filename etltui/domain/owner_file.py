r"""Owner files: what Excel and LibreOffice leave beside a file that somebody has open.

Excel's `~$NAME` has the user's name twice: after its length as bytes of the user's code page, and
from byte 55 on after its length as UTF-16. LibreOffice's `.~lock.NAME#` is a line of name, account,
host, time and profile, with a comma after each but the last; a comma in a name is written `\,`.
"""

import re
from pathlib import Path

from etltui.domain.safe_text import safe_text

_LONGEST = 40
_WIDE = 55
"""Where Excel's second spelling begins."""
_FIELD = re.compile(r"((?:\\.|[^,\\])*)(?:,|;?\s*$)")


def owner_files(target: Path) -> tuple[Path, Path]:
    """Where the owner files of a target stand: Excel's, then LibreOffice's."""
    return target.with_name(f"~${target.name}"), target.with_name(f".~lock.{target.name}#")


def is_owner_file(name: str) -> bool:
    """Whether a file of this name tells who has another one open."""
    return name.startswith("~$") or (name.startswith(".~lock.") and name.endswith("#"))


def owner(name: str, content: bytes) -> str:
    """Whom an owner file names, harmless and not long; empty where it names nobody.

    Args:
        name: Of the file, which tells who has made it.
        content: All of it; files that are damaged name nobody.
    """
    found = _excel(content) if name.startswith("~$") else _libreoffice(content)
    return safe_text(" ".join(found.split()))[:_LONGEST].strip()


def _excel(content: bytes) -> str:
    length = int.from_bytes(content[_WIDE : _WIDE + 2], "little")
    wide = content[_WIDE + 2 : _WIDE + 2 + 2 * length]
    if 0 < length <= len(wide) // 2:
        return wide.decode("utf-16-le", "replace")
    return content[1 : 1 + content[0]].decode("cp1252", "replace") if content else ""


def _libreoffice(content: bytes) -> str:
    line = content.decode("utf-8", "replace")
    fields = [re.sub(r"\\(.)", r"\1", found[1]).strip() for found in _FIELD.finditer(line)]
    name, account, host = (*fields, "", "", "")[:3]
    who = name or account
    return f"{who} on {host}" if who and host else who
