"""Parquet: a part is a whole Parquet file, and a target is parts behind each other or in a folder.

In one file of all connections the parts are copied as they are, and one footer behind them tells
where every row group lies.
"""

from etltui.domain.job import ParquetOptions
from etltui.domain.part import Published
from etltui.domain.task import PublishTask
from etltui.writers.parquet_part import ParquetPart
from etltui.writers.parquet_target import one_file, one_folder
from etltui.writers.writer import PartTask, PartWriter

__all__ = ["assemble", "part_writer"]


def part_writer(task: PartTask) -> PartWriter:
    """A writer for one query of one extract; its part file exists when this returns.

    Raises:
        Failure: Of class `disk`.
    """
    return ParquetPart(task)


def assemble(task: PublishTask) -> Published:
    """Write `task.temporary`, a file or a folder of files, from the parts of one query.

    Raises:
        Failure: Of class `disk` or `target`; `corrupt` where a part is not what its receipt says;
            `value` where there are parts of more than one query.
    """
    options = ParquetOptions(**task.options)
    return one_folder(task) if options.layout == "folder" else one_file(task, options)
