"""What a PostgreSQL server says of itself, and how its first row is read."""

from contextlib import closing

import asyncpg
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers.postgresql import connect
from etltui.readers.postgresql_facts import first_row
from postgresql_kit import session_task


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def _row(*values: bytes | None) -> bytes:
    body = len(values).to_bytes(2, "big")
    for value in values:
        length = -1 if value is None else len(value)
        body += length.to_bytes(4, "big", signed=True) + (value or b"")
    return _message(b"D", body)


def test_the_first_row_is_found_behind_what_else_is_said():
    said = _message(b"T", b"\0\1columns") + _row(b"1.5", None, b"D") + _row(b"other")

    assert first_row(said) == ["1.5", "", "D"]


def test_what_holds_no_row_is_refused():
    with pytest.raises(ValueError, match="no row"):
        first_row(_message(b"C", b"SELECT 0\0"))


@pytest.fixture(scope="module")
def databases(postgresql):
    return [postgresql.database("CREATE TABLE t (id int)") for _ in range(2)]


def _facts(database, **changes):
    with closing(connect(session_task(database, **changes))) as reader:
        return reader.facts()


@pytest.mark.server
def test_n_19_a_database_is_itself_in_every_session_and_no_other(databases):
    first, again, other = (_facts(each) for each in (databases[0], *databases))

    assert first.identity == again.identity
    assert first.identity
    assert first.started == again.started
    assert first.identity != other.identity
    assert first.identity.split("/")[0] == other.identity.split("/")[0]


@pytest.mark.server
def test_the_server_tells_its_version_its_clock_and_that_nothing_is_encrypted(
    postgresql, databases
):
    facts = _facts(databases[0])
    (version,) = postgresql.execute("SHOW server_version")

    assert facts.product == f"PostgreSQL {version[0].split(' ')[0]}"
    assert facts.skew_s is not None
    assert abs(facts.skew_s) < 5  # one machine, one clock
    assert facts.encrypted is False
    assert facts.driver == f"asyncpg {asyncpg.__version__}"


@pytest.mark.server
def test_what_a_user_may_not_ask_stays_empty_and_the_session_is_good(postgresql, databases):
    name = postgresql.database("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    role = postgresql.role("LOGIN")

    with closing(connect(session_task(name, user=role))) as reader:
        facts = reader.facts()
        reader.ping()

    assert facts.identity == ""
    assert facts.started == _facts(databases[0]).started
    assert facts.skew_s is not None


@pytest.mark.server
def test_asking_costs_one_journey_and_leaves_nothing_open(postgresql, databases, monkeypatch):
    with closing(connect(session_task(databases[0]))) as reader:
        sent: list[bytes] = []
        transport = reader._wire._transport
        write = transport.write
        monkeypatch.setattr(transport, "write", lambda data: (sent.append(data), write(data)))
        reader.facts()

        assert len(sent) == 1
        (session,) = postgresql.sessions(databases[0])
        assert session["state"] == "idle"
        with reader.snapshot():
            assert reader.describe(QueryTask(name="q", sql="SELECT id FROM t", limit_s=5.0))


@pytest.mark.server
def test_a_session_that_breaks_over_the_question_says_so(postgresql):
    name = postgresql.database()
    with closing(connect(session_task(name))) as reader:
        postgresql.drop(name)
        with pytest.raises(Failure) as caught:
            reader.facts()

    assert caught.value.error_class in {ErrorClass.LOST, ErrorClass.NO_DATABASE}
