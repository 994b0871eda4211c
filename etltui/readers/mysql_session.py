"""What a session at MySQL or MariaDB is set to, whichever driver has opened it."""

from collections.abc import Mapping

from etltui.domain.policy import Isolation, ReadPolicy

SETTINGS = (
    # What values and texts look like and mean, whatever server, database or user are set to.
    "sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    "time_zone = '+00:00'",
    "sql_auto_is_null = 0",
    # A server may be set to cut every result without a word, and cuts what GROUP_CONCAT joins.
    "sql_select_limit = 18446744073709551615",
    "group_concat_max_len = 1073741824",
    # Ten minutes: rows wait while parts are written, and a session while others read.
    "net_write_timeout = 600",
    "wait_timeout = GREATEST(@@wait_timeout, 600)",
)
LEVELS: Mapping[Isolation, str] = {
    "": "REPEATABLE READ",
    "snapshot": "REPEATABLE READ",
    "committed": "READ COMMITTED",
    "dirty": "READ UNCOMMITTED",
}


def setting(policy: ReadPolicy) -> str:
    """The statement that sets a session."""
    names = ("lock_wait_timeout", "innodb_lock_wait_timeout") if policy.lock_timeout_s else ()
    waits = (f"{name} = {policy.lock_timeout_s}" for name in names)
    return f"SET {', '.join([*SETTINGS, *waits])}"


def begin(isolation: Isolation) -> str:
    """The statement that begins a transaction, of one state unless the policy asks for less.

    The state is chosen here, not by the first query, which may come late.
    """
    if isolation in {"", "snapshot"}:
        return "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    return "START TRANSACTION READ ONLY"
