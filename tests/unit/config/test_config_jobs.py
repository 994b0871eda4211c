"""Jobs: queries, own SQL, columns, retries and destinations."""

import pytest

from etltui.domain.job import (
    OPTIONS,
    CsvOptions,
    Destination,
    ExcelOptions,
    Job,
    Query,
    RetryPolicy,
)


def test_a_small_job_has_the_defaults(desk):
    assert desk.job() == Job(
        name="j",
        title="j",
        connections=("a", "b"),
        queries=(Query(name="main", sql="SELECT 1"),),
        destinations=(Destination(type="csv", path="out/{job}.csv", options=CsvOptions()),),
        folder=desk.folder,
    )


def test_a_job_says_its_own(desk):
    job = desk.job(
        """
        title = "Täglich"
        max_parallel = 500
        resume = true
        canary = true
        deadline = 07:00:00
        outside_hours = "wait"
        procedures = ["dbo.report", "monthly"]
        drift = "align"
        columns = ["x", "y"]
        aliases = { z = "x" }
        query_timeout_s = 86400
        stall_timeout_s = 1
        keep_parts_days = 0
        retry = { retries = 0, delay_s = 0.5, multiplier = 1, max_delay_s = 1 }
        params = { day = 2026-11-21, t = 10:00:00, n = 1, f = 1.5, b = true, s = "x" }
        """,
    )
    assert (job.title, job.max_parallel, job.resume, job.drift) == ("Täglich", 500, True, "align")
    assert (job.columns, job.aliases, job.canary) == (("x", "y"), {"z": "x"}, True)
    assert job.deadline == "07:00"
    assert job.outside_hours == "wait"
    assert job.procedures == ("dbo.report", "monthly")
    assert (job.query_timeout_s, job.stall_timeout_s, job.keep_parts_days) == (86400, 1, 0)
    assert job.retry == RetryPolicy(retries=0, delay_s=0.5, multiplier=1.0, max_delay_s=1.0)
    assert job.queries[0].params == {
        "day": "2026-11-21",
        "t": "10:00:00",
        "n": 1,
        "f": 1.5,
        "b": True,
        "s": "x",
    }


