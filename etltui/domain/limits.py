"""What a spreadsheet can hold at most."""

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
