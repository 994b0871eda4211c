"""Foreign text on its way to a terminal: nothing steers it, nothing is hidden, nothing is lost."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from console_foreign import Foreign, hidden_in
from etltui.domain.safe_text import safe_text, signs_of

ANY = st.text(st.characters())


@given(ANY)
@example("\x1b]52;c;cm0gLXJmIC8=\x07")
@example("\u202egpj.exe")
def test_nothing_that_steers_or_hides_is_left(text):
    assert not hidden_in(safe_text(text))
    assert not hidden_in(signs_of(text))


@given(ANY)
def test_what_is_made_harmless_stays_as_it_is(text):
    assert safe_text(safe_text(text)) == safe_text(text)
    assert signs_of(signs_of(text)) == signs_of(text)


@given(ANY)
def test_what_is_edited_keeps_its_places(text):
    assert len(signs_of(text)) == len(text)


def test_ten_thousand_texts_are_harmless():
    for text in Foreign(7).many(10_000):
        assert not hidden_in(safe_text(text))
        assert len(signs_of(text)) == len(text)


def test_letters_of_all_scripts_are_left_alone():
    for text in ("Çankırı", "नमस्ते", "שָׁלוֹם", "支店", "e\u0301", "ü\u0308\u0304"):
        assert safe_text(text) == signs_of(text) == text


def test_each_character_is_told_apart():
    assert safe_text("a\x00\x1b\x7f\x9b\u202e\ud800\u2028b") == (
        "a␀␛␡<U+009B><U+202E><U+D800><U+2028>b"
    )
    assert signs_of("a\x00\x1b\x7f\x9b\u202eb") == "a␀␛␡��b"


def test_marks_are_not_heaped_up_over_other_lines():
    heap = "a" + "\u0336" * 500
    assert sum(unicodedata.category(each) == "Mn" for each in safe_text(heap)) == 8
    assert safe_text(heap).endswith("<U+0336>")
    assert signs_of(heap).count("\u0336") == 8


def test_no_character_is_wider_on_one_terminal_than_on_another():
    assert safe_text("☎\ufe0f +91") == "☎ +91"
    assert signs_of("☎\ufe0f +91") == "☎� +91"
