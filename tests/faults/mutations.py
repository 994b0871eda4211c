"""Breaks the protocol on purpose, one rule at a time; trials that do not notice prove nothing.

Each mutation is applied in the processes of a trial alone. It must be caught by the trials that its
rule is for: kills, errors, or cuts of the power.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etltui.engine import prepare, runner
from etltui.engine import publish as publishing
from etltui.extractors import child
from etltui.extractors.files import ExtractorFiles
from etltui.store.database import Database
from etltui.store.sqlite import SqliteStore
from etltui.writers import chain, excel_assemble, folder, part
from etltui.writers import publish as delivery
from etltui.writers.part import PartFile

KILL, ERROR, POWER = "kill", "error", "power"


class _Other:
    """A module with some of its functions replaced."""

    def __init__(self, module: Any, **changes: Any) -> None:
        self.__dict__.update(changes)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _nothing(*_: object) -> None:
    """What is called instead."""


def part_not_synced() -> None:
    part.os = _Other(os, fsync=_nothing)


def part_name_not_synced() -> None:
    part.sync_folder = _nothing


def run_folder_not_synced() -> None:
    prepare.sync_folder = _nothing


def target_not_synced() -> None:
    chain.os = _Other(os, fsync=_nothing)


def workbook_not_synced() -> None:
    excel_assemble.os = _Other(os, fsync=_nothing)


def rename_not_synced() -> None:
    delivery.sync_folder = _nothing


def folder_rename_not_synced() -> None:
    folder.sync_folder = _nothing


def rename_not_synced_after_a_kill() -> None:
    """The name of a target that is in its place already is taken for durable."""
    whole = delivery.deliver

    def deliver(temporary: str, target: str, published: Any) -> bool:
        source, final = Path(temporary), Path(target)
        if published is not None and not source.exists() and final.is_file():
            return delivery._is(final, published)
        return whole(temporary, target, published)

    child.publish.deliver = deliver


def store_not_durable() -> None:
    pragma = Database.pragma

    async def weak(self: Database, text: str) -> Any:
        return await pragma(self, text.replace("synchronous = FULL", "synchronous = OFF"))

    Database.pragma = weak


def receipt_before_the_part_is_closed() -> None:
    """What comes next closes what is still open."""
    seal, read = PartFile.seal, part.read_receipt
    late: list[Callable[[], None]] = []

    def close_all() -> None:
        while late:
            late.pop(0)()

    def first(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any) -> Any:
            close_all()
            return work(*arguments)

        return done

    PartFile.seal = lambda self, receipt: late.append(lambda: seal(self, receipt))
    child.extract = first(child.extract)
    for module in (part, chain, excel_assemble):
        module.read_receipt = first(read)


def mark_after_the_news() -> None:
    checkpoint = SqliteStore.checkpoint
    tasks = []

    async def later(self: SqliteStore, *arguments: Any) -> None:
        async def slowly() -> None:
            await asyncio.sleep(0.02)
            await checkpoint(self, *arguments)

        tasks.append(asyncio.create_task(slowly()))

    SqliteStore.checkpoint = later


def delivered_before_the_rename() -> None:
    """The rename comes when the run is cleaned away."""
    deliver, clean = ExtractorFiles.deliver, runner.clean
    late: list[Any] = []

    async def said(self: ExtractorFiles, temporary: str, target: str, published: Any) -> bool:
        if published is None:
            return await deliver(self, temporary, target, published)
        late.append((self, temporary, target, published))
        return True

    async def cleaned(*run: Any) -> None:
        for arguments in late:
            await deliver(*arguments)
        await clean(*run)

    ExtractorFiles.deliver = said
    runner.clean = cleaned


def cleaned_before_delivered() -> None:
    deliver = ExtractorFiles.deliver

    async def early(self: ExtractorFiles, temporary: str, target: str, published: Any) -> bool:
        if target.endswith("lake") and published is not None:
            for each in (Path(target).parents[1] / "state" / "parts").iterdir():
                shutil.rmtree(each)
        return await deliver(self, temporary, target, published)

    ExtractorFiles.deliver = early


def sync_tried_again() -> None:
    """A sync that failed is tried once more, and taken for good if it says so."""

    def stubborn(fd: int) -> None:
        try:
            os.fsync(fd)
        except OSError:
            os.fsync(fd)

    for module in (part, chain, excel_assemble):
        module.os = _Other(os, fsync=stubborn)


def target_written_in_place() -> None:
    whole = delivery.deliver

    def copy(temporary: str, target: str, published: Any) -> bool:
        if published is not None and Path(temporary).is_file():
            shutil.copyfile(temporary, target)
            Path(temporary).unlink()
            return True
        return whole(temporary, target, published)

    child.publish.deliver = copy


def old_folder_removed_first() -> None:
    def swap(source: Path, final: Path) -> bool:
        shutil.rmtree(final)
        source.rename(final)
        return True

    folder.exchange = swap


def target_assembled_under_its_name() -> None:
    publishing.temporary_path = lambda path: path


def full_disk_without_words() -> None:
    part.lacking = lambda *_: ""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A rule that is broken.

    Attributes:
        change: Breaks it.
        hunt: The trials that must notice.
    """

    change: Callable[[], None]
    hunt: str

    @property
    def name(self) -> str:
        """In words."""
        return self.change.__name__.replace("_", " ")


MUTATIONS = (
    Mutation(part_not_synced, POWER),
    Mutation(part_name_not_synced, POWER),
    Mutation(run_folder_not_synced, POWER),
    Mutation(target_not_synced, POWER),
    Mutation(workbook_not_synced, POWER),
    Mutation(rename_not_synced, POWER),
    Mutation(folder_rename_not_synced, POWER),
    Mutation(rename_not_synced_after_a_kill, POWER),
    Mutation(store_not_durable, POWER),
    Mutation(receipt_before_the_part_is_closed, KILL),
    Mutation(mark_after_the_news, KILL),
    Mutation(delivered_before_the_rename, POWER),
    Mutation(cleaned_before_delivered, KILL),
    Mutation(target_written_in_place, POWER),
    Mutation(old_folder_removed_first, KILL),
    Mutation(target_assembled_under_its_name, KILL),
    Mutation(sync_tried_again, ERROR),
    Mutation(full_disk_without_words, ERROR),
)