def test_the_longest_wait_unsaid_is_no_shorter_than_the_first(desk):
    assert desk.job("retry = { delay_s = 900 }").retry.max_delay_s == 900
    assert desk.job("retry = { delay_s = 9 }").retry.max_delay_s == 300


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ('deadline = "7:00"', "deadline", '"7:00" is no time of day. Write it as "07:00"'),
        ('deadline = "24:00"', "deadline", '"24:00" is no time of day'),
        ("deadline = 07:00:30", "deadline", '"07:00:30" is no time of day'),
        ('outside_hours = "later"', "outside_hours", "Allowed: skip, wait"),
        ('procedures = ["exec x"]', "procedures", '"exec x" is no name of a procedure'),
        ('procedures = "x"', "procedures", "not a list of texts"),
        ("deadline = 7", "deadline", "7 is not text in quotes"),
        ('cut_off = "7"', "cut_off", '"7" is no time of day. Write it as "07:00"'),
        ('late_until = "25:00"', "late_until", '"25:00" is no time of day'),
        (
            'cut_off = "07:00"\nlate_until = "07:00"',
            "late_until",
            "07:00 is the cut_off, so there is no time for late connections. Write a later one",
        ),
        ("max_parallel = 501", "max_parallel", "501 is out of range. Allowed: 1 to 500"),
        ("keep_parts_days = 366", "keep_parts_days", "Allowed: 0 to 365"),
        ("query_timeout_s = 0", "query_timeout_s", "Allowed: 1 to 86400"),
        ("stall_timeout_s = 86401", "stall_timeout_s", "Allowed: 1 to 86400"),
        ("resume = 'yes'", "resume", '"yes" is neither true nor false'),
        ("title = 5", "title", "5 is not text in quotes"),
        ("drift = 'algin'", "drift", 'Did you mean "align"? Allowed: fail, align, drop, evolve'),
        ("drift = 'evolve'\ncanary = true", "drift", "and canary is said, too. Take canary out"),
        ("drift = 'evolve'\ncolumns = ['x']", "drift", "Take columns out, or write drift ="),
        ("columns = ['x', 'x']", "columns", 'names "x" twice'),
        ("aliases = ['x']", "aliases", "a list is not a table of texts"),
        ("aliases = { x = 1 }", "aliases", '1 at "x" is not text in quotes. Write "1"'),
        ("aliases = { x = [] }", "aliases", 'a list at "x" is not text in quotes. Write text in'),
        (
            "columns = ['amount']\naliases = { x = 'amout' }",
            "aliases",
            '"x" stands for "amout", which is none of columns. Did you mean "amount"?',
        ),
        ("retry = 3", "retry", "3 is not a table"),
        ("retry.retries = 101", "retry.retries", "Allowed: 0 to 100"),
        ("retry.retries = 1.0", "retry.retries", "1.0 is not a whole number"),
        ("retry.delay_s = 3601", "retry.delay_s", "3601 is out of range. Allowed: 0 to 3600"),
        ("retry.delay_s = true", "retry.delay_s", "true is not a number"),
        ("retry.multiplier = nan", "retry.multiplier", "nan is out of range. Allowed: 1 to 10"),
        ("retry.multiplier = '2'", "retry.multiplier", '"2" is not a number'),
        ("retry.max_delay_s = 4", "retry.max_delay_s", "4 is less than delay_s. Allowed: 5 to"),
        ("retry.retry = 4", "retry.retry", 'is not a known key. Did you mean "retries"?'),
        ("params = { a = [1] }", "params.a", "a list cannot be bound"),
        ("params = { a = inf }", "params.a", "inf cannot be bound"),
        ("params = { a = 9223372036854775808 }", "params.a", "cannot be bound"),
        ("params = { ':a' = 1 }", 'params.":a"', 'Write the name without ":"'),
        ("params = 5", "params", "5 is not a table"),
        ("query_file = 'none.sql'", "query_file", "none.sql cannot be read: No such file"),
        ("overrides = { a = ' ' }", "overrides.a", "is empty"),
        ("overrides = { a = 5 }", "overrides.a", "5 is not a table"),
        ("overrides = { a = { mian = 'x' } }", "overrides.a.mian", 'Did you mean "main"?'),
        ("overrides = { aa = 'x' }", "overrides.aa", '"aa" is no connection of this job. Did'),
        ("overrides = { zz = 'x' }", "overrides.zz", "Take it out, or select it in connections"),
        ("conections = []", "conections", 'Did you mean "connections"?'),
    ],
)
def test_a_wrong_job_is_refused_in_words(desk, more, key, said):
    if "query_file" in more:
        key_and_said = desk.mistakes(JOB.format(query=more))
        assert len(key_and_said) == 1
        found, text = key_and_said[0]
    else:
        found, text = desk.job_mistake(more)
    assert found == f"jobs.j.{key}"
    assert said in text


JOB = """
[connections.branch_1]
url = "sqlite:///a.db"
tags = ["north"]
[connections.branch_2]
url = "sqlite:///b.db"
[jobs.j]
connections = ["branch_*"]
destinations = [{{ type = "csv", path = "x.csv" }}]
{query}
"""


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        ("[]", "is empty. Write connections ="),
        ("'a'", '"a" is not a list of texts'),
        ("['branch_3']", '"branch_3" matches no connection. Did you mean "branch_'),
        ("['tag:nroth']", '"tag:nroth" matches no connection. Did you mean "tag:north"?'),
        ("['hq_*']", "Connections there are: branch_1, branch_2"),
    ],
)
def test_a_selector_must_match_something(desk, selectors, said):
    text = JOB.format(query="query = 'x'").replace('["branch_*"]', selectors)
    key, sentence = desk.mistake(text)
    assert key == "jobs.j.connections"
    assert said in sentence


def test_many_lost_selectors_are_told_in_short(desk):
    text = JOB.format(query="query = 'x'").replace(
        '["branch_*"]', str([f"x{n}" for n in range(12)])
    )
    mistakes = desk.mistakes(text)
    assert len(mistakes) == 11
    assert mistakes[-1] == ("jobs.j.connections", "2 more match no connection. ")


def test_a_query_may_stand_in_a_file(desk):
    desk.write("\ufeffSELECT 'é'\n", "sql/x.sql")
    config = desk.load(JOB.format(query="query_file = 'sql/x.sql'\nparams = { a = 1 }"))
    assert config.jobs["j"].queries == (Query(name="main", sql="SELECT 'é'\n", params={"a": 1}),)


