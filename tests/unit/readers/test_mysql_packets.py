"""Rows in the binary form, whole or in pieces, right or wrong."""

import struct
from itertools import pairwise

import pyarrow as pa
import pytest
from pymysql.constants import FIELD_TYPE

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.readers.mysql_line import check_end
from etltui.readers.mysql_packets import Packets
from etltui.readers.mysql_types import Field
from etltui.readers.mysql_values import Values
from etltui.readers.mysql_wkt import wkt
from etltui.readers.reader import RereadError

END = b"\xfe\0\0\x02\0"
FIELDS = (
    Field(name="n", code=FIELD_TYPE.LONG, length=11),
    Field(name="t", code=FIELD_TYPE.VAR_STRING, length=400),
)


def packet(body, number=0):
    """As the server sends it: in pieces of at most 16 MiB - 1."""
    pieces = [body[at : at + 0xFFFFFF] for at in range(0, len(body) + 1, 0xFFFFFF)]
    return b"".join(
        len(piece).to_bytes(3, "little") + bytes([(number + n) % 256]) + piece
        for n, piece in enumerate(pieces)
    )


def length(size):
    if size < 251:
        return bytes([size])
    if size < 1 << 16:
        return b"\xfc" + size.to_bytes(2, "little")
    if size < 1 << 24:
        return b"\xfd" + size.to_bytes(3, "little")
    return b"\xfe" + size.to_bytes(8, "little")


def row(number, text):
    nulls = (number is None) << 2 | (text is None) << 3
    body = b"\0" + bytes([nulls])
    body += b"" if number is None else struct.pack("<i", number)
    body += b"" if text is None else length(len(text.encode())) + text.encode()
    return packet(body)


def received(content, sizes):
    """The blocks and the last word of what comes in pieces of these sizes, again and again."""
    blocks, at, turn = [], 0, 0
    rest, last = b"", None
    while last is None:
        packets = Packets(rest, 1)
        while packets.last is None and not packets.ends:

            def receive(room):
                nonlocal at, turn
                piece = content[at : at + min(sizes[turn % len(sizes)], len(room))]
                assert piece, "more is asked for than there is"
                room[: len(piece)] = piece
                at, turn = at + len(piece), turn + 1
                return len(piece)

            packets.fill(receive)
        rest, last = packets.rest(), packets.last
        if block := packets.block():
            blocks.append(block)
    return blocks, last


def values(content, sizes=(1 << 30,), fields=FIELDS):
    made = Values(fields, set(), ReadPolicy())
    blocks, last = received(content + packet(END), sizes)
    check_end(last)
    return [each for block in blocks for each in made.batch(block).to_pylist()]


ROWS = [(1, "a"), (None, None), (-5, ""), (7, None), (None, "é" * 130), (2**31 - 1, "x" * 70_000)]


@pytest.mark.parametrize("sizes", [(1 << 30,), (1,), (3, 5), (1000,), (65_536, 1)])
def test_however_the_bytes_come_the_rows_are_the_same(sizes):
    given = ROWS[:5] if sizes == (1,) else ROWS
    found = values(b"".join(row(*each) for each in given), sizes)
    assert [(each["n"], each["t"]) for each in found] == given


@pytest.mark.parametrize("size", [0xFFFFFF - 10, 0xFFFFFF - 9, 0xFFFFFF, 2 * 0xFFFFFF])
def test_a_row_of_several_packets_is_one(size):
    given = [(1, "a"), (2, "x" * size), (3, "b"), (4, "y" * size), (5, None)]
    found = values(b"".join(row(*each) for each in given), (1 << 20,))
    assert [(each["n"], each["t"]) for each in found] == given


def test_no_rows():
    assert values(b"") == []


def test_an_error_amid_rows_is_the_last_word():
    said = b"\xff\x25\x05#70100Query execution was interrupted"
    blocks, last = received(row(1, "a") + packet(said), (7,))
    assert len(blocks) == 1
    with pytest.raises(Exception, match="interrupted") as caught:
        check_end(last)
    assert caught.value.args[0] == 1317


@pytest.mark.parametrize(
    ("word", "named"),
    [(b"\xfe\0\0\x0a\0", ErrorClass.SYNTAX), (b"\xfe" + b"x" * 20, ErrorClass.LOST)],
)
def test_a_last_word_that_is_none(word, named):
    with pytest.raises(Failure) as caught:
        check_end(word)
    assert caught.value.error_class is named


