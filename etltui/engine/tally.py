"""How a run stands: what each connection has come to, counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from etltui.domain.part import Receipt
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.run import ConnectionResult, ConnectionStatus, percent
from etltui.engine.prepare import Prepared
from etltui.engine.provisional import Before


@dataclass(slots=True)
class Tally:
    """Results and parts of a run so far; changed only between two waits, results by `settle`.

    Attributes:
        results: Of connections that ended, by name; waiting ones are absent.
        receipts: Of completed connections, by name.
        kept: How many were durable before this attempt.
        before: Of connections that are read again, what is held of them as long as nothing better
            has come.
    """

    plan: Plan
    results: dict[str, ConnectionResult] = field(default_factory=dict)
    receipts: dict[str, tuple[Receipt, ...]] = field(default_factory=dict)
    kept: int = 0
    before: Mapping[str, Before] = field(default_factory=dict)
    # Of ten thousand connections each asks when it ends: looking at all would take minutes.
    _counts: Counter[ConnectionStatus] = field(init=False)

    def __post_init__(self) -> None:
        """Count those that have ended before."""
        self._counts = Counter(result.status for result in self.results.values())

    @classmethod
    def of(cls, prepared: Prepared) -> "Tally":
        """The tally of a run that is about to start."""
        return cls(
            plan=prepared.plan,
            results={**prepared.settled, **prepared.kept},
            receipts=dict(prepared.receipts),
            kept=len(prepared.kept),
            before=prepared.before,
        )

    def named(self, status: ConnectionStatus) -> tuple[str, ...]:
        """Connections of a status, in the job's order."""
        return tuple(
            planned.name
            for planned in self.plan.connections
            if (result := self.results.get(planned.name)) and result.status is status
        )

    def settle(self, result: ConnectionResult) -> None:
        """A connection has ended so, whatever it came to before."""
        if before := self.results.get(result.connection):
            self._counts[before.status] -= 1
        self.results[result.connection] = result
        self._counts[result.status] += 1

    @property
    def total(self) -> int:
        """Connections in the run."""
        return len(self.plan.connections)

    @property
    def completed(self) -> int:
        """Connections whose rows are durable."""
        return self._counts[ConnectionStatus.COMPLETED]

    @property
    def failed(self) -> int:
        """Connections that will not be tried again in this attempt."""
        return self._counts[ConnectionStatus.FAILED]

    @property
    def held(self) -> int:
        """Connections that are not read in this attempt because somebody holds them."""
        return self._counts[ConnectionStatus.SKIPPED]

    @property
    def percent(self) -> int:
        """Connections that ended, as a percentage; never falls."""
        return percent(self.completed + self.failed + self.held, self.total)

    @property
    def rows(self) -> int:
        """Rows durable so far."""
        return sum(
            result.rows
            for result in self.results.values()
            if result.status is ConnectionStatus.COMPLETED
        )

    def receipts_of(self, connection: str, destination: int) -> tuple[Receipt, ...]:
        """A connection's parts for a destination; none where it did not complete."""
        all_ = self.receipts.get(connection, ())
        return tuple(receipt for receipt in all_ if receipt.destination == destination)

    def bytes_of(self, destination: int) -> int:
        """Bytes of all parts for a destination."""
        return sum(
            receipt.bytes
            for parts in self.receipts.values()
            for receipt in parts
            if receipt.destination == destination
        )

    def waiting(self) -> Iterator[PlanConnection]:
        """Connections that have not ended, in the job's order."""
        return (c for c in self.plan.connections if c.name not in self.results)

    def of_these(self, group: Iterable[PlanConnection]) -> list[ConnectionResult]:
        """Results of those that have ended."""
        return [self.results[each.name] for each in group if each.name in self.results]

    def ordered(self) -> tuple[ConnectionResult, ...]:
        """A result for each connection, in the job's order."""
        missing: Mapping[str, ConnectionResult] = {
            planned.name: ConnectionResult(
                connection=planned.name,
                status=ConnectionStatus.WAITING,
                tries=0,
            )
            for planned in self.waiting()
        }
        return tuple(
            self.results.get(planned.name) or missing[planned.name]
            for planned in self.plan.connections
        )
