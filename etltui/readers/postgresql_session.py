"""What a session at PostgreSQL is set to, whichever driver has opened it."""

from collections.abc import Mapping

from etltui.domain.policy import Isolation, ReadPolicy

SETTINGS: Mapping[str, str] = {
    "application_name": "etltui",
    "default_transaction_read_only": "on",
    # Ten minutes: parts are written between two queries of a snapshot, and that may take a while.
    "idle_in_transaction_session_timeout": "600000",
    # What values look like, whatever server, database or role are set to.
    "bytea_output": "hex",
    "DateStyle": "ISO",
    "extra_float_digits": "3",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}
LEVELS: Mapping[Isolation, str] = {
    "": "REPEATABLE READ",
    "snapshot": "REPEATABLE READ",
    "committed": "READ COMMITTED",
    "dirty": "READ UNCOMMITTED",  # which PostgreSQL reads as committed
}


def gentle(policy: ReadPolicy) -> list[str]:
    """What is set so that others at the server are spared."""
    settings = []
    if policy.lock_timeout_s:
        settings.append(f"SET lock_timeout = '{policy.lock_timeout_s}s'")
    if policy.maxdop:
        # The session's own process is one of them.
        settings.append(f"SET max_parallel_workers_per_gather = {policy.maxdop - 1}")
    return settings
