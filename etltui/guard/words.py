"""The words and functions that make more of a query than a question, by dialect."""

from collections.abc import Mapping

READS: Mapping[str, frozenset[str]] = {
    "": frozenset({"SELECT", "WITH", "VALUES"}),
    "postgresql": frozenset({"TABLE"}),
    "mysql": frozenset({"TABLE"}),
    "duckdb": frozenset({"TABLE", "FROM", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "SHOW"}),
}
"""Words that begin a query: those of all, and those that a dialect knows besides."""
CALLS = frozenset({"EXEC", "EXECUTE", "CALL"})
CALLING = frozenset({"mssql", "mysql", "postgresql", "oracle", "snowflake", ""})
"""Dialects that have procedures, or may."""

CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
"""Words that begin a change of rows, also behind WITH and, in PostgreSQL, inside it."""

# SQL Server wants no semicolon between statements. All of these are reserved there: none can be a
# name without brackets, so wherever one stands a statement begins.
BEGINS_STATEMENT = frozenset(
    {
        *("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP"),
        *("GRANT", "REVOKE", "DENY", "EXEC", "EXECUTE", "BACKUP", "RESTORE", "BULK", "DBCC"),
        *("KILL", "SHUTDOWN", "RECONFIGURE", "CHECKPOINT", "WAITFOR", "USE", "SETUSER", "REVERT"),
        *("COMMIT", "ROLLBACK", "BEGIN", "TRAN", "TRANSACTION", "SAVE", "DECLARE", "SET"),
        *("WRITETEXT", "UPDATETEXT", "DUMP", "LOAD", "IF", "WHILE", "GOTO", "RETURN"),
        *("PRINT", "RAISERROR", "OPENROWSET", "OPENQUERY", "OPENDATASOURCE"),
    }
)
"""Of SQL Server; OPENROWSET and its like hand a text to another server, which may do anything."""
HARMFUL = BEGINS_STATEMENT - frozenset(
    {"SET", "IF", "RETURN", "LOAD", "SAVE", "PRINT", "DUMP", "TRAN", "RAISERROR"}
)
"""Of these, what does harm by itself and is no word of another dialect's queries."""
FOLLOWED: Mapping[str, frozenset[str]] = {
    "MERGE": frozenset({"JOIN", "UNION"}),
    "USE": frozenset({"HINT", "PLAN", "INDEX", "KEY"}),
}
"""What makes a hint of a word that otherwise begins a statement."""
TAKES_TEXT = frozenset({"EXEC", "EXECUTE", "OPENROWSET", "OPENQUERY", "OPENDATASOURCE", "BULK"})
"""Of these words those that have what they do in brackets behind them."""
BEFORE_NAME = frozenset(
    {
        *("SELECT", "DISTINCT", "ALL", "TOP", "FROM", "JOIN", "WHERE", "HAVING", "ON", "USING"),
        *("AND", "OR", "NOT", "BY", "AS", "IN", "LIKE", "BETWEEN", "IS", "CASE", "WHEN", "THEN"),
        *("ELSE", "OVER", "SETS", "WITH", "RECURSIVE", "UNION", "EXCEPT", "INTERSECT"),
    }
)
"""Words behind which a name stands, or what is called by one."""
_SWITCH = frozenset({"ON", "OFF"})
SETTINGS: Mapping[str, frozenset[str]] = {
    "NOCOUNT": _SWITCH,
    "ARITHABORT": _SWITCH,
    "ANSI_WARNINGS": _SWITCH,
    "DATEFORMAT": frozenset({"MDY", "DMY", "YMD", "YDM", "MYD", "DYM"}),
    "DEADLOCK_PRIORITY": frozenset({"LOW", "NORMAL", "HIGH"}),
    "LOCK_TIMEOUT": frozenset(),
    "LANGUAGE": frozenset(),
}
"""Of SQL Server: what a query may set of its session before it reads, and by which words."""
NUMBERED = frozenset({"DEADLOCK_PRIORITY", "LOCK_TIMEOUT"})
"""Of these, what takes a number."""
LOCKING_HINTS = frozenset({"UPDLOCK", "XLOCK", "TABLOCKX"})

CLAUSES: Mapping[str, str] = {
    "INTO": "writes what is selected",
    "FOR UPDATE": "locks rows",
    "FOR SHARE": "locks rows",
    "FOR NO KEY": "locks rows",
    "FOR KEY SHARE": "locks rows",
    "LOCK IN SHARE": "locks rows",
    "NEXT VALUE FOR": "uses up a number",
}
"""What a SELECT must not hold, and what it does."""

FUNCTIONS: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset(
        {
            *("NEXTVAL", "SETVAL", "LO_IMPORT", "LO_EXPORT", "LO_CREAT", "LO_CREATE", "LO_PUT"),
            *("LO_UNLINK", "LO_FROM_BYTEA", "LOWRITE", "LO_TRUNCATE", "LO_TRUNCATE64"),
            *("PG_TERMINATE_BACKEND", "PG_CANCEL_BACKEND", "PG_RELOAD_CONF", "PG_ROTATE_LOGFILE"),
            *("PG_SWITCH_WAL", "PG_CREATE_RESTORE_POINT", "PG_PROMOTE", "PG_STAT_RESET"),
            *("PG_DROP_REPLICATION_SLOT", "PG_LOGICAL_EMIT_MESSAGE", "PG_FILE_WRITE"),
            *("DBLINK", "DBLINK_EXEC", "DBLINK_SEND_QUERY"),
            *("QUERY_TO_XML", "QUERY_TO_XMLSCHEMA", "QUERY_TO_XML_AND_XMLSCHEMA"),
        }
    ),
    "mysql": frozenset({"NEXTVAL", "SETVAL", "SYS_EXEC", "SYS_EVAL"}),
    "sqlite": frozenset({"LOAD_EXTENSION", "WRITEFILE", "EDIT", "FTS3_TOKENIZER"}),
    "duckdb": frozenset(
        {"NEXTVAL", "POSTGRES_EXECUTE", "MYSQL_EXECUTE", "SQLITE_ATTACH", "POSTGRES_ATTACH"}
    ),
}
"""Functions that change something, or hand a text to a database that does as it says."""
EVERY_FUNCTION: frozenset[str] = frozenset().union(*FUNCTIONS.values())
