"""Stems: those of NLTK, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.similarity.stems import stem

PORTER = pytest.importorskip("nltk.stem.porter").PorterStemmer()
PUBLISHED = {
    "caresses": "caress",
    "ponies": "poni",
    "agreed": "agre",
    "plastered": "plaster",
    "bled": "bled",
    "motoring": "motor",
    "sing": "sing",
    "conflated": "conflat",
    "hopping": "hop",
    "falling": "fall",
    "filing": "file",
    "relational": "relat",
    "vietnamization": "vietnam",
    "sensibilities": "sensibl",
    "electrical": "electr",
    "adoption": "adopt",
    "communism": "commun",
    "controlling": "control",
    "rate": "rate",
    "roll": "roll",
    "dying": "die",
    "tied": "tie",
    "enjoyed": "enjoy",
    "generalizations": "gener",
    "is": "is",
    "": "",
}
ENDINGS = (
    "ing ed ies ied ational logi alli ement ll eed yying bli ization fulli ness ousli sses ion"
)


@pytest.mark.parametrize(("word", "stemmed"), PUBLISHED.items())
def test_a_word_has_the_published_stem(word: str, stemmed: str):
    assert stem(word) == stemmed


@given(st.text("aeioyslntedgmb", max_size=10), st.sampled_from(["", *ENDINGS.split()]))
def test_stems_are_those_of_nltk(beginning: str, ending: str):
    assert stem(beginning + ending) == PORTER.stem(beginning + ending)
