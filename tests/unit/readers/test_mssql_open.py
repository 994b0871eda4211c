"""How a SQL Server's session is opened: which driver, whom it trusts, what it may not do."""

import os
import socket
import ssl
import threading
import warnings
from contextlib import closing

import pyodbc
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import QueryTask
from etltui.readers import mssql_trust
from etltui.readers.mssql_drivers import chosen, keys
from etltui.readers.mssql_trust import trusting
from etltui.readers.registry import connect
from mssql_kit import PASSWORD, freetds, microsoft, serving, session_task
from tds.certificates import issued

QUERY = QueryTask(name="q", sql="SELECT a FROM t")


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as made:
        made.table("shop", "t", {"a": "int"}, [(number,) for number in range(5)])
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return issued(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def encrypting(tmp_path, certificate):
    with serving(tmp_path, context=certificate.context()) as made:
        made.table("shop", "t", {"a": "int"}, [(1,)])
        yield made


def opening(server, driver="", **options):
    """The failure of a session that cannot be opened."""
    task = session_task(server, "shop", driver, options=options)
    with pytest.raises(Failure) as caught:
        connect(task)
    assert PASSWORD not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def opened(server, driver="", **options):
    return closing(connect(session_task(server, "shop", driver, options=options)))


# Drivers


def test_the_best_driver_that_is_installed_is_taken():
    """N-36."""
    both = ["FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"]
    assert chosen("", both).name == "ODBC Driver 18 for SQL Server"
    assert chosen("", both[:2]).name == "ODBC Driver 17 for SQL Server"
    assert chosen("freetds", both).is_freetds
    assert chosen("msodbcsql17", both).name == "ODBC Driver 17 for SQL Server"
    assert chosen("odbc driver 18 FOR sql server", both).name == both[2]
    assert chosen("/opt/libtdsodbc.so", []).is_freetds


def test_a_driver_that_is_not_there_is_told_with_those_that_are():
    """N-36."""
    with pytest.raises(Failure) as caught:
        chosen("msodbcsql18", ["FreeTDS"])
    assert caught.value.error_class is ErrorClass.DRIVER
    assert "installed: FreeTDS" in caught.value.message
    assert "msodbcsql18" in caught.value.message


def test_no_driver_at_all(monkeypatch):
    monkeypatch.setattr("etltui.readers.mssql_drivers._WHEEL_FILES", "no_such_package")
    with pytest.raises(Failure) as caught:
        chosen("", [])
    assert caught.value.error_class is ErrorClass.DRIVER
    assert "installed: none" in caught.value.message


def test_an_instance_stands_in_the_servers_name(server):
    task = session_task(server, "shop", options={"instance": "SQLEXPRESS"})
    assert keys(chosen("/x/libmsodbcsql.so", []), task, 5)["Server"] == "127.0.0.1\\SQLEXPRESS"
    made = keys(chosen("/x/libtdsodbc.so", []), task, 5)
    assert made["Server"] == "127.0.0.1\\SQLEXPRESS"
    assert "Port" not in made


def test_freetds_is_not_given_a_password_that_it_would_cut(server):
    task = session_task(server, "shop", freetds(), password="a};b")
    with pytest.raises(Failure) as caught:
        connect(task)
    assert caught.value.error_class is ErrorClass.LOGIN
    assert "a};b" not in caught.value.message


@pytest.mark.parametrize("password", ["a};{b", "}}", "{x}", " a ", "p=q;UID=sa", "é'\"ü"])
def test_microsofts_driver_takes_any_password(server, password):
    server.users["odd"] = password
    with closing(connect(session_task(server, "shop", user="odd", password=password))) as reader:
        reader.ping()


# The line


def test_nothing_listens_there(server):
    server.close()
    assert opening(server).error_class is ErrorClass.REFUSED


def test_a_name_that_is_not_known():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = session_task(_Port(listener), "shop", host="no-such-host.invalid")
        with pytest.raises(Failure) as caught:
            connect(task)
    assert caught.value.error_class is ErrorClass.UNREACHABLE


class _Port:
    def __init__(self, listener):
        self.port = listener.getsockname()[1]


@pytest.mark.parametrize("driver", [microsoft, freetds])
def test_a_server_that_never_says_a_word(server, driver):
    server.mute = True
    task = session_task(server, "shop", driver(), connect_timeout_s=2.0)
    caught = []

    def run():
        with pytest.raises(Failure) as failed:
            connect(task)
        caught.append(failed.value.error_class)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=8)
    assert caught == [ErrorClass.TIMEOUT]


