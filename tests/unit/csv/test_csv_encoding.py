"""Encodings: what cannot be written is refused with its place, or replaced and counted."""

import pyarrow as pa
import pytest

from etltui.domain.errors import ErrorClass, Failure
from unit.csv.csv_kit import Kit, batch


def _texts(*values):
    return batch(a=pa.array(range(len(values))), name=pa.array(values, pa.string()))


def _target(tmp_path, **options):
    kit = Kit(tmp_path, options=options)
    return kit.assembled([kit.part([_texts("é")])])[1]


@pytest.mark.parametrize(
    ("encoding", "start"),
    [
        ("utf-8", b"a,"),
        ("UTF8", b"a,"),
        ("utf-8-sig", b"\xef\xbb\xbfa,"),
        ("utf-16", b"\xff\xfea\0,\0"),
        ("utf-16-le", b"a\0,\0"),
        ("utf-16-be", b"\0a\0,"),
        ("utf-32", b"\xff\xfe\0\0a\0\0\0"),
        ("cp1252", b"a,"),
        ("latin-1", b"a,"),
    ],
)
def test_the_file_begins_as_the_encoding_says(tmp_path, encoding, start):
    content = _target(tmp_path, encoding=encoding)
    assert content.startswith(start)
    assert content.decode(encoding) == "a,name\n0,é\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
def test_a_byte_order_mark_stands_once(tmp_path, encoding):
    """N-17."""
    kit = Kit(tmp_path, options={"encoding": encoding, "bom": True})
    parts = [kit.part([_texts("é"), _texts("x")], number=n) for n in range(2)]
    _, content = kit.assembled(parts)
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    assert content.decode(plain) == "\ufeffa,name\n" + "0,é\n0,x\n" * 2


def test_a_byte_order_mark_stands_alone_without_a_header(tmp_path):
    content = _target(tmp_path, bom=True, include_headers=False)
    assert content == b"\xef\xbb\xbf0,\xc3\xa9\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"encoding": "cp1252", "bom": True}, "no byte order mark"),
        ({"encoding": "klingon"}, "no encoding klingon"),
        ({"encoding": "base64"}, "no encoding base64"),
    ],
)
def test_an_encoding_that_cannot_be_is_refused_before_a_part_exists(tmp_path, options, words):
    kit = Kit(tmp_path, options=options)
    with pytest.raises(Failure, match=words) as caught:
        kit.part([_texts("a")])
    assert caught.value.error_class is ErrorClass.VALUE
    assert list((kit.folder / "0").iterdir()) == []


def test_a_character_that_the_encoding_lacks_is_named_with_its_place(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "cp1252", "connection_column": "branch"})
    with pytest.raises(Failure) as caught:
        kit.part([_texts("a\nb", None), _texts("c", 'quo"ted, Ж')])
    failure = caught.value
    assert failure.error_class is ErrorClass.VALUE
    assert failure.facts == {"row": "4", "column": "name", "encoding": "cp1252"}
    assert failure.message.startswith("row 4, column 'name': cp1252 has no 'Ж' (U+0416)")
    assert "quo" not in failure.message


def test_the_place_is_right_beyond_one_slice(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "latin-1"})
    with pytest.raises(Failure, match="row 9,001"):
        kit.part([_texts(*["a"] * 9000, "Ж")])


def test_a_connection_that_cannot_be_written_is_named(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "cp1252", "connection_column": "branch"})
    with pytest.raises(Failure, match="row 1, column 'branch'"):
        kit.part([_texts("a")], connection="Ж1")


def test_a_header_that_cannot_be_written_is_named(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "cp1252"})
    receipt = kit.part([batch(Ж=pa.array([1]))])
    with pytest.raises(Failure, match="header, column 'Ж'"):
        kit.assembled([receipt])
    assert not kit.temporary.exists()


def test_a_delimiter_that_cannot_be_written_is_named(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "ascii", "delimiter": "§"})
    with pytest.raises(Failure, match="delimiter or of the NULL text"):
        kit.part([_texts("a")])


def test_characters_are_replaced_and_counted(tmp_path):
    """N-17."""
    options = {"encoding": "cp1252", "encoding_errors": "replace"}
    kit = Kit(tmp_path, options=options)
    receipt = kit.part([_texts("Жé", "ok"), _texts("山🙂")])
    assert kit.payload(receipt).decode("cp1252") == "0,?é\n1,ok\n0,??\n"
    assert receipt.notes == {"characters replaced": 3}


def test_replaced_header_characters_are_counted_in_the_publication(tmp_path):
    options = {"encoding": "cp1252", "encoding_errors": "replace", "formula_guard": "quote"}
    kit = Kit(tmp_path, options=options)
    published, content = kit.assembled([kit.part([batch(**{"=Ж": pa.array([1])})])])
    assert content == b"'=?\n1\n"
    assert published.notes == {"characters replaced": 1, "formula guarded": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_text_that_is_not_utf8_is_refused_with_its_place(tmp_path, encoding):
    broken = pa.array([b"fine", b"\xff\xfe"], pa.binary()).view(pa.string())
    kit = Kit(tmp_path, options={"encoding": encoding})
    with pytest.raises(Failure, match="row 2, column 'name': the text is not valid UTF-8"):
        kit.part([batch(a=pa.array([1, 2]), name=broken)])


def test_stateful_encodings_do_not_depend_on_batches(tmp_path):
    kit = Kit(tmp_path, options={"encoding": "iso2022_jp"})
    rows = _texts("山田", "a", "太郎")
    one = kit.part([rows])
    other = kit.part([rows.slice(n, 1) for n in range(3)], number=1)
    assert kit.payload(one) == kit.payload(other)
    assert kit.payload(one).decode("iso2022_jp") == "0,山田\n1,a\n2,太郎\n"
