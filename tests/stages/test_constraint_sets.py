"""The catalogue of constraints: what checkers are given, evenly drawn, never contrary."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from synth.stages.parts.constraint_sets import drawn_constraint, drawn_kinds, fit
from synth.stages.parts.constraint_words import (
    END_PHRASES,
    FORBIDDEN,
    LANGUAGES,
    MARKERS,
    RARE_LETTERS,
    content_words,
)
from synth.stages.parts.constraints import CATALOGUE, Form
from tests.running import not_for_ever, question, services

TRAINS = "Explain to a traveller how a railway timetable is made for a small junction."
# What each checker is given: the ids and names are IFEval's, and rows are of no use to it without.
CHECKED = {
    "change_case:capital_word_frequency": {"capital_relation", "capital_frequency"},
    "change_case:english_capital": set(),
    "change_case:english_lowercase": set(),
    "combination:repeat_prompt": {"prompt_to_repeat"},
    "combination:two_responses": set(),
    "detectable_content:number_placeholders": {"num_placeholders"},
    "detectable_content:postscript": {"postscript_marker"},
    "detectable_format:constrained_response": set(),
    "detectable_format:json_format": set(),
    "detectable_format:multiple_sections": {"section_spliter", "num_sections"},
    "detectable_format:number_bullet_lists": {"num_bullets"},
    "detectable_format:number_highlighted_sections": {"num_highlights"},
    "detectable_format:title": set(),
    "keywords:existence": {"keywords"},
    "keywords:forbidden_words": {"forbidden_words"},
    "keywords:frequency": {"relation", "keyword", "frequency"},
    "keywords:letter_frequency": {"let_relation", "letter", "let_frequency"},
    "language:response_language": {"language"},
    "length_constraints:nth_paragraph_first_word": {
        "num_paragraphs",
        "nth_paragraph",
        "first_word",
    },
    "length_constraints:number_paragraphs": {"num_paragraphs"},
    "length_constraints:number_sentences": {"relation", "num_sentences"},
    "length_constraints:number_words": {"relation", "num_words"},
    "punctuation:no_comma": set(),
    "startend:end_checker": {"end_phrase"},
    "startend:quotation": set(),
}
# Pairs that nobody can obey, whatever the table of the stage says.
CONTRARY = [
    ("change_case:english_capital", "change_case:english_lowercase"),
    ("change_case:english_capital", "language:response_language"),
    ("change_case:english_lowercase", "change_case:capital_word_frequency"),
    ("change_case:english_lowercase", "detectable_content:postscript"),
    ("change_case:english_lowercase", "startend:end_checker"),
    ("combination:repeat_prompt", "punctuation:no_comma"),
    ("combination:repeat_prompt", "startend:quotation"),
    ("combination:two_responses", "length_constraints:number_paragraphs"),
    ("detectable_format:constrained_response", "length_constraints:number_words"),
    ("detectable_format:json_format", "combination:two_responses"),
    ("detectable_format:json_format", "detectable_format:number_bullet_lists"),
    ("detectable_format:json_format", "punctuation:no_comma"),
    ("detectable_format:json_format", "startend:end_checker"),
    ("language:response_language", "keywords:existence"),
    ("language:response_language", "startend:end_checker"),
    ("length_constraints:number_words", "length_constraints:number_sentences"),
    ("startend:end_checker", "startend:quotation"),
]


def shown(name: str, value: Any) -> list[str]:
    """Return what of an argument a reader of the sentence must find."""
    if name.endswith("relation"):
        return [{"at least": "at least", "less than": "fewer than"}[value]]
    if name == "language":
        return [LANGUAGES[value]]
    return [str(each) for each in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_constraint_has_the_arguments_of_its_checker_and_says_them(kind: str):
    rng = random.Random(kind)

    for _ in range(200):
        made = drawn_constraint(kind, TRAINS, rng)

        assert set(made.arguments) == CHECKED[kind]
        assert json.loads(json.dumps(made.as_json())) == {"id": kind, "arguments": made.arguments}
        assert "{" not in made.sentence
        said = f"{TRAINS} {made.sentence}" if kind == "combination:repeat_prompt" else made.sentence
        for name, value in made.arguments.items():
            assert all(words in said for words in shown(name, value)), (name, made.sentence)


def test_the_catalogue_is_that_of_the_checkers():
    assert set(CATALOGUE) == set(CHECKED)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_arguments_are_drawn_within_their_bounds(kind: str):
    rng = random.Random(kind)
    words = set(content_words(TRAINS))

    for _ in range(200):
        arguments = drawn_constraint(kind, TRAINS, rng).arguments

        assert any(within(form, arguments) for form in CATALOGUE[kind])
        assert words.issuperset(arguments.get("keywords", []))
        assert len(set(arguments.get("keywords", ["one"]))) in {1, 2, 3}
        assert {
            arguments.get("keyword", "railway"),
            arguments.get("first_word", "railway"),
        } <= words
        assert set(FORBIDDEN).issuperset(arguments.get("forbidden_words", []))
        assert arguments.get("nth_paragraph", 1) <= arguments.get("num_paragraphs", 1)


def within(form: Form, arguments: Any) -> bool:
    return all(
        arguments[name] in values
        for name, values in form.arguments.items()
        if isinstance(values, range | tuple)
    )


def chi_square(drawn: Counter[str]) -> float:
    expected = drawn.total() / len(CATALOGUE)
    return sum((drawn[kind] - expected) ** 2 / expected for kind in CATALOGUE)


@pytest.mark.parametrize("number", [1, 3])
async def test_the_first_constraint_is_drawn_evenly_from_the_catalogue(tmp_path: Path, number: int):
    async with services(tmp_path) as given:
        rngs = [given.rng(question(), "constraints", str(each)) for each in range(6000)]

    first = Counter(drawn_kinds(list(CATALOGUE), number, rng)[0] for rng in rngs)

    # Chi-square of 24 degrees of freedom: 42.98 at p = 0.01.
    assert chi_square(first) < 42.98


async def test_no_two_contrary_constraints_in_6000_draws(tmp_path: Path):
    async with services(tmp_path) as given:
        rngs = [given.rng(question(), "constraints", str(each)) for each in range(6000)]

    sets = [set(drawn_kinds(list(CATALOGUE), 3, rng)) for rng in rngs]

    assert all(len(drawn) == 3 for drawn in sets)
    assert not [drawn for drawn in sets for pair in CONTRARY if drawn.issuperset(pair)]


def test_every_constraint_is_drawn_beside_others():
    rng = random.Random(1)

    drawn = Counter(kind for _ in range(6000) for kind in drawn_kinds(list(CATALOGUE), 3, rng))

    assert min(drawn[kind] for kind in CATALOGUE) > 6000 * 3 / len(CATALOGUE) / 3


def test_fitting_is_mutual_and_no_constraint_fits_itself():
    for one, other in combinations(CATALOGUE, 2):
        assert fit(one, other) == fit(other, one)
    assert not any(fit(kind, kind) for kind in CATALOGUE)


def test_our_own_words_keep_every_other_constraint():
    fixed = [*END_PHRASES, *MARKERS, "My answer is yes.", "My answer is no.", "My answer is maybe."]

    for text in fixed:
        assert "," not in text
        assert not set(re.findall(r"\w+", text.lower())) & set(FORBIDDEN)
        # A letter must come up fewer than five times at the least; other words use some up.
        assert all(text.lower().count(letter) <= 2 for letter in RARE_LETTERS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Why is the sky blue?", ("blue", "sky")),
        ("Write a poem about trains and a train.", ("poem", "trains")),
        ("Name the chap of each section and step.", ("name",)),
        ("Übersetze: Äpfel, x-ray and 3rd", ("äpfel", "übersetze")),
        ("What is it? Why? 42!", ()),
        ("空はなぜ青いの", ()),
    ],
)
def test_content_words_are_whole_words_of_the_subject(text: str, words: tuple[str, ...]):
    assert content_words(text) == words


def test_content_words_of_a_long_text_take_no_longer_than_its_length():
    letters = "abcdefghij"
    words = ["".join(part) for part in product(letters, repeat=5)][:30_000]

    with not_for_ever():
        found = content_words(" ".join([*words, "abcdefgh", "z" * 40]))

    assert "abcdefgh" in found
    assert "abcde" not in found
    assert "z" * 40 not in found


def test_sentences_suit_one_word_as_well_as_three():
    kinds = ("keywords:existence", "keywords:forbidden_words")
    said = [sentence for kind in kinds for form in CATALOGUE[kind] for sentence in form.sentences]

    assert not [sentence for sentence in said if re.search(r"\b(?:these|them|words)\b", sentence)]


def test_two_sections_are_named_by_their_numbers():
    sentences = {
        drawn_constraint(
            "detectable_format:multiple_sections", "Say.", random.Random(seed)
        ).sentence
        for seed in range(60)
    }

    assert "Divide the answer into 2 sections, headed Step 1 to Step 2." in sentences
    assert not [sentence for sentence in sentences if "and so on" in sentence]
