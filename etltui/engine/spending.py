"""Where the time of one try at a connection goes."""

from collections.abc import Mapping

from etltui.domain.ports import Clock


class Spending:
    """Seconds by part of the work, which add up to those of the whole try.

    Args:
        clock: Tells the time; the try begins now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self._wait = 0.0
        self._connected: float | None = None
        self._flowing: float | None = None

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._begun

    def waited(self, seconds: float) -> None:
        """So long it took until there was a turn; may be told more than once."""
        self._wait += seconds

    def connected(self) -> None:
        """There is a session."""
        self._connected = self._elapsed

    def moved(self, rows: int) -> None:
        """So many rows have come by now."""
        if rows and self._flowing is None:
            self._flowing = self._elapsed

    def broken_off(self) -> dict[str, float]:
        """Of a try that ends now, with a failure; only the parts that it came to."""
        elapsed = self._elapsed
        if self._connected is None:
            return self._begin(elapsed)
        first = elapsed if self._flowing is None else self._flowing
        parts = {**self._begin(self._connected), "query": first - self._connected}
        return parts if self._flowing is None else {**parts, "fetch": elapsed - first}

    def completed(self, extracted: Mapping[str, float]) -> dict[str, float]:
        """Of a try that ends now, well.

        What the database was asked besides, such as for its columns, is part of `query`.

        Args:
            extracted: What moving the rows took, by part.
        """
        elapsed = self._elapsed
        parts = {**self._begin(elapsed if self._connected is None else self._connected)}
        rest = elapsed - sum(parts.values()) - sum(extracted.values())
        return {**parts, **extracted, "query": extracted.get("query", 0.0) + max(rest, 0.0)}

    def _begin(self, connected: float) -> dict[str, float]:
        return {"wait": self._wait, "connect": max(connected - self._wait, 0.0)}
