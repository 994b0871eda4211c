"""Excel workbooks: rows become deflated sheets at once, a workbook is those sheets in a zip."""

import os

from etltui.domain.limits import EXCEL, Limits
from etltui.domain.part import Published
from etltui.domain.task import PublishTask
from etltui.writers.excel_part import ExcelPartWriter
from etltui.writers.writer import PartTask, PartWriter


def part_writer(task: PartTask, limits: Limits = EXCEL) -> PartWriter:
    """A writer for one query of one extract; `task.writer.variant` is `sheets` or `single`.

    Raises:
        Failure: Of class `value`, more columns than a sheet can hold; of class `disk`.
    """
    return ExcelPartWriter(task, limits)


def assemble(task: PublishTask, limits: Limits = EXCEL) -> Published:
    """Write a workbook to `task.temporary`, durable and verified.

    Raises:
        Failure: Of class `disk`, `target`, or `corrupt`, naming the connection whose part is not
            what its receipt says.
    """
    os.environ["OPENPYXL_LXML"] = "False"  # where lxml is installed its bytes would be others
    from etltui.writers.excel_assemble import assembled  # noqa: PLC0415 - openpyxl takes 0.2 s

    return assembled(task, limits)