def test_a_query_file_must_be_text_that_says_something(desk):
    desk.write(" \n", "empty.sql")
    (desk.folder / "latin.sql").write_bytes(b"\xff")
    for value, said in [
        ("'empty.sql'", "empty.sql is empty"),
        ("'latin.sql'", "latin.sql cannot be read: not UTF-8 text"),
        ('"a\\u0000b"', "cannot be read: not UTF-8 text"),
        ("''", "is empty"),
    ]:
        key, text = desk.mistake(JOB.format(query=f"query_file = {value}"))
        assert key == "jobs.j.query_file"
        assert said in text


def test_several_queries_share_the_jobs_values_and_have_their_own(desk):
    job = desk.load(
        JOB.format(
            query="""
            params = { a = 1, b = 2 }
            [jobs.j.queries]
            items = "SELECT 1"
            moves = { sql = "SELECT 2", params = { b = 3 } }
            [jobs.j.overrides.branch_1]
            moves = "SELECT 3"
            """,
        ).replace('type = "csv", path = "x.csv"', 'type = "excel", path = "x.xlsx"'),
    ).jobs["j"]
    assert job.queries == (
        Query(name="items", sql="SELECT 1", params={"a": 1, "b": 2}),
        Query(name="moves", sql="SELECT 2", params={"a": 1, "b": 3}),
    )
    assert job.overrides == {"branch_1": {"moves": "SELECT 3"}}


def test_a_csv_of_several_queries_is_refused(desk):
    key, said = desk.mistake(JOB.format(query="queries = { a = 'x', b = 'y' }"))
    assert key == "jobs.j.destinations"
    assert said.startswith(
        "a CSV file holds the rows of one query, and the job has 2. Put {query} into its path"
    )


def test_own_sql_of_the_one_query_needs_no_name(desk):
    assert desk.job("overrides = { a = 'SELECT 2' }").overrides == {"a": {"main": "SELECT 2"}}


@pytest.mark.parametrize(
    ("query", "key", "said"),
    [
        ("", "query", "the query is missing. Write one of query, query_file, queries"),
        ("query = ''", "query", "is empty"),
        ("query = 'x'\nqueries = { a = 'x' }", "queries", "query and queries are said together"),
        ("queries = {}", "queries", 'is empty. Write main = "SELECT …" in it'),
        ("queries = { a = '' }", "queries.a.sql", "is empty"),
        ("queries = { a = 5 }", "queries.a", "5 is not a table"),
        ("queries = { a = {} }", "queries.a.sql", "is missing"),
        ("queries = { a = { sql = 'x', parms = {} } }", "queries.a.parms", 'mean "params"?'),
        ("queries = { '/' = 'x' }", 'queries."/"', "cannot be a name"),
        (
            "queries = { a = 'x', b = 'y' }\noverrides = { branch_1 = 'z' }",
            "overrides.branch_1",
            "does not say which query it stands for",
        ),
    ],
)
def test_queries_come_by_exactly_one_way(desk, query, key, said):
    mistakes = desk.mistakes(JOB.format(query=query))
    texts = [text for where, text in mistakes if where == f"jobs.j.{key}"]
    assert any(said in text for text in texts), mistakes


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ("delimiter = ';;'", "delimiter", '";;" cannot separate fields'),
        ("delimiter = ''", "delimiter", "cannot separate fields"),
        ("delimiter = '\"'", "delimiter", "cannot separate fields"),
        ('delimiter = "\\n"', "delimiter", "cannot separate fields"),
        ("delimiter = 5", "delimiter", "5 is not text"),
        ("encoding = 'utf-88'", "encoding", '"utf-88" is no encoding that is known'),
        ("encoding = 'base64'", "encoding", '"base64" is no encoding that is known'),
        ("encoding = 'undefined'", "encoding", "is no encoding that is known"),
        ("encoding = 'utf-8-sig'", "encoding", 'Write encoding = "utf-8" and bom = true'),
        ("encoding = 'ascii'\ndelimiter = '¦'", "encoding", "lacks a character of delimiter"),
        ("encoding = 'ascii'\nnull = '∅'", "encoding", "lacks a character of delimiter or null"),
        ("encoding = 'cp1252'\nbom = true", "bom", "cp1252 has no mark"),
        ("null = 'a,b'", "null", '"a,b" would need quotes'),
        ("bom = 1", "bom", "1 is neither true nor false"),
        ("quoting = 'none'", "quoting", "Allowed: minimal, text, all"),
        ("formula_guard = true", "formula_guard", "true is not text in quotes. Allowed: off, quot"),
        ("line_end = 'crfl'", "line_end", 'Did you mean "crlf"?'),
        ("layout = 'single'", "layout", "is not a known key"),
        ("delimeter = ','", "delimeter", 'Did you mean "delimiter"?'),
        ("mode = 'append'", "mode", "Allowed: replace"),
        ("decimal = ';'", "decimal", "Allowed: ., ,"),
        ("decimal = ','", "decimal", '"," is the delimiter, too'),
        ("thousands = 'indian'", "thousands", '"," is the delimiter, too: some numbers would be'),
        ("thousands = '.'", "thousands", '"." is the decimal sign, too'),
        ("thousands = ' '\ndelimiter = ' '", "thousands", 'Write delimiter = ";" or quoting'),
        ("date_format = '%d/%m'", "date_format", '"%d/%m" lacks %Y. Write it like "%d/%m/%Y"'),
        ("date_format = '%x'", "date_format", "%x is no token of it"),
        ("timestamp_format = '%d/%m/%Y'", "timestamp_format", "lacks %H, %M, %S"),
    ],
)
def test_wrong_options_of_a_csv_are_refused_in_words(desk, options, key, said):
    found, text = desk.job_mistake(options=options)
    assert found == f"jobs.j.destinations[1].{key}"
    assert said in text


