"""Queries as people write them: none may be refused."""

COMMON = """
SELECT 1
select * from sales
SELECT id, name FROM customers WHERE id = 5;
(SELECT 1)
((SELECT 1))
SELECT * FROM bills WHERE day = :day
SELECT * FROM bills WHERE bill_time >= :day_start AND bill_time < :day_end
SELECT a, b FROM t ORDER BY a DESC, b
SELECT DISTINCT city FROM customers
SELECT COUNT(*) AS bills, SUM(amount) AS amount FROM bills
SELECT city, COUNT(*) FROM customers GROUP BY city HAVING COUNT(*) > 5
SELECT c.name, b.amount FROM customers c JOIN bills b ON b.customer = c.id
SELECT c.name, b.amount FROM customers AS c LEFT OUTER JOIN bills AS b ON b.customer = c.id
SELECT * FROM a CROSS JOIN b
SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u ORDER BY 1
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
WITH x AS (SELECT a FROM t) SELECT * FROM x
WITH x AS (SELECT 1 AS a), y AS (SELECT a FROM x) SELECT * FROM y WHERE a > 0
WITH x (a, b) AS (SELECT 1, 2) SELECT a FROM x
SELECT * FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY a) AS n FROM t) x WHERE n = 1
SELECT a, SUM(b) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t
SELECT a, LAG(b, 1) OVER (PARTITION BY c ORDER BY a) AS before FROM t
SELECT CASE WHEN a > 1 THEN 'x' WHEN a = 1 THEN 'y' ELSE 'z' END AS word FROM t
SELECT COALESCE(a, 0), NULLIF(b, '') FROM t
SELECT CAST(a AS DECIMAL(18, 2)) FROM t
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)
SELECT * FROM t WHERE a IN (SELECT a FROM u) AND b NOT IN (1, 2, 3)
SELECT * FROM t WHERE a BETWEEN 1 AND 5 OR b IS NOT NULL
SELECT * FROM t WHERE name LIKE 'A%' AND name NOT LIKE '%;%'
SELECT (SELECT MAX(a) FROM u) AS top_a, t.* FROM t
SELECT 'DELETE FROM t; DROP TABLE t' AS text
SELECT 'it''s; UPDATE t SET a = 0' AS text FROM t
SELECT a -- the amount; DELETE FROM t
SELECT a /* ; DROP TABLE t */ FROM t
-- Sales of a day; by branch
/* UPDATE t SET a = 0; */ SELECT a FROM t
SELECT t.update, t.delete, t.into FROM log t
SELECT updated, deleted_at, insert_time, created, dropped, executed FROM t
SELECT last_update FROM t WHERE is_delete = 0 ORDER BY update_count
SELECT REPLACE(name, ',', ' ') AS name, UPPER(city), TRIM(code) FROM t
SELECT a FROM t WHERE note = 'INTO OUTFILE' AND b <> 'FOR UPDATE'
SELECT a * b / 100.0 - c AS tax, a + 1 AS next_a FROM t
SELECT "delete", "update" FROM "log"
SELECT a FROM sales.dbo_bills
SELECT a AS "total; net" FROM t
SELECT EXTRACT(YEAR FROM day) FROM t
SELECT 1e5, .5, 0.25, 1.5e-3
SELECT a FROM t WHERE b = '' AND c = 'नमस्ते; DELETE'
"""

