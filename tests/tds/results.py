"""What statements give: rows in pieces that the client draws, counts, notes, errors."""

import re
import sqlite3
from itertools import chain, islice

from tds import sql, tokens
from tds.kinds import header, kind, row_coder
from tds.replies import ServerError

_PIECE_ROWS = 200
_7_3 = 0x730A0003
_PARAMETER = re.compile(r"@(\w+)\s*=\s*", re.IGNORECASE)
_LITERAL = re.compile(
    r"N?'((?:[^']|'')*)'|(0x[0-9A-Fa-f]*)|(NULL)|(-?[\d.]+(?:[eE][+-]?\d+)?)",
    re.IGNORECASE,
)
_DECLARED = re.compile(r"@(\w+)\s+\w+(?:\([^)]*\))?\s*=\s*")
_DESCRIBED = {
    "is_hidden": "bit",
    "column_ordinal": "int",
    "name": "nvarchar(128)",
    "is_nullable": "bit",
    "system_type_id": "int",
    "system_type_name": "nvarchar(256)",
    "max_length": "smallint",
    "precision": "tinyint",
    "scale": "tinyint",
}


class Results:
    """The reply to one message."""

    def __init__(self, session):
        self.session = session
        self.server = session.server
        self.of_procedure = False
        self._buffer = bytearray()
        self._meta_only = False
        self._done = None

    # Writing

    def put(self, data: bytes):
        """Say something."""
        self._close_statement(more=True)
        self._buffer += data

    def end(self, *, error=False):
        """The last word."""
        if self._done is None or error:
            self._close_statement(more=True)
            self._done = (tokens.ERROR if error else 0, None)
        self._close_statement(more=False)
        self.session.wire.send(bytes(self._buffer))

    def _close_statement(self, *, more):
        if self._done is None:
            return
        status, rows = self._done
        inner = tokens.INNER_DONE if more else tokens.PROCEDURE_DONE
        token = inner if self.of_procedure else tokens.BATCH_DONE
        status |= tokens.MORE if more else 0
        self._buffer += tokens.done(status, rows=rows, token=token)
        self._done = None

    def _flush(self):
        """Send what fills packets, and hear whether the client wants more."""
        step = self.session.wire.size - 8
        whole = len(self._buffer) // step * step
        if whole < 4 * step:
            return
        piece = bytes(self._buffer[:whole])
        del self._buffer[:whole]
        self.session.wire.send(piece, last=False)
        self._look()

    def _look(self):
        try:
            self.session.look()
        except Exception:
            # The reply goes on where it stands: a row is never cut in half.
            self.session.wire.send(bytes(self._buffer), last=False)
            raise

    # Statements

    def batch(self, text, values=None):
        """All statements of a text."""
        self.server.batches.append(text)
        values = dict(values or {})
        script = next((each for each in self.server.scripts if each.meets(text)), None)
        if script is not None and script.bytes is not None:
            wire = self.session.wire
            wire.cut_after, wire.how = wire.sent + script.bytes, script.link
            script = None
        if script is not None and not script.after:
            self._broken(script)
        for statement in sql.statements(text):
            self._close_statement(more=True)
            self._statement(statement, values, script)

    def prepare(self, text):
        """What the columns of a text are, as sp_prepare tells them."""
        self._meta_only = True
        try:
            self.batch(text, dict.fromkeys(re.findall(r"@(\w+)", text)))
        finally:
            self._meta_only = False

    def _broken(self, script):
        if script.link:
            self.session.wire.send(bytes(self._buffer), last=False)
            self.session.wire.fail(script.link)
        raise ServerError(script.number, script.words, level=script.level)

    def _statement(self, text, values, script):
        for pattern, run in _STATEMENTS:
            if found := re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL):
                run(self, found, values)
                return
        if text in self.server.canned:
            self._send_canned(self.server.canned[text])
        elif re.match(r"SELECT|WITH|\(", text, re.IGNORECASE):
            self._select(text, values, script)
        elif not self._meta_only:
            self._change(text, values)

    def _begin_implicitly(self):
        if self.session.implicit and not self.session.in_transaction and not self._meta_only:
            self.session.begin(self)

    def _change(self, text, values):
        session = self.session
        self._begin_implicitly()
        try:
            cursor = session.execute(sql.statement(text), values)
        except sql.SyntaxMistakeError as error:
            word = text.split()[0]
            raise ServerError(102, f"Incorrect syntax near '{word}'.", level=15) from error
        self._done = (0, max(cursor.rowcount, 0))

    def _query(self, text):
        tables = self.server.databases[self.session.database].tables
        try:
            return sql.query(text, tables)
        except sql.SyntaxMistakeError as error:
            word = text.split()[-1]
            raise ServerError(102, f"Incorrect syntax near '{word}'.", level=15) from error

    def _run(self, text, values):
        query = self._query(text)
        if query.reads_system:
            self.session.refresh()
        missing = set(re.findall(r"@(\w+)", re.sub(r"'(?:[^']|'')*'", "", query.sql))) - set(values)
        if missing:
            raise ServerError(137, f'Must declare the scalar variable "@{missing.pop()}".')
        bound = {name: v for name, v in values.items() if f"@{name}" in query.sql}
        text = f"SELECT * FROM ({query.sql}) LIMIT 0" if self._meta_only else query.sql
        return query, self.session.execute(text, bound)

    def _select(self, text, values, script):
        if self.server.showplan.get(self.session.spid):
            self._plan(text, values)
            return
        self._begin_implicitly()
        query, cursor = self._run(text, values)
        names = [each[0] for each in cursor.description]
        first = [] if self._meta_only else list(islice(cursor, _PIECE_ROWS))
        kinds = self._settled(query.kinds, first, len(names))
        rows = iter(()) if self._meta_only else chain(first, cursor)
        self._rows(names, kinds, rows, script)

    @staticmethod
    def _settled(known, rows, count):
        """The type of each column, by its first value where nothing else tells."""
        known = known if len(known) == count else (None,) * count
        out = []
        for number, each in enumerate(known):
            value = next((row[number] for row in rows if row[number] is not None), "")
            out.append(each or sql.by_values(value))
        return out

    def _rows(self, names, kinds, rows, script):
        self.put(header(names, kinds))
        code = row_coder(kinds, short=self.session.version >= _7_3)
        count = 0
        for row in self._drawn(rows):
            if script is not None and count >= script.after:
                self._broken(script)
            self._buffer += code(row)
            count += 1
            if len(self._buffer) > 4 * self.session.wire.size:
                self._flush()
        self._done = (0, count)

    def _drawn(self, rows):
        try:
            yield from rows
        except sqlite3.Error as error:
            raise ServerError(50000, str(error)) from error

    def _send_canned(self, canned):
        self.put(header(canned.names, canned.kinds))
        if not canned.encoded:
            code = row_coder(canned.kinds, short=self.session.version >= _7_3)
            canned.encoded = b"".join(map(code, canned.rows))
        for _ in range(0 if self._meta_only else canned.repeat):
            self._buffer += canned.encoded
            self._flush()
        self._done = (0, len(canned.rows) * canned.repeat)

    def _plan(self, text, values):
        cursor = self.session.db.execute(f"EXPLAIN QUERY PLAN {self._query(text).sql}", values)
        lines = [(text,), *((f"  |--{row[3]}",) for row in cursor)]
        self._rows(["StmtText"], [kind("nvarchar(4000)")], iter(lines), None)

    def describe(self, text):
        """What the columns of a query are, without its rows."""
        reads = re.match(r"\s*(SELECT|WITH|\()", text, re.IGNORECASE)
        rows = self._described(text) if reads else []
        names = list(_DESCRIBED)
        self._rows(names, [kind(each) for each in _DESCRIBED.values()], iter(rows), None)

    def _described(self, text):
        if text in self.server.canned:
            canned = self.server.canned[text]
            names, kinds = canned.names, canned.kinds
        else:
            query = self._query(text)
            if query.reads_system:
                self.session.refresh()
            marks = dict.fromkeys(re.findall(r"@(\w+)", query.sql))
            cursor = self.session.execute(f"SELECT * FROM ({query.sql}) LIMIT 0", marks)
            names = [each[0] for each in cursor.description]
            kinds = self._settled(query.kinds, [], len(names))
        return [
            (0, number, name, 1, 0, each.spoken, 0, each.size & 0xFF, each.scale)
            for number, (name, each) in enumerate(zip(names, kinds, strict=True), 1)
        ]

    # What is neither a query nor a change

    def _set(self, found, _values):
        what, value = found["what"].upper(), found["value"].strip().upper()
        if what == "FMTONLY":
            self._meta_only = value == "ON"
        elif what == "TRANSACTION ISOLATION LEVEL":
            self.session.isolation = value
        elif what == "IMPLICIT_TRANSACTIONS":
            self.session.implicit = value == "ON"
        elif what == "LOCK_TIMEOUT":
            self.session.lock_timeout = int(value)
        elif what in {"NOCOUNT", "ARITHABORT", "ANSI_WARNINGS", "DATEFORMAT", "LANGUAGE"}:
            self.session.settings[what] = found["value"].strip().removeprefix("N").strip("'[]")
        elif what.startswith("SHOWPLAN"):
            self.server.showplan[self.session.spid] = value == "ON"
        self._done = (0, None)

    def _begin(self, _found, _values):
        self.session.begin(self)
        self._done = (0, None)

    def _finish(self, found, _values):
        self.session.finish(self, commits=found[0].upper().startswith("COMMIT"))
        self._done = (0, None)

    def _finish_if(self, _found, _values):
        if self.session.in_transaction:
            self.session.finish(self, commits=False)
        self._done = (0, None)

    def _use(self, found, _values):
        name = found["name"].strip("[]")
        if name not in self.server.databases:
            raise ServerError(911, f"Database '{name}' does not exist.")
        old = self.session.database
        self.session.use(name)
        self.put(tokens.database_changed(name, old))
        self._done = (0, None)

    def _wait(self, found, _values):
        hours, minutes, seconds = found["time"].split(":")
        self._look()
        self.session.look(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
        self._done = (0, None)

    def _kill(self, found, _values):
        if not self.server.may_kill:
            raise ServerError(6102, "User does not have permission to use the KILL statement.")
        self.server.kill(int(found["spid"]))
        self._done = (0, None)

    def _execute(self, found, _values):
        text, rest = _first_literal(found["rest"])
        names = _PARAMETER.finditer(rest)
        values = {}
        for name in names:
            if name[1].lower() not in {"stmt", "params"}:
                values[name[1]] = _literal_at(rest, name.end())
        self.server.batches.append(text)
        for statement in sql.statements(text):
            self._statement(statement, values, None)

    def _run_procedure(self, found, values):
        name = found["name"].replace("[", "").replace("]", "").lower()
        if name not in self.server.procedures:
            raise ServerError(2812, f"Could not find stored procedure '{name}'.")
        names, text = self.server.procedures[name]
        given = dict(
            zip(names, filter(None, map(str.strip, found["rest"].split(","))), strict=False)
        )
        bound = {each: self._given(said, values) for each, said in given.items()}
        self._statement(text, bound, None)

    @staticmethod
    def _given(said, values):
        """The value of a parameter: a variable's, or a literal's."""
        said = said.rpartition("=")[2].strip()
        return values.get(said[1:]) if said.startswith("@") else _literal_at(said, 0)

    def _describe(self, found, _values):
        self.describe(_first_literal(found["rest"])[0])

    def _declare(self, found, values):
        for each in _DECLARED.finditer(found["rest"]):
            values[each[1]] = _literal_at(found["rest"], each.end())


def _literal_at(text, position):
    found = _LITERAL.match(text, position)
    assert found, text[position : position + 40]
    said, raw, nothing, number = found.groups()
    if nothing:
        return None
    if raw:
        return bytes.fromhex(raw[2:])
    if number:
        return float(number) if set(number) & set(".eE") else int(number)
    return said.replace("''", "'")


def _first_literal(text):
    found = re.search(r"N?'((?:[^']|'')*)'", text)
    assert found, text
    return found[1].replace("''", "'"), text[found.end() :]


_STATEMENTS = (
    (
        r"SET\s+(?P<what>TRANSACTION ISOLATION LEVEL|\w+)\s*(?P<value>[^;]*)",
        Results._set,
    ),
    (r"BEGIN\s+TRAN(SACTION)?", Results._begin),
    (r"(COMMIT|ROLLBACK)(\s+(TRAN(SACTION)?|WORK))?", Results._finish),
    (r"IF\s+@@TRANCOUNT\s*>\s*0\s+(ROLLBACK|COMMIT)(\s+TRAN(SACTION)?)?", Results._finish_if),
    (r"USE\s+(?P<name>\S+)", Results._use),
    (r"WAITFOR\s+DELAY\s+'(?P<time>[^']+)'", Results._wait),
    (r"KILL\s+(?P<spid>\d+)", Results._kill),
    (r"EXEC(UTE)?\s+(sys\.)?sp_executesql\s+(?P<rest>.*)", Results._execute),
    (r"EXEC(UTE)?\s+(sys\.)?sp_describe_first_result_set\s+(?P<rest>.*)", Results._describe),
    (r"DECLARE\s+(?P<rest>@.*)", Results._declare),
    (r"EXEC(UTE)?\s+(?P<name>[\w.\[\]]+)(?P<rest>.*)", Results._run_procedure),
)