@pytest.mark.parametrize(
    "content",
    [
        packet(b"\x01\0" + struct.pack("<i", 1) + b"\x01a"),
        packet(b"\0\0" + struct.pack("<i", 1) + b"\x05a"),
        packet(b"\0\0" + struct.pack("<i", 1) + b"\x01ab"),
        packet(b"\0\0" + struct.pack("<i", 1) + b"\xfe\xff\xff\xff\xff\0\0\0\0a"),
        packet(b"\0\0" + struct.pack("<i", 1) + b"\xfe\xff\xff\xff\x7f\0\0\0\0a"),
        packet(b"\0\0\1"),
        packet(b"\0"),
    ],
)
@pytest.mark.parametrize("around", [b"", row(1, "b"), row(None, "x" * 300)])
def test_rows_that_are_not_of_the_columns_are_refused(content, around):
    """Whatever a server sends, nothing outside of its bytes is looked at."""
    with pytest.raises(Failure) as caught:
        values(around + content + around)
    assert caught.value.error_class is ErrorClass.LOST


TEXTS = tuple(Field(name=name, code=FIELD_TYPE.BLOB, length=400) for name in "ab")


@pytest.mark.parametrize(
    "body",
    [
        # A length below zero that leads back into itself, so that the ends meet.
        b"\0\0\xfe\xfc\xff\xff\xff\x03\0\0\0",
        b"\0\0\xfe\0\xff\xff\x7f\0\0\0\0\x01a",
    ],
)
def test_a_length_that_leads_elsewhere_is_refused(body):
    with pytest.raises(Failure) as caught:
        values(packet(body), fields=TEXTS)
    assert caught.value.error_class is ErrorClass.LOST


def test_a_moment_with_a_wrong_length_is_no_moment():
    fields = (Field(name="d", code=FIELD_TYPE.DATE, length=10),)
    with pytest.raises(RereadError):
        values(packet(b"\0\0\x04\xea\x07\x0d\x01"), fields=fields)
    with pytest.raises(RereadError):
        values(packet(b"\0\0\0"), fields=fields)


def test_blocks_end_where_rows_end():
    packets = Packets(b"".join(row(n, "x" * n) for n in range(5)))
    starts = [0, *packets.ends]
    assert all(after > before for before, after in pairwise(starts))
    assert packets.rest() == b""
    packets.forget()
    assert (packets.filled, packets.ends, packets.block()) == (0, [], None)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (b"\x01" + struct.pack("<I2d", 1, 1, -2.5), "POINT(1 -2.5)"),
        (b"\x00" + struct.pack(">I2d", 1, 1, -2.5), "POINT(1 -2.5)"),
        (b"\x01" + struct.pack("<II", 7, 0), "GEOMETRYCOLLECTION EMPTY"),
        (b"\x01" + struct.pack("<II", 99, 0), "\\x0000000001"),
        (b"\x01" + struct.pack("<II", 2, 5), "\\x0000000001"),
        (b"", "\\x00000000"),
    ],
)
def test_shapes_in_words(shape, text):
    assert wkt(b"\0\0\0\0" + shape).startswith(text)


def test_decimals_are_as_wide_as_declared():
    field = Field(name="a", code=FIELD_TYPE.NEWDECIMAL, length=67, decimals=30)
    assert field.column.type == "decimal(65,30)"
    assert Field(name="a", code=FIELD_TYPE.NEWDECIMAL, length=5, unsigned=True).column.type == (
        "decimal(5,0)"
    )
    odd = Field(name="a", code=FIELD_TYPE.NEWDECIMAL, length=0)
    assert odd.column.type == "mixed"
    found = values(packet(b"\0\0" + length(4) + b"1.50"), fields=(odd,))
    assert found == [{"a": {"text": "1.50", "number": True}}]


def test_a_decimal_that_is_wider_than_it_says_misfits():
    field = Field(name="a", code=FIELD_TYPE.NEWDECIMAL, length=5, decimals=1)
    misfits = set()
    made = Values((field,), misfits, ReadPolicy())
    blocks, _ = received(packet(b"\0\0" + length(8) + b"12345.67") + packet(END), (99,))
    with pytest.raises(RereadError):
        made.batch(blocks[0])
    assert misfits == {0}
    assert Values((field,), misfits, ReadPolicy()).batch(blocks[0]).column(0).type == pa.struct(
        [("text", pa.string()), ("number", pa.bool_())]
    )