POSTGRESQL = r"""
VALUES (1, 'a'), (2, 'b')
TABLE sales
SELECT * FROM generate_series(1, 10) AS g(n)
SELECT DISTINCT ON (branch) branch, amount FROM bills ORDER BY branch, at DESC
SELECT data->>'name', data #>> '{a,b}', data @> '{"x": 1}' FROM docs
SELECT * FROM t, LATERAL (SELECT * FROM u WHERE u.id = t.id LIMIT 3) x
SELECT a::numeric(18,2), b::text FROM t
SELECT array_agg(a ORDER BY a) FILTER (WHERE b) FROM t
SELECT a[1:2], b[1] FROM t
SELECT E'it\'s; DELETE', $$text; DROP TABLE t$$, $tag$ ; $tag$
SELECT * FROM t FETCH FIRST 10 ROWS ONLY
SELECT * FROM t LIMIT 10 OFFSET 5
WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 5) SELECT * FROM x
WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x
SELECT update, delete, insert FROM stats
SELECT count(*) AS update FROM t GROUP BY update
SELECT merge, replace, copy, lock, truncate FROM words WHERE lock IN (1, 2)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t
SELECT a FROM t TABLESAMPLE SYSTEM (10)
SELECT now() AT TIME ZONE 'Asia/Kolkata', date_trunc('day', at) FROM t
SELECT substring(name from 1 for 3) FROM t
SELECT a FROM t GROUP BY GROUPING SETS ((a), ())
SELECT a FROM t WHERE a = ANY (ARRAY[1, 2]) AND b ~* '^x;'
SELECT jsonb_build_object('a', a) FROM t /* /* nested; */ DELETE */
SELECT string_agg(name, '; ' ORDER BY name) FROM t
SELECT set_config('app.branch', '5', true)
SELECT pg_size_pretty(pg_database_size(current_database()))
SELECT U&'d\0061t', B'101', x'1F'
SELECT a FROM ONLY t WHERE (a, b) = (1, 2)
SELECT xmlelement(name x, a) FROM t
"""

MYSQL = r"""
VALUES ROW(1, 2), ROW(3, 4)
SELECT `delete`, `update` FROM `log;table`
SELECT 'it\'s; DELETE FROM t', "he said \"x; DROP\"" FROM t
SELECT a FROM t # a comment; DELETE FROM t
SELECT 1--1
SELECT IFNULL(a, 0), IF(a > 1, 'x', 'y'), CONCAT_WS(',', a, b) FROM t
SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR '; ') FROM t
SELECT a FROM t USE INDEX (a_index) WHERE a > 1
SELECT a FROM t FORCE INDEX FOR ORDER BY (a_index) ORDER BY a
SELECT SQL_NO_CACHE STRAIGHT_JOIN a FROM t
SELECT a FROM t LIMIT 5, 10
SELECT INSERT(name, 1, 2, 'x'), REPLACE(name, 'a', 'b'), TRUNCATE(a, 2) FROM t
SELECT JSON_EXTRACT(data, '$.a'), data->'$.b', data->>'$.c' FROM t
SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) x
SELECT CONVERT(name USING utf8mb4), name COLLATE utf8mb4_bin FROM t
SELECT DATE_FORMAT(at, '%Y-%m-%d'), STR_TO_DATE('2026', '%Y') FROM t
SELECT @@version, @@global.max_connections
SELECT @n := @n + 1 AS n FROM t
SELECT a FROM t PARTITION (p0) WHERE a REGEXP '^;'
SELECT /*+ MAX_EXECUTION_TIME(1000) */ a FROM t
SELECT a FROM t WHERE at > NOW() - INTERVAL 1 DAY
SELECT a, COUNT(*) FROM t GROUP BY a WITH ROLLUP
SELECT a DIV 2, a MOD 3, a XOR b FROM t
SELECT _utf8mb4'x', N'y', 0x1F, b'101'
SELECT CAST(a AS SIGNED), BINARY name FROM t
SELECT a FROM t1 NATURAL LEFT JOIN t2
SELECT CHAR(65 USING utf8mb4), CAST(name AS CHAR CHARACTER SET utf8mb4) FROM t
"""