@pytest.mark.parametrize(
    "name",
    [
        "charmap",
        "hz",
        "idna",
        "iso2022_jp",
        "ISO-2022-KR",
        "iso2022_jp_2004",
        "mbcs",
        "oem",
        "punycode",
        "rot13",
        "unicode_escape",
        "raw-unicode-escape",
        "utf_7",
        "U7",
    ],
)
def test_a_codec_that_is_no_character_set_is_no_encoding(desk, name):
    _, text = desk.job_mistake(options=f"encoding = '{name}'")
    assert f'"{name}" is no encoding that is known. Write "utf-8", "cp1252"' in text


@pytest.mark.parametrize(
    "name", ["utf-8", "u16", "utf_32", "cp1252", "latin1", "gb18030", "big5", "sjis", "cp037"]
)
def test_a_character_set_is_an_encoding(desk, name):
    assert desk.job(options=f"encoding = '{name}'").destinations[0].options.encoding == name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("decimal = ','\ndelimiter = ';'\nthousands = '.'", (",", ".", ";", "minimal")),
        ("thousands = 'indian'\nquoting = 'all'", (".", "indian", ",", "all")),
        ("decimal = ','\nquoting = 'all'", (",", "", ",", "all")),
    ],
)
def test_n_16_a_profile_of_numbers_that_can_be_told_apart(desk, options, expected):
    formats = "date_format = '%d/%m/%Y'\ntimestamp_format = '%d/%m/%Y %H:%M:%S'"
    found = desk.job(options=f"{options}\n{formats}").destinations[0].options
    assert (found.decimal, found.thousands, found.delimiter, found.quoting) == expected
    assert found.date_format == "%d/%m/%Y"
    assert found.timestamp_format == "%d/%m/%Y %H:%M:%S"


def test_options_of_a_csv_and_a_workbook(desk):
    options = "delimiter = '\\t'\nencoding = 'UTF_16'\nbom = true\nnull = '\\\\N'".replace("'", '"')
    assert desk.job(options=options).destinations[0].options == CsvOptions(
        delimiter="\t",
        encoding="UTF_16",
        bom=True,
        null="\\N",
    )
    text = JOB.format(query="query = 'x'").replace(
        'type = "csv", path = "x.csv"',
        'type = "excel", path = "x.XLSX", text_columns = ["a"], autofilter = false',
    )
    assert desk.load(text).jobs["j"].destinations == (
        Destination(
            type="excel",
            path="x.XLSX",
            options=ExcelOptions(text_columns=("a",), autofilter=False),
        ),
    )