@pytest.mark.parametrize("driver", [microsoft, freetds])
def test_the_line_notices_that_it_is_dead(server, driver):
    with opened(server, driver()):
        found = []
        for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
            try:
                with socket.socket(fileno=os.dup(int(entry))) as sock:
                    if sock.family == socket.AF_INET and sock.getpeername()[1] == server.port:
                        found.append(
                            [
                                sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
                            ],
                        )
            except OSError:
                continue
    assert [1, 15, 30_000] in found


# Trust


@pytest.mark.parametrize("mode", ["verify-full", "require", "disable"])
def test_an_authority_that_nobody_knows(encrypting, mode):
    if mode == "verify-full":
        failure = opening(encrypting, sslmode=mode)
        assert failure.error_class is ErrorClass.TLS
        assert "sslrootcert" in failure.message
        return
    with opened(encrypting, sslmode=mode) as reader:
        assert reader.facts().encrypted is (mode == "require")
        assert [each.encrypted for each in encrypting.live()] == [mode == "require"]


def test_an_authority_of_ones_own(encrypting, certificate):
    trusted = {"sslmode": "verify-full", "sslrootcert": str(certificate.authority)}
    task = session_task(encrypting, "shop", options=trusted, host="localhost")
    with closing(connect(task)) as reader:
        assert reader.facts().encrypted
    # It was lent to that login alone.
    assert opening(encrypting, sslmode="verify-full").error_class is ErrorClass.TLS


def test_another_name_than_the_one_asked_for(tmp_path, encrypting):
    folder = tmp_path / "other"
    folder.mkdir()
    other = issued(folder, "DNS:till-7.branch.example")
    encrypting.context = other.context()
    trusted = {"sslmode": "verify-full", "sslrootcert": str(other.authority)}
    failure = opening(encrypting, **trusted)
    assert failure.error_class is ErrorClass.TLS
    assert "certname" in failure.message
    with opened(encrypting, **trusted, certname="till-7.branch.example") as reader:
        reader.ping()


def test_a_server_that_does_not_encrypt(server):
    failure = opening(server, sslmode="require")
    assert failure.error_class is ErrorClass.TLS
    assert "encrypts by default" in failure.message


def test_n_36_a_server_of_2008_is_told_in_words(encrypting, certificate):
    """N-36: TLS 1.0 is all that it knows."""
    old = certificate.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    encrypting.context = old
    encrypting.newest, encrypting.version = 0x730B0003, "10.50.6000.34"
    failure = opening(encrypting, sslmode="require")
    assert failure.error_class is ErrorClass.TLS
    assert "driver=freetds&tds_version=7.3" in failure.message
    with opened(encrypting, freetds(), sslmode="disable", tds_version="7.3") as reader:
        assert reader.facts().product == "SQL Server 10.50.6000.34"
        assert [column.type for column in reader.describe(QUERY)] == ["int"]


def test_freetds_does_not_verify_and_says_so(encrypting):
    failure = opening(encrypting, freetds(), sslmode="verify-full")
    assert failure.error_class is ErrorClass.TLS
    assert "takes any certificate" in failure.message
    with opened(encrypting, freetds(), sslmode="require"):
        assert [each.encrypted for each in encrypting.live()] == [True]


def test_freetds_and_a_server_that_does_not_encrypt(server):
    failure = opening(server, freetds(), sslmode="require")
    assert failure.error_class is ErrorClass.TLS
    assert "sslmode=disable" in failure.message


def test_verify_ca_has_a_way_out(server):
    failure = opening(server, sslmode="verify-ca")
    assert failure.error_class is ErrorClass.TLS
    assert "certname=NAME" in failure.message