MSSQL = r"""
SELECT TOP 10 * FROM bills
SELECT TOP (5) PERCENT WITH TIES a FROM t ORDER BY a
SELECT * FROM bills WITH (NOLOCK) WHERE day = @day
SELECT * FROM bills (NOLOCK), items WITH (READUNCOMMITTED, INDEX(1))
SELECT a FROM t OPTION (MAXDOP 1)
SELECT a FROM t OPTION (RECOMPILE, MERGE JOIN, HASH JOIN, FAST 10)
SELECT a FROM t OPTION (USE HINT ('DISABLE_OPTIMIZER_ROWGOAL'), USE PLAN N'<x/>')
SELECT a FROM t INNER MERGE JOIN u ON t.id = u.id
SELECT [delete], [update], [a]]b; DROP] FROM [dbo].[into]
SELECT * FROM t CROSS APPLY (SELECT TOP 1 * FROM u WHERE u.id = t.id) x
SELECT * FROM t OUTER APPLY OPENJSON(t.data) WITH (a INT '$.a') j
SELECT * FROM (SELECT a, b FROM t) s PIVOT (SUM(b) FOR a IN ([x], [y])) p
SELECT * FROM t UNPIVOT (v FOR k IN (a, b)) u
SELECT a FROM t ORDER BY a OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY
SELECT a FROM t FOR XML PATH('x'), ROOT('y'), TYPE
SELECT a FROM t FOR JSON AUTO, WITHOUT_ARRAY_WRAPPER
SELECT a FROM t FOR SYSTEM_TIME AS OF '2026-01-01'
SELECT ISNULL(a, 0), CONVERT(VARCHAR(10), at, 120), TRY_CAST(a AS INT), IIF(a > 1, 1, 0) FROM t
SELECT total = SUM(a), N'नाम' FROM t GROUP BY b
SELECT STUFF((SELECT ';' + name FROM u FOR XML PATH('')), 1, 1, '') AS names
SELECT STRING_AGG(name, '; ') WITHIN GROUP (ORDER BY name) FROM t
SELECT a FROM db.dbo.t WHERE a > 1 AND b LIKE '[a-z]%'
SELECT a FROM db..t
SELECT @@SERVERNAME, @@VERSION, DB_NAME()
SELECT DATEADD(day, -1, CAST(GETDATE() AS DATE)), DATEDIFF(DAY, a, b) FROM t
SELECT a FROM t WHERE a COLLATE Latin1_General_CI_AS = 'x'
SELECT a FROM #kept
SELECT at AT TIME ZONE 'India Standard Time' FROM t
SELECT * FROM dbo.report_of(:day)
WITH x AS (SELECT a FROM t) SELECT a FROM x OPTION (MAXRECURSION 0)
SELECT a FROM t WHERE CONTAINS(name, '"x; y"')
SELECT ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS n FROM t
SELECT a FROM t TABLESAMPLE (10 PERCENT) /* /* nested; */ DELETE FROM t */
SELECT CAST(0x1F AS INT), $5.00, 1E3
SELECT GROUPING_ID(a), a FROM t GROUP BY CUBE (a)
SET NOCOUNT ON; SELECT a FROM t
set nocount on select a from t;
SET NOCOUNT ON; SET ARITHABORT ON; SET ANSI_WARNINGS OFF; WITH x AS (SELECT 1 AS n) SELECT n FROM x
SET DATEFORMAT dmy; SET LANGUAGE us_english; SELECT a FROM t WHERE at >= '31/12/2026'
SET LANGUAGE N'Español'; SET LANGUAGE [Español]; SET LANGUAGE 'French' SELECT a FROM t
SET DEADLOCK_PRIORITY -5; SET DEADLOCK_PRIORITY LOW; SELECT 1
SET LOCK_TIMEOUT 5000; SET LOCK_TIMEOUT -1; SELECT 1
/* a; /* b */ */ SET /* c; */ NOCOUNT ON; SELECT a FROM t
SELECT x.value('(/a/b)[1]', 'int') FROM t CROSS APPLY d.nodes('/a') n(x)
"""

SQLITE = r"""
VALUES (1), (2)
SELECT [delete], `update` FROM [log;]
SELECT rowid, * FROM t LIMIT 5 OFFSET 1
SELECT * FROM pragma_table_info('t')
SELECT json_extract(data, '$.a'), data ->> 'b' FROM t, json_each(t.data)
SELECT strftime('%Y', at), date('now', '-1 day'), julianday(at) FROM t
SELECT group_concat(name, ';') FROM t
SELECT a FROM t WHERE name GLOB 'A*' AND b MATCH 'x'
SELECT a FROM t INDEXED BY a_index WHERE a > ?1
SELECT iif(a > 1, 'x', 'y'), ifnull(a, 0), typeof(b), quote(c) FROM t
SELECT replace, merge FROM t
SELECT a || ';' || b FROM t
SELECT X'0A1B', 0x1F, 1_000
WITH RECURSIVE x(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM x LIMIT 5) SELECT n FROM x
SELECT a COLLATE NOCASE FROM t NATURAL JOIN u
SELECT '\' AS backslash, 'x; DELETE' FROM t
SELECT count(*) FILTER (WHERE a > 1) FROM t
SELECT a FROM t WHERE a IS NOT DISTINCT FROM b
SELECT * FROM t ORDER BY a NULLS LAST
SELECT printf('%.2f', a), unixepoch(at) FROM t
"""