@pytest.mark.parametrize(
    ("destination", "key", "said"),
    [
        ("type = 'exel', path = 'x', zz = 1", "[1].type", 'Did you mean "excel"?'),
        ("path = 'x'", "[1].type", "is missing. Write type = one of excel, csv"),
        ("type = 'csv'", "[1].path", "is missing. Write path ="),
        ("type = 'csv', path = '{jb}'", "[1].path", '{jb} is no placeholder. Did you mean "job"?'),
        ("type = 'excel', path = 'x.xls'", "[1].path", '"x.xls" is no name of a workbook'),
        ("type = 'excel', path = ''", "[1].path", '"" is no path'),
        ("type = 'csv', path = 'b.db'", "[1].path", 'the database of connection "branch_2"'),
        (f"type = 'csv', path = '{'x' * 241}'", "[1].path", "gives a file name of 241 bytes"),
    ],
)
def test_a_wrong_destination_is_refused_in_words(desk, destination, key, said):
    text = JOB.format(query="query = 'x'").replace('type = "csv", path = "x.csv"', destination)
    found, sentence = desk.mistake(text)
    assert found == f"jobs.j.destinations{key}"
    assert said in sentence


@pytest.mark.parametrize("value", ["[]", "[5]", "'x'", "{}"])
def test_a_job_needs_a_list_of_destinations(desk, value):
    text = JOB.format(query="query = 'x'").replace('[{ type = "csv", path = "x.csv" }]', value)
    assert desk.mistakes(text)[0][0].startswith("jobs.j.destinations")


def test_two_wrong_paths_are_not_called_the_same_target(desk):
    text = JOB.format(query="query = 'x'").replace(
        '{ type = "csv", path = "x.csv" }',
        '{ type = "csv" }, { type = "csv" }',
    )
    assert [key for key, _ in desk.mistakes(text)] == [
        "jobs.j.destinations[1].path",
        "jobs.j.destinations[2].path",
    ]


def two_jobs(first, second):
    job = "[jobs.{}]\nconnections = ['a']\nquery = 'x'\ndestinations = [{}]\n"
    return (
        "connections.a.url = 'sqlite:///a.db'\n" + job.format("x", first) + job.format("y", second)
    )


def csv(*paths):
    return ", ".join(f"{{ type = 'csv', path = '{path}' }}" for path in paths)


@pytest.mark.parametrize(
    ("first", "second"),
    [("a_{date}.csv", "./a_{date}.csv"), ("a.csv", "z/../a.csv"), ("{date:%Y}", "{date:%G}")],
)
def test_two_jobs_with_one_target_are_refused(desk, first, second):
    key, said = desk.mistake(two_jobs(csv(first), csv(second)))
    assert key == "jobs.y.destinations[1].path"
    assert "is the same target as jobs.x.destinations[1].path. Give each its own name" in said


@pytest.mark.parametrize("path", ["{job}.csv", "{jobName}.csv", "{run}.csv"])
def test_the_same_template_of_two_jobs_may_give_two_targets(desk, path):
    assert len(desk.load(two_jobs(csv(path), csv(path))).jobs) == 2


def test_two_destinations_of_one_job_with_one_target_are_refused(desk):
    key, said = desk.mistake(two_jobs(csv("{run}.csv", "b.csv", "{run}.csv"), csv("c.csv")))
    assert key == "jobs.x.destinations[3].path"
    assert "is the same target as jobs.x.destinations[1].path" in said


def test_every_option_has_a_check(desk):
    """A new field in the domain's options must be read, not forgotten."""
    for kind, record in OPTIONS.items():
        path = {"excel": "x.xlsx", "webhook": "x.jsonl"}.get(kind, f"x.{kind}")
        needed = {"url": "https://hq.example/rows"} if kind == "webhook" else {}
        said = "".join(f'{name} = "{value}", ' for name, value in needed.items())
        text = JOB.format(query="query = 'x'").replace(
            'type = "csv", path = "x.csv"',
            f'type = "{kind}", {said}path = "{path}"',
        )
        assert desk.load(text).jobs["j"].destinations[0].options == record(**needed)


@pytest.mark.parametrize(("more", "refused"), [("", True), ('{type="csv", path="x.csv"}', False)])
def test_n_1_late_connections_need_a_file_to_be_patched_into(desk, more, refused):
    sent = '{type="webhook", path="x.jsonl", url="https://hq.example/rows"}'
    text = (
        "[connections.a]\nurl='sqlite:///a'\n[jobs.j]\nconnections=['a']\nquery='SELECT 1'\n"
        f"late_until='11:00'\ndestinations=[{', '.join(filter(None, (sent, more)))}]\n"
    )
    if not refused:
        assert desk.load(text).jobs["j"].late_until == "11:00"
        return
    [(key, said)] = desk.mistakes(text)
    assert key == "jobs.j.late_until"
    assert "the job only sends its rows. Take it out, or add a destination that is a file" in said
