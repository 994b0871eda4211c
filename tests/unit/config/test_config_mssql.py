"""The urls of SQL Servers."""

from pathlib import Path

import pytest

from etltui.config.checks import RefusedError
from etltui.config.urls import address

HERE = Path("/etc/etltui")


def test_a_url_with_all_that_it_may_hold():
    found = address(
        "mssql://till-7:14330/Sales?driver=freetds&tds_version=7.3&sslmode=require",
        HERE,
    )
    assert (found.kind, found.host, found.port, found.database) == (
        "mssql",
        "till-7",
        14330,
        "Sales",
    )
    assert found.options == {"driver": "freetds", "tds_version": "7.3", "sslmode": "require"}


def test_paths_begin_at_the_file():
    found = address("mssql://h/d?sslrootcert=ca.pem&certname=*.branch.example", HERE)
    assert found.options == {
        "sslrootcert": "/etc/etltui/ca.pem",
        "certname": "*.branch.example",
    }


@pytest.mark.parametrize(
    ("url", "problem", "way_out"),
    [
        ("mssql://h/d?sslmode=verify-ca", "verify-ca", "certname=NAME"),
        ("mssql://h/d?sslmode=prefer", "may send everything unencrypted", "verify-full"),
        ("mssql://h/d?driver=a;b", "no name of a driver", "msodbcsql18"),
        ("mssql://h/d?driver={x}", "no name of a driver", "freetds"),
        ("mssql://h/d?instance=a%5Cb", "no name of an instance", "instance=SQLEXPRESS"),
        ("mssql://h:1433/d?instance=X", "a port and an instance", "Write one of them"),
        ("mssql://h/d?tds_version=7.3", "for FreeTDS only", "driver=freetds"),
        ("mssql://h/d?driver=freetds&tds_version=8", "none of the choices", "7.2, 7.3, 7.4"),
        ("mssql://h/d?certname=a%20b", "no name of a certificate", "host's name"),
        ("mssql://h/d?drivr=x", "not known", "driver"),
        ("mssql://h", "does not end with the name of one database", "mssql://host:1433/database"),
        ("mssql://h/d?sslmode=require&sslrootcert=a", "trusts anyone", "Take sslmode out"),
    ],
)
def test_what_is_wrong_is_refused_with_a_way_out(url, problem, way_out):
    with pytest.raises(RefusedError) as caught:
        address(url, HERE)
    assert problem in caught.value.problem
    assert way_out in caught.value.way_out
