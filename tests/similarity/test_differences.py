"""Small differences that change a request are named; what only sounds otherwise is not one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.similarity.differences import difference


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("A cake for 2 people", "A cake for 12 people", "numbers"),
        ("A cake for two people", "How do I bake for 12?", "numbers"),
        ("Version 1.5 of it", "Version 1.6 of it", "numbers"),
        ("A cake for 2 people", "A cake for two people", None),
        ("Shorten it to a hundred words", "Cut this down to 100 words", None),
        ("Count to 10", "Count to 10 in 2 steps", None),
        ("Foods with milk in them", "Foods without milk in them", "negation"),
        ("What should I wear there?", "What shouldn't I wear there?", "negation"),
        ("What should I wear there?", "What shouldn’t I wear there?", "negation"),
        ("It is not never late", "It is late", None),
        ("From Vienna to Budapest", "From Budapest to Vienna", "order"),
        ("Convert a JSON file to XML", "Convert an XML file to JSON", "order"),
        ("Solve 2x - 7 = 9", "Solve 2x - 9 = 7", "order"),
        ("Sort a list in Python", "In Python, sort a list", None),
        ("Turn on the alarm of my phone", "Turn off the alarm of my phone", "opposite"),
        ("How do I raise the tax?", "How do I lower the tax?", "opposite"),
        ("A haiku about snow", "A haiku about rain", "replaced"),
        ("What is the capital of Peru?", "What is the capital of Chad?", "replaced"),
        ("Write a poem on snow", "Please write me a poem about snow", None),
        ("Write a poem on snow", "Write a short poem on snow", None),
        ("How is rice cooked?", "Tell me the way to prepare rice", None),
        ("", "", None),
        ("", "a word", None),
        ("？！", "…", None),
        ("同じ", "違う", None),
    ],
)
def test_what_tells_two_texts_apart_is_named(one: str, other: str, told: str | None):
    assert difference(one, other) == told
    assert difference(other, one) == told


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("ab 1２½²n't-\x00我")), st.text(st.sampled_from("ab 1２½²n't-\x00我"))
)
def test_a_text_does_not_differ_from_itself_and_sides_do_not_matter(one: str, other: str):
    assert difference(one, one) is None
    assert difference(one, other) == difference(other, one)
