"""T-SQL, taken apart: what only reads passes, whatever else a text holds is refused."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mssql_sql import bare, check_reading, declared, gently, numbered, tokens

READING = [
    "SELECT 1",
    "  -- a word\n/* and /* another */ */ select * from t",
    "WITH c AS (SELECT 1 AS a) SELECT a FROM c",
    "(SELECT 1) UNION ALL (SELECT 2)",
    'SELECT [update], [into], "delete" FROM [drop]',
    "SELECT 'INSERT INTO t', N'it''s; DELETE' FROM t",
    "SELECT a -- DELETE FROM t\nFROM t",
    "SELECT * FROM a INNER MERGE JOIN b ON a.i = b.i",
    "SELECT a FROM t UNION SELECT a FROM u OPTION (MERGE UNION)",
    "SELECT TOP (5) WITH TIES * FROM t WITH (NOLOCK) ORDER BY a OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY",  # noqa: E501
    "SELECT CASE WHEN a = 1 THEN 2 END, IIF(a = 1, 2, 3) FROM t CROSS APPLY f(a) x",
    "SELECT geography::Point(1, 2, 4326).Lat, #t.a, @@ROWCOUNT, t.$identity FROM #t",
    "SELECT * FROM t PIVOT (SUM(a) FOR b IN ([1], [2])) p FOR JSON PATH, ROOT('x')",
    "SELECT updated, inserted_at, settings, used, opened FROM executes;",
    "SELECT a FROM t WHERE b = 0xFF AND c LIKE '[a-z]%' ESCAPE '\\'",
    "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "SELECT $1.50, 1e3, .5 FROM t FOR XML AUTO",
    "SELECT EXISTS_flag FROM t WHERE EXISTS (SELECT 1 FROM u) AND NOT a BETWEEN 1 AND 2",
]


@pytest.mark.parametrize("sql", READING)
def test_what_reads_passes(sql):
    check_reading(sql)
    assert "".join(text for _, text in tokens(sql)) == sql


WRITING = [
    "INSERT INTO t VALUES (1)",
    "SELECT * INTO u FROM t",
    "SELECT 1 DELETE FROM t",
    "SELECT 1\nDROP TABLE t",
    "SELECT 1; SELECT 2",
    "SELECT 1 EXEC xp_cmdshell 'dir'",
    "SELECT 1 EXECUTE('DROP TABLE t')",
    "WITH c AS (SELECT 1 a) DELETE FROM c",
    "WITH c AS (SELECT 1 a) UPDATE c SET a = 2",
    "WITH c AS (SELECT 1 a) MERGE t USING c ON 1 = 1 WHEN MATCHED THEN DELETE",
    "SELECT * FROM OPENROWSET('SQLNCLI', 's', 'DELETE FROM t')",
    "SELECT * FROM OPENQUERY(far, 'DELETE FROM t')",
    "SELECT 1 SHUTDOWN",
    "SELECT 1 WAITFOR DELAY '1:00'",
    "SELECT 1 COMMIT",
    "SELECT 1 SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SELECT 1 USE master",
    "SELECT 1 KILL 51",
    "SELECT 1 DECLARE @x int",
    "SELECT 1 BEGIN TRAN",
    "EXEC dbo.report",
    "DBCC FREEPROCCACHE",
    "TRUNCATE TABLE t",
    "SELECT '' + N'a' /* ' */ GRANT SELECT ON t TO public",
    "SELECT [a]]b] INSERT t VALUES (1)",
]


@pytest.mark.parametrize("sql", WRITING)
def test_what_may_write_is_refused(sql):
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.PERMISSION
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("sql", ["", " -- nothing", "/* x */ ;", "SELECT {fn NOW()}", "SELECT 1 }"])
def test_what_is_no_statement_is_syntax(sql):
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.SYNTAX


def test_odbc_calls_are_refused():
    with pytest.raises(Failure):
        check_reading("{call dbo.report}")


def test_values_stand_where_their_names_stood():
    sql = "SELECT ':a', [x:b], geography::Parse(:b) -- :c\nFROM t WHERE a = :a AND b=:b"
    asked, values = numbered(sql, {"a": 1, "b": "x"})
    assert asked == ("SELECT ':a', [x:b], geography::Parse(?) -- :c\nFROM t WHERE a = ? AND b=?")
    assert values == ("x", 1, "x")


@pytest.mark.parametrize("sql", ["SELECT :b", "SELECT ?"])
def test_a_value_that_is_not_there_is_a_mistake(sql):
    with pytest.raises(Failure) as caught:
        numbered(sql, {"a": 1})
    assert caught.value.error_class is ErrorClass.SYNTAX


def test_variables_for_a_plan():
    params = {"n": None, "b": True, "i": 3, "h": 2**70, "f": 0.5, "t": "it's", "l": "x" * 4001}
    sql = "SELECT :n, :b, :i, :h, :f, :t, :l, :t"
    text = declared(sql, params)
    assert text.startswith(
        "DECLARE @n nvarchar(1) = NULL, @b bit = 1, @i bigint = 3, "
        f"@h decimal(38,0) = {2**70}, @f float = 0.5, @t nvarchar(4000) = N'it''s', "
        "@l nvarchar(max) = N'xxx",
    )
    assert text.endswith(";\nSELECT @n, @b, @i, @h, @f, @t, @l, @t")
    assert declared("SELECT 1", {}) == "SELECT 1"


def test_maxdop_is_added_once_and_never_into_a_comment():
    assert gently("SELECT 1 -- x", 2) == "SELECT 1 -- x\nOPTION (MAXDOP 2)"
    assert gently("SELECT 1", 0) == "SELECT 1"
    own = "SELECT 1 OPTION (RECOMPILE)"
    assert gently(own, 2) == own
    assert gently("SELECT [option] FROM t", 1).endswith("OPTION (MAXDOP 1)")


def test_a_statement_without_its_end():
    assert bare("  SELECT 1 ; -- end\n;") == "SELECT 1"
    assert bare("SELECT 1 /* keep */ + 1 /* drop") == "SELECT 1 /* keep */ + 1"


LISTED = ("dbo.report", "audit")


@pytest.mark.parametrize(
    "sql",
    [
        "EXEC dbo.report",
        "execute [dbo].[Report] @from = :from, @to = '2026-11-22'",
        'EXEC "dbo" . "report" 1, N\'DELETE\'',
        "EXEC audit;",
    ],
)
def test_a_procedure_that_the_job_lists_is_called(sql):
    check_reading(sql, LISTED)
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.PERMISSION


@pytest.mark.parametrize(
    "sql",
    [
        "EXEC dbo.report2",
        "EXEC report",
        "EXEC master.dbo.report",
        "EXEC dbo.report EXEC xp_cmdshell 'dir'",
        "EXEC dbo.report; DELETE FROM t",
        "EXEC dbo.report WITH RECOMPILE DROP TABLE t",
        "EXEC ('DELETE FROM t')",
        "EXEC",
        "EXEC @name",
        "EXEC N'audit'",
        "EXEC dbo..report",
        "EXEC [dbo.report]]",
    ],
)
def test_any_other_call_is_refused(sql):
    with pytest.raises(Failure) as caught:
        check_reading(sql, LISTED)
    assert caught.value.error_class is ErrorClass.PERMISSION
