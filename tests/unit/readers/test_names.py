"""A name that no resolver takes is told like one that nobody knows."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.names import found, looked_up
from etltui.readers.reach import reached

_LABEL = "x" * 64 + ".example"
"""Its first part is longer than a name's may be, which Python says by an error of another kind."""


def test_a_name_that_cannot_be_one_is_unreachable():
    with pytest.raises(Failure) as caught:
        reached(_LABEL, 5432, 5.0)
    assert caught.value.error_class is ErrorClass.UNREACHABLE
    assert "label" in caught.value.message


async def test_it_is_the_same_on_a_loop():
    with pytest.raises(OSError, match="label"):
        await found(_LABEL, 5432)


def test_an_address_in_figures_is_its_own():
    assert [address for _, address in looked_up("127.0.0.1", 5432, 5.0)] == [("127.0.0.1", 5432)]
