"""How gently, and by which conventions, a connection is read."""

from dataclasses import dataclass
from typing import Literal

Isolation = Literal["", "snapshot", "committed", "dirty"]
"""What a read may see: one state for all queries, what is committed at each moment, or what is not
committed yet (SQL Server's NOLOCK). Empty: the best that the database can without being asked to
change anything."""


OnHeld = Literal["beside", "replace"]
"""What becomes of a target that somebody has open when a run has its rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPolicy:
    """How a connection is read, whatever the job.

    Attributes:
        isolation: What its reads may see.
        lock_timeout_s: How long a read waits for somebody's lock; 0: as long as its query may take.
        maxdop: Processors that the server may use for one query, where it can be told; 0: its own.
        rows_per_s: Rows fetched in a second at most; 0: no limit.
        hedge_after_s: Seconds without a row after which it is asked once more, over a second
            session; 0: never. None: as the job says.
        encoding: The code page of texts that come as bytes of no declared character set; empty:
            the driver's own.
        encoding_errors: What becomes of bytes that are no text in that code page; a replacement is
            counted.
    """

    isolation: Isolation = ""
    lock_timeout_s: int = 0
    maxdop: int = 0
    rows_per_s: int = 0
    hedge_after_s: int | None = None
    encoding: str = ""
    encoding_errors: Literal["fail", "replace"] = "fail"
