"""Files made of pieces: what a disk that lies would have made of them is found."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.chain import _proven, chain


def test_literal_pieces_make_a_file(tmp_path):
    made = chain(tmp_path / "made", tmp_path, [b"one ", b"", b"two"])
    assert (tmp_path / "made").read_bytes() == b"one two"
    assert (made.bytes, made.members) == (7, ())


def test_an_old_file_or_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "other").write_text("mine")
    (tmp_path / "made").symlink_to("other")
    chain(tmp_path / "made", tmp_path, [b"x"])
    assert (tmp_path / "other").read_text() == "mine"
    assert not (tmp_path / "made").is_symlink()


@pytest.mark.parametrize(
    ("found", "said"),
    [(b"one twx", "does not hold what was written"), (b"one two!", "has 8 bytes instead of 7")],
)
def test_what_is_not_what_was_written_is_found(tmp_path, found, said):
    (tmp_path / "made").write_bytes(found)
    with pytest.raises(Failure, match=said) as caught:
        _proven(tmp_path / "made", [b"one ", b"two"])
    assert caught.value.error_class is ErrorClass.TARGET
