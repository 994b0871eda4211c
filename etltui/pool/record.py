"""What is remembered of a pool although its sessions, and the pool itself, come and go."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from etltui.domain.pools import PoolHistory, PoolKey, StatementRun, StatementStats

STATEMENTS = 100
"""Of one pool; the one that was not used for the longest time goes first."""
TEXT = 60
_HASH = 12


class Record:
    """Whether the database of one pool answers, and what it was asked.

    Attributes:
        proved: When it last answered, by the clock's `monotonic`; None: never.
        failed: How often in a row it has not, since then.
        last_error: Why its last session could not be opened, empty once it answered.
    """

    def __init__(self) -> None:
        self.proved: float | None = None
        self.failed = 0
        self.last_error = ""
        self._statements: OrderedDict[str, StatementStats] = OrderedDict()

    def answered(self, now: float) -> None:
        """It has just proved that it answers."""
        self.proved = now
        self.failed = 0
        self.last_error = ""

    def missed(self, error: str = "") -> None:
        """It should have answered and did not; a session that was lost says no more than that."""
        self.failed += 1
        self.last_error = error or self.last_error

    def ran(self, statements: Sequence[StatementRun]) -> None:
        """Count statements that were read to their ends."""
        for each in statements:
            key = hashlib.sha256(each.sql.encode()).hexdigest()[:_HASH]
            self._statements[key] = _counted(key, self._statements.pop(key, None), each)
            if len(self._statements) > STATEMENTS:
                self._statements.popitem(last=False)

    def history(self, key: PoolKey, *, now: float) -> PoolHistory:
        """All of it as a value."""
        return PoolHistory(
            pool=str(key),
            proved_s=None if self.proved is None else now - self.proved,
            proofs_failed=self.failed,
            last_error=self.last_error,
            statements=tuple(reversed(self._statements.values())),
        )


def _counted(key: str, before: StatementStats | None, ran: StatementRun) -> StatementStats:
    if before is None:
        text = " ".join(ran.sql.split())[:TEXT]
        before = StatementStats(hash=key, text=text, count=0, total_s=0.0, max_s=0.0, rows=0)
    return StatementStats(
        hash=key,
        text=before.text,
        count=before.count + 1,
        total_s=before.total_s + ran.seconds,
        max_s=max(before.max_s, ran.seconds),
        rows=before.rows + ran.rows,
    )
