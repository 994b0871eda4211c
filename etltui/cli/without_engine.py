"""Does what takes extractors but no engine, and passes on what one that crashed has said."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import click

from etltui.domain.safe_text import safe_text

_LAST_WORDS = 10

Work: TypeAlias = Callable[[Path], Coroutine[Any, Any, None]]
"""Given the file for what a crashing extractor says."""


def done(work: Work) -> None:
    """Do it."""
    with TemporaryDirectory(prefix="etltui-") as folder:
        log = Path(folder) / "extractor.log"
        asyncio.run(work(log))
        pass_on(log)


def pass_on(log: Path) -> None:
    """Say on standard error what extractors have left behind."""
    if not log.exists():
        return
    for each in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_WORDS:]:
        click.echo(f"extractor: {safe_text(each)}", err=True)