def test_logins_of_another_authority_wait_their_turn(tmp_path):
    one, other = tmp_path / "one.pem", tmp_path / "other.pem"
    one.write_text("")
    other.write_text("")
    before = os.environ.get("SSL_CERT_FILE")
    with trusting(str(one), 1), trusting(str(one), 1):
        assert os.environ["SSL_CERT_FILE"] == str(one)
        with pytest.raises(Failure) as caught, trusting(str(other), 0.01):
            pass
        assert caught.value.error_class is ErrorClass.TIMEOUT
        with pytest.raises(Failure), trusting("", 0.01):
            pass
    assert os.environ.get("SSL_CERT_FILE") == before
    with trusting(str(other), 1):
        assert os.environ["SSL_CERT_FILE"] == str(other)
    assert not mssql_trust._lent


def test_an_authority_that_cannot_be_read(encrypting):
    failure = opening(encrypting, sslmode="verify-full", sslrootcert="/no/such.pem")
    assert failure.error_class is ErrorClass.TLS
    assert "/no/such.pem" in failure.message


# The session


@pytest.mark.parametrize("driver", [microsoft, freetds])
def test_the_server_is_told_that_we_only_read(server, driver):
    with opened(server, driver()):
        assert [each.reads_only for each in server.live()] == [True]
        assert [each.program for each in server.live()] == ["etltui"]


@pytest.mark.parametrize(
    ("isolation", "allowed", "level"),
    [
        ("", True, "SNAPSHOT"),
        ("", False, "READ COMMITTED"),
        ("snapshot", True, "SNAPSHOT"),
        ("committed", True, "READ COMMITTED"),
        ("dirty", True, "READ UNCOMMITTED"),
    ],
)
def test_isolation_is_as_the_policy_says(server, isolation, allowed, level):
    """N-31."""
    server.databases["shop"].snapshot = allowed
    task = session_task(server, "shop", policy=ReadPolicy(isolation=isolation, lock_timeout_s=7))
    with closing(connect(task)):
        [session] = server.live()
        assert (session.isolation, session.lock_timeout) == (level, 7000)


def test_a_snapshot_that_is_wanted_and_not_allowed_is_refused(server):
    server.databases["shop"].snapshot = False
    with pytest.raises(Failure) as caught:
        connect(session_task(server, "shop", policy=ReadPolicy(isolation="snapshot")))
    assert caught.value.error_class is ErrorClass.PERMISSION
    assert "ALLOW_SNAPSHOT_ISOLATION" in caught.value.message


def test_processors_are_limited_where_the_policy_says_so(server):
    """N-31."""
    task = session_task(server, "shop", policy=ReadPolicy(maxdop=2))
    with (
        closing(connect(task)) as reader,
        reader.read(QUERY, batch_bytes=lambda: 1000, exact=False) as result,
    ):
        assert sum(batch.num_rows for batch in result.batches) == 5
    assert any("OPTION (MAXDOP 2)" in str(call.values) for call in server.calls)


def test_what_the_server_says_of_itself(server):
    """N-9, N-18, N-19."""
    with opened(server) as reader:
        facts = reader.facts()
    assert facts.product == "SQL Server 16.0.4165.4"
    assert facts.identity.startswith("BRANCH01/shop/2026-01-02 03:04:05/")
    assert server.databases["shop"].identity in facts.identity
    assert facts.started == "2026-11-01 06:00:00"
    assert abs(facts.skew_s) < 5
    assert facts.encrypted is False
    assert facts.driver


def test_a_server_that_tells_nothing_is_read_all_the_same(server):
    server.script("SERVERPROPERTY", number=297, words="may not")
    with opened(server) as reader:
        assert reader.facts().product == ""
        assert [column.type for column in reader.describe(QUERY)] == ["int"]


def test_a_closed_session_is_gone_at_the_server(server):
    """The driver manager's own pool would keep it."""
    connect(session_task(server, "shop")).close()
    with opened(server) as reader:
        reader.ping()
        assert len(server.live()) == 1
    assert pyodbc.pooling is False
