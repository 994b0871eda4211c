"""Statements that do more than read, by the dialects that know them; `t` has a column `a`."""

PG, MY, MS, LITE, DUCK, ORA, ANY = (
    "postgresql",
    "mysql",
    "mssql",
    "sqlite",
    "duckdb",
    "oracle",
    "",
)
ALL = (PG, MY, MS, LITE, DUCK, ORA, ANY)

HOSTILE = [
    # What somebody pastes where a SELECT belongs.
    ("UPDATE t SET a = 0", ALL),
    ("update t set a = 0 -- select", ALL),
    ("DELETE FROM t", ALL),
    ("/* SELECT */ DELETE FROM t WHERE 1 = 1", ALL),
    ("INSERT INTO t (a) VALUES (9)", ALL),
    ("INSERT INTO t SELECT a FROM t", ALL),
    ("REPLACE INTO t (a) VALUES (9)", (MY, LITE, ANY)),
    ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", (PG, MS, ORA, DUCK, ANY)),
    ("TRUNCATE TABLE t", ALL),
    ("DROP TABLE t", ALL),
    ("CREATE TABLE u (a INT)", ALL),
    ("CREATE TABLE u AS SELECT a FROM t", ALL),
    ("ALTER TABLE t ADD b INT", ALL),
    ("GRANT ALL ON t TO PUBLIC", ALL),
    ("VACUUM", (PG, LITE, DUCK, ANY)),
    ("EXPLAIN ANALYZE DELETE FROM t", (PG, MY, DUCK, ANY)),
    ("COPY t TO '/tmp/x'", (PG, DUCK, ANY)),
    ("COPY (DELETE FROM t RETURNING a) TO STDOUT", (PG,)),
    ("COPY t FROM PROGRAM 'id'", (PG,)),
    ("DO $$ BEGIN DELETE FROM t; END $$", (PG,)),
    ("PREPARE x AS DELETE FROM t", (PG, ANY)),
    ("LOCK TABLE t", (PG, MY)),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", (PG, MY)),
    ("HANDLER t OPEN", (MY,)),
    ("LOAD DATA INFILE '/tmp/x' INTO TABLE t", (MY,)),
    ("PRAGMA user_version = 5", (LITE, DUCK)),
    ("PRAGMA journal_mode = DELETE", (LITE,)),
    ("ATTACH DATABASE '/tmp/other.db' AS other", (LITE, DUCK)),
    ("VACUUM INTO '/tmp/other.db'", (LITE,)),
    ("REINDEX", (LITE,)),
    ("INSTALL httpfs", (DUCK,)),
    ("EXPORT DATABASE '/tmp/x'", (DUCK,)),
    # More than one statement.
    ("SELECT a FROM t; DELETE FROM t", ALL),
    ("SELECT 1; SELECT 2", ALL),
    (";;SELECT 1; DROP TABLE t;", ALL),
    ("COMMIT; BEGIN; SET TRANSACTION READ WRITE; DELETE FROM t", ALL),
    ("SELECT ';' ; UPDATE t SET a = 0", ALL),
    ("SELECT 1 /* ; */ ; UPDATE t SET a = 0", ALL),
    ("SELECT 'it''s'; DELETE FROM t", ALL),
    ("SELECT '\\'; DELETE FROM t; --'", (PG, MS, LITE, DUCK, ORA)),
    ("SELECT '\\''; DELETE FROM t; -- '", (MY,)),
    ("SELECT $$ ; $$; DELETE FROM t", (PG, DUCK)),
    ("SELECT 1 /* /* */ ; DELETE FROM t; -- */", (MY, LITE, ORA)),
    ("SELECT 1 --1; DELETE FROM t\n; DELETE FROM t", ALL),
    ('SELECT "a;b"; DELETE FROM t', ALL),
    # Changes inside a query.
    ("WITH x AS (SELECT 1) DELETE FROM t", (PG, MY, MS, LITE, ANY)),
    ("WITH x AS (SELECT 1), y AS (SELECT 2) UPDATE t SET a = 0", (PG, MY, MS, LITE, ANY)),
    ("WITH x AS (SELECT 9 AS a) INSERT INTO t (a) SELECT a FROM x", (PG, MS, LITE, ANY)),
    ("WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x", (PG, ANY)),
    ("WITH x AS MATERIALIZED (UPDATE t SET a = 0 RETURNING a) SELECT * FROM x", (PG, ANY)),
    ("WITH x AS (INSERT INTO t (a) VALUES (9) RETURNING a) SELECT * FROM x", (PG, ANY)),
    (
        (
            "WITH x AS (MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE RETURNING t.a) "
            "SELECT * FROM x"
        ),
        (PG,),
    ),
    ("SELECT (WITH x AS (DELETE FROM t RETURNING a) SELECT count(*) FROM x)", (PG,)),
    ("SELECT a INTO u FROM t", (PG, MS, ANY)),
    ("SELECT a INTO TEMP u FROM t", (PG,)),
    ("SELECT a INTO #u FROM t", (MS,)),
    ("SELECT a FROM t INTO OUTFILE '/tmp/x'", (MY, ANY)),
    ("SELECT a INTO DUMPFILE '/tmp/x' FROM t", (MY, ANY)),
    ("SELECT a INTO @x FROM t LIMIT 1", (MY, ANY)),
    ("SELECT a FROM t UNION SELECT a INTO OUTFILE '/tmp/x' FROM t", (MY, ANY)),
    ("SELECT a FROM t FOR UPDATE", (PG, MY, ORA, ANY)),
    ("SELECT a FROM t FOR UPDATE OF t SKIP LOCKED", (PG, MY, ORA, ANY)),
    ("SELECT a FROM t FOR NO KEY UPDATE", (PG,)),
    ("SELECT a FROM t FOR KEY SHARE NOWAIT", (PG,)),
    ("SELECT a FROM (SELECT a FROM t FOR SHARE) x", (PG, MY)),
    ("SELECT a FROM t LOCK IN SHARE MODE", (MY, ANY)),
    # Comments that run.
    ("SELECT 1 /*! INTO OUTFILE '/tmp/x' */", (MY, ANY)),
    ("SELECT 1 /*!50000 ; DELETE FROM t */", (MY, ANY)),
    ("SELECT 1 /*M!100100 INTO OUTFILE '/tmp/x' */", (MY, ANY)),
    ("/*! DELETE FROM t */", (MY, ANY)),
    ("SELECT a FROM t /*!99999 x */", (MY, ANY)),
    # Functions that change something.
    ("SELECT nextval('s')", (PG, DUCK)),
    ("SELECT setval('s', 1)", (PG,)),
    ("SELECT pg_catalog.lo_import('/etc/passwd')", (PG,)),
    ('SELECT "lo_unlink"(1)', (PG,)),
    ("SELECT lo_export(1, '/tmp/x')", (PG,)),
    ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", (PG,)),
    ("SELECT * FROM dblink('dbname=x', 'DELETE FROM t') AS x(a int)", (PG,)),
    ("SELECT dblink_exec('DELETE FROM t')", (PG,)),
    ("SELECT query_to_xml('DELETE FROM t', true, true, '')", (PG,)),
    ("SELECT NEXT VALUE FOR s", (MS, MY, ANY)),
    ("SELECT load_extension('/tmp/x.so')", (LITE,)),
    ("SELECT writefile('/tmp/x', 'y')", (LITE,)),
    ("SELECT sys_exec('id')", (MY,)),
    ("SELECT * FROM OPENROWSET('SQLNCLI', 'x', 'DELETE FROM t')", (MS, ANY)),
    ("SELECT * FROM OPENQUERY(branch, 'DELETE FROM t')", (MS, ANY)),
    ("SELECT * FROM OPENDATASOURCE('SQLNCLI', 'x').d.dbo.t", (MS, ANY)),
    # SQL Server begins a statement wherever it likes.
    ("SELECT 1 DELETE FROM t", (MS, ANY)),
    ("SELECT 1DELETE FROM t", (MS, ANY)),
    ("SELECT 0x1UPDATE t SET a = 0", (MS, ANY)),
    ("SELECT 1eDROP TABLE t", (MS,)),
    ("SELECT a FROM t\nDROP TABLE t", (MS, ANY)),
    ("SELECT [a;b] FROM t EXEC xp_cmdshell 'id'", (MS,)),
    ("SELECT 'x'EXEC('DROP TABLE t')", (MS, ANY)),
    ("SELECT 1 MERGE t USING s ON 1 = 1 WHEN MATCHED THEN DELETE;", (MS,)),
    ("SELECT 1 SHUTDOWN WITH NOWAIT", (MS, ANY)),
    ("SELECT 1 KILL 55", (MS, ANY)),
    ("SELECT 1 BACKUP DATABASE d TO DISK = 'x'", (MS, ANY)),
    ("SELECT 1 WAITFOR DELAY '01:00'", (MS, ANY)),
    ("SELECT 1 USE master", (MS,)),
    ("SELECT 1 GRANT ALL ON t TO PUBLIC", (MS, ANY)),
    ("SELECT 1 DECLARE @x INT SET @x = 1 UPDATE t SET a = @x", (MS, ANY)),
    ("SELECT 1 IF 1 = 1 DELETE FROM t", (MS, ANY)),
    ("SELECT a FROM t WITH (UPDLOCK, HOLDLOCK)", (MS,)),
    ("SELECT a FROM t WITH (TABLOCKX)", (MS,)),
    ("BEGIN TRAN UPDATE t SET a = 0 COMMIT", (MS, ANY)),
    ("BULK INSERT t FROM 'x'", (MS,)),
    # Procedures that the job does not list.
    ("EXEC xp_cmdshell 'id'", (MS, ANY)),
    ("EXEC sp_executesql N'DELETE FROM t'", (MS, ANY)),
    ("EXECUTE ('DELETE FROM t')", (MS, ANY)),
    ("EXEC @sql", (MS,)),
    ("EXEC dbo.cleanup", (MS, ANY)),
    ("EXEC [dbo].[cleanup]", (MS,)),
    ("EXEC other.dbo.report", (MS, ANY)),
    ("EXEC dbo.report2", (MS, ANY)),
    ("EXEC dbo.report DELETE FROM t", (MS, ANY)),
    ("EXEC dbo.report; DELETE FROM t", ALL),
    ("EXEC dbo.report", (LITE, DUCK)),
    ("CALL cleanup()", (PG, MY, ORA, ANY)),
    ("{CALL cleanup}", (MY, MS, ANY)),
    ("cleanup", ALL),
    # Nothing at all.
    ("", ALL),
    ("-- SELECT 1", ALL),
    (";", ALL),
    ("'SELECT 1'", ALL),
]

