"""What a PostgreSQL server is asked of its load."""

from etltui.readers.server_check import Questions

QUESTIONS = Questions(
    sessions=(
        "SELECT count(*), count(*) FILTER (WHERE state = 'active') "
        "FROM pg_stat_activity WHERE datname IS NOT NULL"
    ),
    limit=(
        "SELECT current_setting('max_connections')::int "
        "- current_setting('superuser_reserved_connections')::int"
    ),
    waits=(
        "SELECT wait_event_type || ' ' || wait_event, count(*) FROM pg_stat_activity "
        "WHERE state = 'active' AND wait_event IS NOT NULL AND pid <> pg_backend_pid() "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3"
    ),
    unit="session",
    seen="SELECT pg_has_role('pg_read_all_stats', 'USAGE')",
    grant="GRANT pg_read_all_stats TO it",
    raise_by="raise max_connections in postgresql.conf",
)
