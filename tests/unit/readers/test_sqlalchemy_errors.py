"""Errors of drivers become classes of failure: by state, by number, by name, by words, by type."""

import duckdb
import pytest
from sqlalchemy import exc

from etltui.domain.errors import ErrorClass
from etltui.readers.sqlalchemy_errors import class_of, failure_of, state_of


class DatabaseError(Exception):
    """As PEP 249 names it."""


class OperationalError(DatabaseError):
    """As PEP 249 names it."""


class ProgrammingError(DatabaseError):
    """As PEP 249 names it."""


class DataError(DatabaseError):
    """As PEP 249 names it."""


class InterfaceError(Exception):
    """As PEP 249 names it."""


def with_state(state: str, **kept: str) -> Exception:
    error = DatabaseError("words")
    for name in kept or {"sqlstate": ""}:
        setattr(error, name, state)
    return error


@pytest.mark.parametrize(
    ("state", "error_class"),
    [
        ("28P01", ErrorClass.LOGIN),
        ("28000", ErrorClass.LOGIN),
        ("3D000", ErrorClass.NO_DATABASE),
        ("42501", ErrorClass.PERMISSION),
        ("25006", ErrorClass.PERMISSION),
        ("42S02", ErrorClass.SYNTAX),
        ("40001", ErrorClass.BUSY),
        ("53300", ErrorClass.BUSY),
        ("55P03", ErrorClass.BUSY),
        ("57014", ErrorClass.TIMEOUT),
        ("57P01", ErrorClass.LOST),
        ("HYT00", ErrorClass.TIMEOUT),
        ("08006", ErrorClass.LOST),
        ("22012", ErrorClass.VALUE),
        ("XX001", ErrorClass.CORRUPT),
        ("0A000", ErrorClass.SYNTAX),
    ],
)
def test_an_sqlstate_decides_wherever_it_is_kept(state, error_class):
    errors = (
        with_state(state),
        with_state(state, pgcode=""),
        DatabaseError(state, "words"),
        DatabaseError({"C": state, "M": "words"}),
    )
    for error in errors:
        assert state_of(error) == state
        assert failure_of(error).error_class is error_class
        assert failure_of(error).facts["sqlstate"] == state


@pytest.mark.parametrize(
    ("number", "error_class"),
    [
        ("ORA-00054", ErrorClass.BUSY),
        ("ORA-00060", ErrorClass.BUSY),
        ("ORA-00904", ErrorClass.SYNTAX),
        ("ORA-00942", ErrorClass.SYNTAX),
        ("ORA-01013", ErrorClass.CANCELLED),
        ("ORA-01017", ErrorClass.LOGIN),
        ("ORA-01031", ErrorClass.PERMISSION),
        ("ORA-01456", ErrorClass.PERMISSION),
        ("ORA-01555", ErrorClass.BUSY),
        ("ORA-01722", ErrorClass.VALUE),
        ("ORA-03113", ErrorClass.LOST),
        ("ORA-12514", ErrorClass.NO_DATABASE),
        ("ORA-12541", ErrorClass.REFUSED),
        ("ORA-28000", ErrorClass.LOGIN),
    ],
)
def test_oracles_numbers(number, error_class):
    assert class_of(DatabaseError(f"{number}: words")) is error_class


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("ParserException", ErrorClass.SYNTAX),
        ("BinderException", ErrorClass.SYNTAX),
        ("CatalogException", ErrorClass.SYNTAX),
        ("ConversionException", ErrorClass.VALUE),
        ("OutOfRangeException", ErrorClass.VALUE),
        ("InterruptException", ErrorClass.CANCELLED),
        ("PermissionException", ErrorClass.PERMISSION),
        ("OutOfMemoryException", ErrorClass.MEMORY),
        ("FatalException", ErrorClass.LOST),
        ("SerializationException", ErrorClass.CORRUPT),
    ],
)
def test_duckdbs_names(name, error_class):
    assert class_of(getattr(duckdb, name)("words")) is error_class


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (OperationalError("Access denied for user"), ErrorClass.LOGIN),
        (OperationalError("Unknown database 'x'"), ErrorClass.NO_DATABASE),
        (OperationalError("database is locked"), ErrorClass.BUSY),
        (OperationalError("attempt to write a readonly database"), ErrorClass.PERMISSION),
        (OperationalError("no such table: t"), ErrorClass.SYNTAX),
        (OperationalError("SSL certificate problem"), ErrorClass.TLS),
        (OperationalError("connection timed out"), ErrorClass.TIMEOUT),
        (OperationalError("something else"), ErrorClass.LOST),
        (InterfaceError("(0, '')"), ErrorClass.LOST),
        (ProgrammingError("password is no column"), ErrorClass.SYNTAX),
        (DataError("out of range"), ErrorClass.VALUE),
        (TimeoutError("x"), ErrorClass.TIMEOUT),
        (ConnectionResetError("x"), ErrorClass.LOST),
        (exc.ArgumentError("x"), ErrorClass.SYNTAX),
        (KeyError("x"), ErrorClass.INTERNAL),
        (MemoryError(), ErrorClass.MEMORY),
    ],
)
def test_words_and_types(error, error_class):
    assert failure_of(error).error_class is error_class


def test_the_drivers_own_error_counts_and_the_statement_is_not_shown():
    inner = ProgrammingError("no\n  such thing")
    found = failure_of(exc.ProgrammingError("SELECT secret", {}, inner))
    assert found.error_class is ErrorClass.SYNTAX
    assert found.message == "no such thing"
    lost = exc.OperationalError("SELECT 1", {}, inner, connection_invalidated=True)
    assert failure_of(lost).error_class is ErrorClass.LOST


def test_the_password_is_masked():
    assert "s3cret/x" not in failure_of(OperationalError("for s3cret%2Fx"), "s3cret/x").message
    assert "***" in failure_of(OperationalError("for s3cret%2Fx"), "s3cret/x").message