BEHIND = (
    *("INSERT t VALUES (9)", "UPDATE t SET a = 0", "TRUNCATE TABLE t", "CREATE TABLE u (a INT)"),
    *("ALTER TABLE t ADD b INT", "REVOKE ALL ON t FROM x", "DENY SELECT ON t TO x", "DROP TABLE t"),
    *("EXECUTE xp_cmdshell 'id'", "RESTORE DATABASE d FROM DISK = 'x'", "BULK INSERT t FROM 'x'"),
    *("DBCC FREEPROCCACHE", "RECONFIGURE", "CHECKPOINT", "SETUSER 'x'", "REVERT", "COMMIT"),
    *("ROLLBACK", "BEGIN TRAN", "BEGIN SELECT 2 END", "WHILE 1 = 1 SELECT 2", "GOTO x"),
    *("WRITETEXT t.a @x 'y'", "UPDATETEXT t.a @x 0 0 'y'"),
    *("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "DECLARE @x INT"),
)
"""What SQL Server would take for a statement behind another one."""
HOSTILE += [(f"SELECT 1 {statement}", (MS, ANY)) for statement in BEHIND]
HOSTILE += [
    (f"SELECT 1 {statement}", (MS,))
    for statement in (
        *("SET NOCOUNT OFF", "IF 1 = 1 SELECT 2", "RETURN", "PRINT 'x'", "SAVE TRAN x"),
        *(
            "DUMP DATABASE d TO x",
            "LOAD DATABASE d FROM x",
            "TRAN x",
            "TRANSACTION x",
            "RAISERROR ('x', 16, 1)",
        ),
    )
]
HOSTILE += [("SELECT a FROM t WITH (XLOCK)", (MS,))]

FUNCTIONS = {
    PG: (
        *("lo_creat", "lo_create", "lo_put", "lo_from_bytea", "lowrite", "lo_truncate"),
        *("lo_truncate64", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile"),
        *("pg_switch_wal", "pg_create_restore_point", "pg_promote", "pg_stat_reset"),
        *("pg_drop_replication_slot", "pg_logical_emit_message", "pg_file_write"),
        *("dblink_send_query", "query_to_xmlschema", "query_to_xml_and_xmlschema"),
    ),
    MY: ("nextval", "setval", "sys_eval"),
    LITE: ("edit", "fts3_tokenizer"),
    DUCK: ("postgres_execute", "mysql_execute", "sqlite_attach", "postgres_attach"),
}
"""Functions that do something."""
CHANGING = [
    (f"SELECT {function} ('x')", each)
    for dialect, functions in FUNCTIONS.items()
    for function in functions
    for each in (dialect, ANY)
]
