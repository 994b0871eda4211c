"""What the double says of itself in system functions and views."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime

FUNCTIONS = {
    "SYSUTCDATETIME": "datetime2(7)",
    "SERVERPROPERTY": "sql_variant",
    "DATABASEPROPERTYEX": "sql_variant",
    "CONNECTIONPROPERTY": "sql_variant",
    "DB_NAME": "nvarchar(128)",
    "DB_ID": "smallint",
    "SUSER_SNAME": "nvarchar(128)",
    "HAS_PERMS_BY_NAME": "int",
    "TDS_SPID": "smallint",
    "TDS_VERSION": "nvarchar(300)",
    "TDS_MAX_CONNECTIONS": "int",
    "TDS_TRANCOUNT": "int",
    "TDS_LANGUAGE": "nvarchar(128)",
    "TDS_LOCK_TIMEOUT": "int",
    "SESSIONPROPERTY": "int",
}
"""With the types that they give; what begins with TDS_ stands for a variable such as @@SPID."""
VARIABLES = {
    "SPID": "TDS_SPID",
    "VERSION": "TDS_VERSION",
    "MAX_CONNECTIONS": "TDS_MAX_CONNECTIONS",
    "TRANCOUNT": "TDS_TRANCOUNT",
    "LANGUAGE": "TDS_LANGUAGE",
    "LOCK_TIMEOUT": "TDS_LOCK_TIMEOUT",
}

VIEWS: Mapping[str, Mapping[str, str]] = {
    "databases": {
        "name": "nvarchar(128)",
        "database_id": "int",
        "create_date": "datetime",
        "collation_name": "nvarchar(128)",
        "snapshot_isolation_state": "tinyint",
        "is_read_committed_snapshot_on": "bit",
        "service_broker_guid": "uniqueidentifier",
    },
    "objects": {"name": "nvarchar(128)", "object_id": "int", "type": "char(2)"},
    "dm_exec_sessions": {
        "session_id": "smallint",
        "login_name": "nvarchar(128)",
        "host_name": "nvarchar(128)",
        "program_name": "nvarchar(128)",
        "status": "nvarchar(30)",
        "is_user_process": "bit",
    },
    "dm_exec_connections": {
        "session_id": "int",
        "encrypt_option": "nvarchar(40)",
        "client_net_address": "varchar(48)",
    },
    "dm_os_wait_stats": {
        "wait_type": "nvarchar(60)",
        "waiting_tasks_count": "bigint",
        "wait_time_ms": "bigint",
        "max_wait_time_ms": "bigint",
        "signal_wait_time_ms": "bigint",
    },
}
"""Columns of the views of the schema `sys`, with their types."""
_WAITS = (
    ("LCK_M_S", 12, 4500, 900, 3),
    ("ASYNC_NETWORK_IO", 340, 2100, 40, 10),
    ("PAGEIOLATCH_SH", 88, 1700, 120, 9),
)


def install(session: "object", db: sqlite3.Connection) -> None:
    """Give a session's SQLite the functions and views of the server that it plays."""
    server = session.server
    properties = {
        "productversion": server.version,
        "servername": server.name,
        "edition": "Double Edition (64-bit)",
        "engineedition": 3,
        "productmajorversion": server.version.partition(".")[0],
    }
    functions = {
        ("SERVERPROPERTY", 1): lambda name: properties.get(name.lower()),
        ("CONNECTIONPROPERTY", 1): lambda _name: "TSQL",
        ("DATABASEPROPERTYEX", 2): lambda _database, _name: "READ_WRITE",
        ("DB_NAME", 0): lambda: session.database,
        ("DB_ID", 0): lambda: server.number_of(session.database),
        ("SUSER_SNAME", 0): lambda: session.user,
        ("HAS_PERMS_BY_NAME", 3): lambda _what, _kind, _right: int(server.may_kill),
        ("SYSUTCDATETIME", 0): lambda: (
            (datetime.now(UTC) + server.skew).isoformat(" ").partition("+")[0]
        ),
        ("TDS_SPID", 0): lambda: session.spid,
        ("TDS_VERSION", 0): lambda: f"Microsoft SQL Server (double) - {server.version}",
        ("TDS_MAX_CONNECTIONS", 0): lambda: 32767,
        ("TDS_TRANCOUNT", 0): lambda: int(session.in_transaction),
        ("TDS_LANGUAGE", 0): lambda: session.settings.get("LANGUAGE", "Español"),
        ("TDS_LOCK_TIMEOUT", 0): lambda: session.lock_timeout,
        ("SESSIONPROPERTY", 1): lambda name: int(session.settings.get(name, "ON") == "ON"),
    }
    for (name, arguments), function in functions.items():
        db.create_function(name, arguments, function)
    for view, columns in VIEWS.items():
        db.execute(f"CREATE TEMP TABLE sys_{view} ({', '.join(columns)})")


def refresh(session: "object", db: sqlite3.Connection) -> None:
    """Fill the views with what is true now."""
    server = session.server
    rows = {
        "databases": [
            (
                name,
                server.number_of(name),
                each.created,
                "Latin1_General_CI_AS",
                int(each.snapshot),
                0,
                each.identity,
            )
            for name, each in server.databases.items()
        ]
        + [("tempdb", 2, server.started, "Latin1_General_CI_AS", 0, 0, None)],
        # Of the database itself: a transaction sees it as it is at this moment.
        "objects": db.execute(
            "SELECT name, rootpage, 'U ' FROM main.sqlite_master WHERE type = 'table'",
        ).fetchall(),
        "dm_exec_sessions": [
            (each.spid, each.user, "branch", each.program, each.status, 1) for each in server.live()
        ],
        "dm_exec_connections": [
            (each.spid, "TRUE" if each.encrypted else "FALSE", "127.0.0.1")
            for each in server.live()
        ],
        "dm_os_wait_stats": list(_WAITS),
    }
    for view, lines in rows.items():
        db.execute(f"DELETE FROM temp.sys_{view}")
        marks = ", ".join("?" * len(VIEWS[view]))
        db.executemany(f"INSERT INTO temp.sys_{view} VALUES ({marks})", lines)
