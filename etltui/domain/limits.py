"""What a spreadsheet can hold at most, and how many rows an extractor holds in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The bounds of one worksheet; the defaults are Excel's own unless said otherwise.

    Attributes:
        rows: In a sheet, the header among them.
        columns: In a sheet.
        text: UTF-16 units in a cell.
        name: UTF-16 units in a sheet's name.
        xml: Bytes of a sheet's rows before compression. Readers keep sizes in 31 bits, so a sheet
            ends well before 2 GiB.
        digits: Of a number that a spreadsheet shows and sums exactly.
    """

    rows: int = 1_048_576
    columns: int = 16_384
    text: int = 32_767
    name: int = 31
    xml: int = 1_900_000_000
    digits: int = 15


EXCEL = Limits()

BUDGET_BYTES = 9 * 1024 * 1024
"""Of rows that one extractor holds. Small on purpose: eight connections of 140,000 rows weighed
478 MB under a budget of 64 MiB and weigh 190 MB under this one, a tenth slower. Under 6 MiB they
take half as long again."""
BATCH_MOST = 2 * 1024 * 1024
BATCH_LEAST = 256 * 1024
BATCHES_HELD = 3
"""By one extract at once: one is pulled, one waits, one is converted."""
