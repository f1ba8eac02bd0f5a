"""Kernels read a text as the regular expressions do, in every script."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synth.similarity.reading import Reading
from synth.similarity.shingles import Shingles, shingled
from synth.similarity.units import Slices
from synth.testing import hostile_texts

READINGS = [
    Reading(unit=unit, ignore_case=case, ignore_punctuation=marks, normal_form=form)
    for unit, case, marks, form in product(
        ("words", "characters"), (True, False), (True, False), ("NFKC", None)
    )
]
ODD = (
    "aB9_ \t\x00\x1f.,-'ßİŉÄäéＡ１ﬁ½“”。、　我们日本ヘ\u3099ก็สวัสดี각\u1100\u1161\u11a8का❤\ufe0f"
    "\u0301\u200b\U0001f600\U00020000\U0002f800𐐀"
)
EACH = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
TEXTS = st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=30)


def slices(*texts: str) -> Slices:
    encoded = [text.encode() for text in texts]
    borders = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return Slices(np.frombuffer(b"".join(encoded), np.uint8), borders[:-1], borders[1:])


def read(reading: Reading, *texts: str) -> Shingles:
    return shingled(slices(*texts), reading)


def numbers(found: Shingles, text: int) -> list[int]:
    start, count = found.starts[text], found.counts[text]
    return found.numbers[start : start + count].tolist()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(READINGS), TEXTS)
@example(READINGS[0], "\u3000。")
@example(READINGS[0], "각")
def test_a_text_reads_like_its_plain_form(reading: Reading, text: str):
    plain = reading.plain(text)
    again = Reading(
        unit=reading.unit, ignore_case=False, ignore_punctuation=False, normal_form=None
    )
    if "\uffff" in plain:
        return

    found, wanted = read(reading, text), read(again, plain)

    assert numbers(found, 0) == numbers(wanted, 0)
    assert (found.counts[0] == 0) == (not text.strip())


def in_a_word(character: str) -> bool:
    """Return whether it is a letter, a digit, an underscore, or a mark that changes the word."""
    selects_a_look = "\ufe00" <= character <= "\ufe0f"
    on_a_letter = unicodedata.category(character) in {"Mn", "Mc"} and character < "\U00010000"
    return character.isalnum() or character == "_" or (on_a_letter and not selects_a_look)


def words_of(text: str) -> list[str]:
    """Return words, and each character of scripts that put no spaces between them."""
    parts = re.split(f"([{EACH}])", text)
    parts[::2] = ["".join(one if in_a_word(one) else " " for one in part) for part in parts[::2]]
    return [word for part in parts for word in part.split(" ") if word]


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_words_are_letters_and_their_marks(text: str):
    words = words_of(text.casefold())
    reading = Reading(ngram=1, normal_form=None)

    found = read(reading, text, *words)

    if words:
        alone = [numbers(found, place + 1)[0] for place in range(len(words))]
        assert numbers(found, 0) == list(dict.fromkeys(alone))


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize(
    ("one", "other"),
    [("लड़का", "लड़की"), ("কর", "কার"), ("கல்", "கல"), ("שִׁיר", "שׁוּר")],
    ids=["Hindi", "Bengali", "Tamil", "pointed Hebrew"],
)
def test_vowel_signs_make_another_word(one: str, other: str, unit: Literal["words", "characters"]):
    found = read(Reading(unit=unit), f"{one} {one}", f"{other} {other}")

    assert len({*found.keys.tolist()}) == 2


def test_how_an_emoji_shall_look_is_no_word():
    found = read(Reading(), "fine ❤️", "fine ✈️", "fine", "❤️", "✈️")

    assert numbers(found, 0) == numbers(found, 1) == numbers(found, 2)
    assert numbers(found, 3) != numbers(found, 4)


def test_shingles_are_the_distinct_runs_of_words():
    words = ["to", "be", "or", "not", "to", "be", "or", "not", "to", "do"]
    runs = [" ".join(words[start : start + 3]) for start in range(8)]

    found = read(Reading(ngram=3), " ".join(words), *runs)

    wanted = [numbers(found, place + 1)[0] for place in range(8)]
    assert numbers(found, 0) == list(dict.fromkeys(wanted))
    assert found.counts[0] == 5


def test_a_text_of_fewer_words_than_a_shingle_is_one_whole():
    found = read(Reading(), "Who am I?", "who am i", "who am", "am I who")

    assert found.counts.tolist() == [1, 1, 1, 1]
    assert numbers(found, 0) == numbers(found, 1)
    assert len({*map(tuple, (numbers(found, text) for text in (0, 2, 3)))}) == 3


@pytest.mark.parametrize("blank", ["", " ", "\n\t\x1c ", "\u3000\u00a0"])
def test_a_blank_text_has_no_shingles_and_no_key(blank: str):
    found = read(Reading(), "before", blank, "after")

    assert found.counts.tolist() == [1, 0, 1]
    assert found.keys[1] == 0


@pytest.mark.parametrize(
    ("one", "other"), [("!!!", "???"), ("。。", "。"), ("!", "。"), ("。 。", "。。")]
)
def test_texts_without_words_are_compared_as_they_stand(one: str, other: str):
    found = read(Reading(), one, f" {one}\n", other)

    assert numbers(found, 0) == numbers(found, 1)
    assert numbers(found, 0) != numbers(found, 2)


@pytest.mark.parametrize("ngram", [1, 2, 5])
def test_texts_without_words_share_no_characters_either(ngram: int):
    reading = Reading(ngram=ngram, unit="characters")

    found = read(reading, "🎉🎉🎉", "👍👍", "🎉🎉🎉 ", "!!!", "‼!")

    assert found.counts.tolist() == [1] * 5
    assert numbers(found, 0) == numbers(found, 2)
    assert len({numbers(found, text)[0] for text in range(5)}) == 4


def test_keys_are_equal_for_the_same_units_in_the_same_order():
    found = read(Reading(ngram=1), "a b c", "A, b c.", "c b a", "a b c c")

    assert found.keys[0] == found.keys[1]
    assert len(set(found.keys.tolist())) == 3


@pytest.mark.parametrize("reading", READINGS[::3], ids=str)
def test_hostile_texts_are_read_the_same_alone_and_beside_others(reading: Reading):
    texts = list(hostile_texts().values())

    together = read(reading, *texts)

    for place, text in enumerate(texts):
        assert numbers(together, place) == numbers(read(reading, text), 0)


@pytest.mark.parametrize(
    "broken",
    [b"\xff", b"a\xc3", b"\xe2\x82", b"\xc1\xa1", b"\xe0\x81\xa1", b"\xf5\x80\x80\x80"],
)
def test_bytes_that_are_no_utf8_are_replaced(broken: bytes):
    data = np.frombuffer(b"one two " + broken + b"three", np.uint8)
    borders = np.array([0, len(data)], np.int64)
    reading = Reading(ngram=1)

    found = shingled(Slices(data, borders[:-1], borders[1:]), reading)

    wanted = read(reading, data.tobytes().decode("utf-8", "replace"))
    assert numbers(found, 0) == numbers(wanted, 0)


def test_an_ngram_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Reading(ngram=0)
