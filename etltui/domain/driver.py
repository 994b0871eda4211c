"""A driver of a kind of database, and whether it works on this machine."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """A driver, and whether it works here.

    Attributes:
        name: A package or, for ODBC, the driver's name.
        version: Empty where it is not known.
        serves: What it reads.
        problem: Why it does not work; empty where it does.
        remedy: How to install what lacks.
        needed: Whether nothing of its kind can be read without it.
        registered: Whether somebody has made it known here, so that it should work.
    """

    name: str
    serves: str
    version: str = ""
    problem: str = ""
    remedy: str = ""
    needed: bool = True
    registered: bool = False