DUCKDB = r"""
FROM sales
FROM sales SELECT city, SUM(amount) GROUP BY ALL
SELECT * EXCLUDE (a) FROM t
SELECT * REPLACE (a / 100 AS a) FROM t
SELECT COLUMNS('a.*') FROM t
SELECT * FROM read_csv('sales.csv')
SELECT * FROM 'sales.parquet' WHERE a > 1
PIVOT t ON city USING SUM(amount)
UNPIVOT t ON a, b INTO NAME k VALUE v
SUMMARIZE t
DESCRIBE t
TABLE sales
SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1
SELECT {'a': 1}, [1, 2, 3], MAP {'x': 1}
SELECT list_transform([1, 2], lambda x: x + 1)
SELECT a FROM t ASOF JOIN u USING (at)
SELECT a FROM t POSITIONAL JOIN u
SELECT a::DECIMAL(18, 2), $$x; DELETE$$ FROM t
SELECT update, delete FROM stats
SELECT a FROM t USING SAMPLE 10
SELECT struct.field, list[1:2] FROM t
SELECT a FROM t LIMIT 10%
"""

ORACLE = r"""
SELECT SYSDATE FROM dual
SELECT NVL(a, 0), DECODE(a, 1, 'x', 'y'), TO_CHAR(at, 'YYYY-MM-DD') FROM t
SELECT a FROM t WHERE ROWNUM <= 10
SELECT a FROM t FETCH FIRST 10 ROWS ONLY
SELECT a FROM t, u WHERE t.id = u.id(+)
SELECT LEVEL FROM dual CONNECT BY LEVEL <= 5
SELECT a FROM t START WITH p IS NULL CONNECT BY PRIOR id = p
SELECT LISTAGG(name, '; ') WITHIN GROUP (ORDER BY name) FROM t
SELECT a FROM t AS OF TIMESTAMP SYSTIMESTAMP - INTERVAL '1' HOUR
SELECT a FROM t MINUS SELECT a FROM u
SELECT /*+ PARALLEL(t, 1) */ a FROM t
SELECT * FROM t PIVOT (SUM(a) FOR b IN ('x', 'y'))
SELECT a FROM TABLE(report.rows_of(:day))
"""

UNKNOWN = r"""
SELECT TOP 10 * FROM bills WITH (NOLOCK)
SELECT [update] FROM [log;table]
SELECT `update` FROM `log`
SELECT 'it\'s; DELETE FROM t' FROM t
SELECT $$x; DELETE$$ FROM t
SELECT a FROM t LIMIT 10
SELECT a FROM t FETCH FIRST 10 ROWS ONLY
SELECT update, delete FROM stats WHERE update > 5
SELECT a FROM t USE INDEX (x)
SELECT a FROM t INNER MERGE JOIN u ON t.id = u.id
SELECT backup, load FROM t
SELECT DISTINCT update, delete FROM backup JOIN kill ON NOT delete WHERE drop AND create OR alter
SELECT CASE WHEN merge THEN update ELSE delete END FROM t GROUP BY update HAVING insert IS NULL
SELECT ALL kill FROM t WHERE a BETWEEN backup AND grant AND b LIKE deny AND c IN (1, drop)
SELECT SUM(a) OVER (PARTITION BY update ORDER BY delete) AS drop FROM t
SELECT CAST(name AS CHAR CHARACTER SET utf8mb4), IF(a > 1, 1, 0) FROM t
"""


def lines(text):
    """One query a line; a comment of its own line begins the next query."""
    found, comment = [], ""
    for line in text.strip().splitlines():
        if line.startswith("--"):
            comment += line + "\n"
        else:
            found.append(comment + line)
            comment = ""
    return found


OF_DIALECT = {
    "postgresql": POSTGRESQL,
    "mysql": MYSQL,
    "mssql": MSSQL,
    "sqlite": SQLITE,
    "duckdb": DUCKDB,
    "oracle": ORACLE,
    "": UNKNOWN,
}
HARMLESS = {name: lines(COMMON) + lines(own) for name, own in OF_DIALECT.items()}
