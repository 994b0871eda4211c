"""Texts that were encoded twice are counted, and good texts never: N-17."""

import pyarrow as pa
import pytest

from etltui.extractors.lines import Printed
from etltui.extractors.twice import Twice

GOOD = (
    "Müller & Söhne, Grüße",
    "„Spaß“ … à la carte – CAFÉ… NESCAFÉ® NESCAFÉ™ IRMÃ” MAÇÃ",
    "CAFÉ\u00a0! « É » 12 °C ½ ÂM Ã Â",
    "தமிழ் நாடு हिन्दी 付 🙂 Ø Ù Ú Û",
    "Île-de-France, ÎÎ, ÅÅ, ÄÖÜ",
)
BAD = (
    "Müller",
    "GÄRTNER",
    "Ærø",
    "தமிழ்",
    "हिन्दी",
    "付款",
    "🙂",
    "Łódź",
    "Привет",
    "it’s 5 €",
    "12 °C",
)


def twice(text, page):
    """A text whose bytes somebody took for this code page; what cp1252 lacks stays a byte."""
    found = ""
    for byte in text.encode():
        try:
            found += bytes([byte]).decode(page)
        except UnicodeDecodeError:
            found += chr(byte)
    return found


def notes(*batches):
    look = Twice()
    for batch in batches:
        look.look(batch)
    return dict(look.notes())


def batch(*texts):
    return pa.record_batch({"id": pa.array(range(len(texts))), "customer": pa.array(texts)})


def test_n_17_good_texts_are_good():
    assert notes(batch(*GOOD, None, "")) == {}


@pytest.mark.parametrize("page", ["latin-1", "cp1252"])
@pytest.mark.parametrize("text", BAD)
def test_n_17_a_text_that_was_encoded_twice_is_noticed(text, page):
    assert notes(batch("x", twice(text, page))) == {"texts of customer that look encoded twice": 1}


def test_n_17_each_text_counts_once_over_all_batches():
    bad = twice("Müller und Söhne", "cp1252")
    note = "texts of customer that look encoded twice"
    assert notes(batch(bad, None, "x"), batch("Müller"), batch(bad, bad)) == {note: 3}
    assert notes(batch("x", bad).slice(0, 1)) == {}


def test_n_17_columns_of_any_values_and_lines_that_a_server_printed():
    bad = twice("Müller", "latin-1")
    kind = pa.struct([("text", pa.string()), ("number", pa.bool_())])
    mixed = pa.array([{"text": bad, "number": False}, None], kind)
    assert notes(pa.record_batch({"any": mixed})) == {"texts of any that look encoded twice": 1}
    large = pa.record_batch({"any": pa.array(["x", bad], pa.large_string())})
    assert notes(large, large) == {"texts of any that look encoded twice": 2}
    lines = Printed(data=f"1,{bad},{bad}\n2,Müller\n".encode(), num_rows=2)
    assert notes(lines) == {"lines that look encoded twice": 1}


def test_the_beginning_of_a_batch_is_looked_at():
    bad = twice("Müller", "cp1252")
    assert notes(batch(*["x"] * 1000, bad)) == {}
    assert notes(batch(*["x"] * 999, bad, bad)) == {"texts of customer that look encoded twice": 1}
    assert notes(Printed(data=("x\n" * 40_000 + bad).encode(), num_rows=1)) == {}
    assert notes(batch(), batch(None)) == {}
