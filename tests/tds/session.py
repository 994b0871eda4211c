"""One session of the double: login, batches, procedures, transactions, attention."""

import sqlite3
import struct
import time
from contextlib import suppress

from tds import calls, login, tokens
from tds.catalogue import install, refresh
from tds.replies import ServerError, error_of
from tds.results import Results
from tds.wire import ATTENTION, BATCH, LOGIN, PRELOGIN, RPC, TRANSACTION, GoneError, Wire

_BEGIN, _COMMIT, _ROLLBACK = 5, 7, 8
_POLL_S = 0.02
_STEPS = 20_000
"""Of SQLite's machine between two looks at whether the client gives up."""


class AttentionError(Exception):
    """The client wants what runs to end."""


class Session:
    """What one client meets; runs in a thread of its own until either side ends it."""

    def __init__(self, server, sock, spid):
        self.server = server
        self.wire = Wire(sock)
        self.wire.spid = self.spid = spid
        self.user = self.program = self.database = ""
        self.status, self.executing = "sleeping", ""
        self.encrypted = self.reads_only = self.killed = self.implicit = False
        self.isolation = "READ COMMITTED"
        self.lock_timeout = -1
        self.settings = {}
        self.number = 0
        self.version = 0
        self.login = None
        self.prepared: dict[int, tuple[str, str]] = {}
        self.db: sqlite3.Connection | None = None

    @property
    def in_transaction(self):
        return self.db is not None and self.db.in_transaction

    def run(self):
        """Everything, from the first byte to the last."""
        try:
            if self._let_in():
                self._serve()
        except GoneError:
            pass
        finally:
            if self.db is not None:
                self.db.close()
            self.wire.cut("quiet")

    # The login

    def _let_in(self):
        kind, body = self.wire.receive()
        assert kind == PRELOGIN, kind
        wanted = login.asked(body)
        context = self.server.context
        agreed = login.encryption(
            wanted, offered=context is not None, required=self.server.requires_tls
        )
        self.wire.send(login.agreed(agreed, federated=login.federated(wanted)))
        if agreed != login.NONE:
            self.wire.shake_hands(context)
        kind, body = self.wire.receive()
        assert kind == LOGIN, kind
        if agreed == login.OFF:
            self.wire.end_tls()
        self.encrypted = agreed in {login.ON, login.REQUIRED}
        asked = self.login = login.decoded(body)
        self.user, self.program, self.reads_only = asked.user, asked.program, asked.reads_only
        refusal = self._refusal(asked)
        if refusal:
            self.wire.send(refusal.token() + tokens.done(tokens.ERROR))
            return False
        self._settled(asked)
        return True

    def _refusal(self, asked):
        if self.server.login_error:
            return ServerError(*self.server.login_error)
        if self.server.users.get(asked.user) != asked.password:
            return ServerError(18456, f"Login failed for user '{asked.user}'.", level=14)
        if asked.database not in self.server.databases:
            words = (
                f'Cannot open database "{asked.database}" requested by the login. The login failed.'
            )
            return ServerError(4060, words, level=11)
        return None

    def _settled(self, asked):
        self.version = min(asked.version, self.server.newest)
        size = min(asked.packet or 4096, 32767)
        reply = tokens.logged_in(
            asked.database, size, self.version, utf8=asked.utf8 and self.server.knows_utf8
        )
        self.wire.send(reply)
        self.wire.size = size
        self.use(asked.database)

    def use(self, database):
        """Go into a database."""
        self.database = database
        if self.db is not None:
            self.db.close()
        path = self.server.databases[database].path
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA busy_timeout = 5000")
        install(self, self.db)

    # The work

    def _serve(self):
        while True:
            kind, body = self.wire.receive()
            if self.killed:
                raise GoneError
            if kind == ATTENTION:
                self.server.attentions += 1
                self.wire.send(tokens.done(tokens.ATTENDED))
                continue
            self.status = "running"
            try:
                self._handle(kind, body)
            except AttentionError:
                self.wire.send(tokens.done(tokens.ATTENDED))
            finally:
                self.status = "sleeping"

    def _handle(self, kind, body):
        results = Results(self)
        try:
            if kind == BATCH:
                start = struct.unpack_from("<I", body)[0]
                results.batch(body[start:].decode("utf-16-le"))
            elif kind == RPC:
                self._call(calls.decoded(body), results)
            elif kind == TRANSACTION:
                self._transaction(body, results)
            else:
                results.put(ServerError(50000, f"no packet of the kind {kind}").token())
        except (ServerError, sqlite3.Error, calls.UnknownTypeError) as error:
            refused = error_of(error)
            results.put(refused.token())
            results.end(error=True)
            if refused.level >= 20:
                raise GoneError from error
            return
        results.end()

    def _transaction(self, body, results):
        start = struct.unpack_from("<I", body)[0]
        (what,) = struct.unpack_from("<H", body, start)
        if what == _BEGIN:
            self.begin(results)
        elif what in {_COMMIT, _ROLLBACK}:
            self.finish(results, commits=what == _COMMIT)

    def begin(self, results):
        """Begin a transaction; a second is within the first."""
        if not self.in_transaction:
            self.db.execute("BEGIN")
            self.number += 1
        results.put(tokens.transaction(self.number, begins=True))

    def finish(self, results, *, commits):
        """End the transaction."""
        if self.in_transaction:
            self.db.execute("COMMIT" if commits else "ROLLBACK")
        results.put(tokens.transaction(self.number, begins=False, commits=commits))

    def _call(self, call, results):
        results.of_procedure = True
        values = call.values
        self.server.calls.append(call)
        if call.name == "sp_executesql":
            results.batch(values[0], self._named(values[1:2], values[2:], call.names[2:]))
            results.put(tokens.status())
        elif call.name in {"sp_prepare", "sp_prepexec"}:
            handle = len(self.prepared) + 1
            self.prepared[handle] = (values[2], values[1] or "")
            if call.name == "sp_prepexec":
                results.batch(values[2], self._named([values[1]], values[3:], call.names[3:]))
            else:
                results.prepare(values[2])
            results.put(tokens.returned(handle))
        elif call.name == "sp_execute":
            text, declared = self.prepared[values[0]]
            results.batch(text, self._named([declared], values[1:], call.names[1:]))
            results.put(tokens.status())
        elif call.name == "sp_unprepare":
            self.prepared.pop(values[0], None)
            results.put(tokens.status())
        elif call.name == "sp_describe_first_result_set":
            results.describe(values[0])
            results.put(tokens.status())
        else:
            raise ServerError(2812, f"Could not find stored procedure '{call.name}'.")

    @staticmethod
    def _named(declared, values, names):
        """Values by the names that a statement has for them."""
        said = (declared[0] if declared else "") or ""
        known = [part.split()[0].lstrip("@") for part in said.split(",") if part]
        if any(names):
            return {name.lstrip("@"): value for name, value in zip(names, values, strict=True)}
        return dict(zip(known, values, strict=False))

    # The client, meanwhile

    def look(self, seconds=0.0):
        """End what runs if the client says so, waiting so long for it.

        Raises:
            AttentionError: It wants no more.
            GoneError: It has gone, or somebody has killed the session.
        """
        until = time.monotonic() + seconds
        while True:
            if self.killed:
                raise GoneError
            left = until - time.monotonic()
            if self.wire.pending(max(0.0, min(_POLL_S, left))):
                kind, _ = self.wire.receive()
                assert kind == ATTENTION, kind
                self.server.attentions += 1
                if not self.server.deaf:
                    raise AttentionError
            if left <= 0:
                return

    def execute(self, sql, values):
        """Run a statement in SQLite, giving up when the client does."""
        met: list[BaseException] = []

        def look() -> int:
            try:
                self.look()
            except (AttentionError, GoneError) as error:
                met.append(error)
            return int(bool(met))

        self.db.set_progress_handler(look, _STEPS)
        self.executing = sql
        try:
            return self.db.execute(sql, values)
        except sqlite3.OperationalError:
            if met:
                raise met[0] from None
            raise
        finally:
            self.executing = ""
            self.db.set_progress_handler(None, 0)

    def refresh(self):
        """Fill the system's views."""
        refresh(self, self.db)

    def kill(self):
        """End it, from any thread."""
        self.killed = True
        with suppress(OSError):
            self.wire.interrupt()
