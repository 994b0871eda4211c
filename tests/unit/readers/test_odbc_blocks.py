"""From a driver's memory to Arrow: nothing cut, nothing rounded, nothing written over.

The memory is filled as a driver would.
"""

import ctypes

import pyarrow as pa
import pytest

from etltui.readers import odbc_api as api
from etltui.readers.odbc_blocks import LONG, MOMENTS, REALS, CutError, UnfitError, form_of


def filled(form, values):
    """Memory and lengths as a driver leaves them; None is NULL, a tuple its length beside."""
    data = ctypes.create_string_buffer(form.width * len(values))
    lengths = (ctypes.c_ssize_t * len(values))()
    for number, value in enumerate(values):
        told = api.NULL
        if value is not None:
            content, told = value if isinstance(value, tuple) else (value, len(value))
            ctypes.memmove(ctypes.addressof(data) + number * form.width, content, len(content))
        lengths[number] = told
    return data, lengths


def read(form, values):
    return form.made(*filled(form, values), len(values)).to_pylist()


@pytest.mark.parametrize("size", [10, 60, 0, 100_000])
def test_texts_of_any_room(size):
    texts = ["", "a", None, "付Ø", "x" * 10]
    given = [None if text is None else text.encode() for text in texts]
    assert read(form_of("text", size), given) == texts


@pytest.mark.parametrize("size", [3, 0])
def test_a_text_may_end_with_zeros(size):
    assert read(form_of("text", size), [b"a\0\0", b"\0", b"b"]) == ["a\0\0", "\0", "b"]


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("size", [3, 0])
def test_what_was_made_does_not_change_when_the_driver_fills_the_block_again(kind, size):
    form = form_of(kind, size)
    for values in ([b"abc"], [b"abc", b"def"], [None, b"", b"xyz"]):
        data, lengths = filled(form, values)
        made = form.made(data, lengths, len(values))
        ctypes.memset(data, ord("!"), len(data))
        wanted = [v if v is None or kind == "binary" else v.decode() for v in values]
        assert made.to_pylist() == wanted


def test_a_value_that_was_cut_tells_what_it_needs():
    form = form_of("text", 0)
    with pytest.raises(CutError) as caught:
        read(form, [b"a", (b"x" * LONG, 5000)])
    assert caught.value.size == 5000
    with pytest.raises(CutError) as caught:
        read(form, [(b"x" * LONG, api.NO_TOTAL)])
    assert caught.value.size == 0
    wide = form_of("text", 0, bytes_=5000)
    assert read(wide, [b"x" * 5000]) == ["x" * 5000]


def test_what_is_no_utf_8_is_no_text():
    for size in (10, 0):
        with pytest.raises(UnfitError):
            read(form_of("text", size), [b"\xd8x"])


def moment(*parts):
    words = b"".join(int(part).to_bytes(2, "little") for part in parts[:6])
    return words + int(parts[6]).to_bytes(4, "little") if len(parts) > 6 else words


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((1, 1, 1, 0, 0, 0, 0), "0001-01-01 00:00:00"),
        ((1969, 12, 31, 23, 59, 59, 999_999_000), "1969-12-31 23:59:59.999999"),
        ((2024, 2, 29, 12, 34, 56, 0), "2024-02-29 12:34:56"),
        ((9999, 12, 31, 23, 59, 59, 0), "9999-12-31 23:59:59"),
    ],
)
def test_a_structure_of_odbc_s_is_its_moment(parts, text):
    wanted = pa.array([text, None]).cast(pa.timestamp("us")).to_pylist()
    assert read(form_of("timestamp", 0), [moment(*parts), None]) == wanted
    assert read(form_of("timestamp", 0, spelled=MOMENTS), [text.encode(), None]) == wanted
    assert read(form_of("date", 0), [moment(*parts[:3]), None])[0] == wanted[0].date()


def test_a_moment_finer_than_a_microsecond_does_not_fit():
    with pytest.raises(UnfitError):
        read(form_of("timestamp", 0), [moment(2024, 1, 1, 0, 0, 0, 100)])
    with pytest.raises(UnfitError):
        read(form_of("timestamp", 0, spelled=MOMENTS), [b"2024-01-01 00:00:00.1234567"])


@pytest.mark.parametrize("text", [b"0000-00-00", b"infinity", b"2024-2-1", b"2024-01-01 BC"])
def test_what_is_no_day_does_not_fit(text):
    with pytest.raises(UnfitError):
        read(form_of("date", 0, spelled=MOMENTS), [b"2024-01-01", text])
    with pytest.raises(UnfitError):
        read(form_of("date", 0), [moment(0, 1, 1)])


@pytest.mark.parametrize("text", [b"838:59:59", b"-00:00:01", b"12:00", b"12:34:56.1234567"])
def test_what_is_no_time_of_a_day_does_not_fit(text):
    with pytest.raises(UnfitError):
        read(form_of("time", 0), [text])


def test_decimals_are_exact_or_do_not_fit():
    texts = [b"1.05", b".50", b"-0.01", None]
    assert [str(v) for v in read(form_of("decimal(12,2)", 12), texts)] == [
        "1.05",
        "0.50",
        "-0.01",
        "None",
    ]
    for text in (b"1.005", b"NaN", b"12345678901.00"):
        with pytest.raises(UnfitError):
            read(form_of("decimal(12,2)", 12), [text])


def test_a_number_of_single_precision_is_what_it_is_written_as():
    values = [0.1, 3.4e38, 1.5]
    memory = [bytes(ctypes.c_double(ctypes.c_float(v).value)) for v in values]
    assert read(REALS, memory) == values


def test_numbers_among_others_are_marked_where_a_spreadsheet_keeps_them():
    texts = [b"1.50", b"-0", b"0.00001", b"12345678901234567", b"1e5", b"x", None]
    assert [v and v["number"] for v in read(form_of("mixed", 0), texts)] == [
        True,
        True,
        True,
        False,
        False,
        False,
        None,
    ]
