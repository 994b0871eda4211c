"""What a MySQL or MariaDB server is asked of its load."""

from etltui.readers.server_check import Questions


def questions(*, is_mariadb: bool) -> Questions:
    """The questions of the one or the other: they keep their numbers in different places."""
    schema = "information_schema" if is_mariadb else "performance_schema"

    def number(name: str) -> str:
        return (
            f"(SELECT VARIABLE_VALUE FROM {schema}.global_status "  # noqa: S608 - both names are ours
            f"WHERE VARIABLE_NAME = '{name}')"
        )

    return Questions(
        sessions=f"SELECT {number('Threads_connected')}, {number('Threads_running')}",
        limit="SELECT @@max_connections",
        waits=f"SELECT 'row lock', {number('Innodb_row_lock_current_waits')}",
        unit="session",
        grant="GRANT SELECT ON performance_schema.* TO it",
        raise_by="raise max_connections in my.cnf",
    )
