"""Gopher, C4, FineWeb: each published rule fires alone, at its number, and can be turned off."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.plugins import find
from synth.testing import VerifierContract, judge, record
from tests.verifiers.hostile import nothing_breaks

PROSE = (
    "A river begins where rain and melting snow collect and run downhill. It cuts a channel, "
    "carries sand and stones, and drops them where the land grows flat. Towns have always been "
    "built along rivers, since they give water to drink, fish to eat and an easy road for boats."
)
OFF = {
    "min_words": None,
    "min_mean_word_length": None,
    "min_stop_words": None,
    "max_duplicate_lines": None,
    "max_duplicate_line_characters": None,
    "max_duplicate_paragraphs": None,
    "max_duplicate_paragraph_characters": None,
    "max_top_ngram": {},
    "max_duplicate_ngrams": {},
}


class TestGopher(VerifierContract):
    verifier = "gopher"
    options: ClassVar = {"min_words": 10, "max_top_ngram": {"2": 0.2}}
    must_pass: ClassVar = [PROSE, PROSE[:150]]
    must_fail: ClassVar = ["Yes.", "the of " * 20, "\n".join([PROSE] * 3)]
    must_abstain: ClassVar = ["", " \n", record(None)]


class TestC4(VerifierContract):
    verifier = "c4"
    must_pass: ClassVar = [PROSE, PROSE + "\nRead more"]
    must_fail: ClassVar = ["Yes.", "Lorem ipsum dolor.", "{" + PROSE, "No mark at the end of this"]
    must_abstain: ClassVar = ["", " \n", record(None)]


class TestFineWeb(VerifierContract):
    verifier = "fineweb"
    must_pass: ClassVar = [PROSE, PROSE.replace(". ", ".\n")]
    must_fail: ClassVar = ["Yes.", "\n".join([PROSE] * 2), PROSE[:-1]]
    must_abstain: ClassVar = ["", " \n", record(None)]


def reason(verifier: str, text: str, **options: Any) -> str:
    """Return the code of the reason, "" for a pass."""
    [verdict] = judge(verifier, [text], **options)
    return verdict.reason.partition(":")[0]


def test_the_defaults_are_the_published_numbers():
    shown = {
        name: value
        for name, value in find("verifiers", "gopher").cls().model_dump().items()
        if name.startswith(("min_", "max_"))
    }

    assert shown == {
        "min_words": 50,
        "max_words": 100_000,
        "min_mean_word_length": 3,
        "max_mean_word_length": 10,
        "max_hashes": 0.1,
        "max_ellipses": 0.1,
        "max_bullet_lines": 0.9,
        "max_ellipsis_lines": 0.3,
        "min_alphabetic_words": 0.8,
        "min_stop_words": 2,
        "max_duplicate_lines": 0.3,
        "max_duplicate_paragraphs": 0.3,
        "max_duplicate_line_characters": 0.2,
        "max_duplicate_paragraph_characters": 0.2,
        "max_top_ngram": {2: 0.2, 3: 0.18, 4: 0.16},
        "max_duplicate_ngrams": {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1},
    }


@pytest.mark.parametrize(
    ("rule", "limit", "meets", "breaks"),
    [
        ("max_hashes", "hashes", "# " + "word " * 9, "# # " + "word " * 9),
        ("max_ellipses", "ellipses", "word… " + "word " * 9, "word… word… " + "word " * 9),
        ("max_bullet_lines", "bullet_lines", "a\n" + "- a b c d\n" * 9, "- a b c d\n" * 9),
        ("max_ellipsis_lines", "ellipsis_lines", "a…\n" * 3 + "a\n" * 7, "a…\n" * 4 + "a\n" * 7),
        ("min_alphabetic_words", "few_alphabetic_words", "a a a a 1", "a a a a 1 1"),
    ],
    ids=lambda value: value if "_" in value else "",
)
def test_a_number_that_equals_its_bound_passes(rule: str, limit: str, meets: str, breaks: str):
    wide = {**OFF, "max_ellipses": 1, "max_ellipsis_lines": 1}
    wide.pop(rule, None)

    assert reason("gopher", meets, **wide) == ""
    assert reason("gopher", breaks, **wide) == limit
    assert reason("gopher", breaks, **{**wide, rule: None}) == ""


def test_the_share_of_repeated_ngrams_counts_characters_once_and_no_first_occurrence():
    # ab cd ef stands twice: the second time it is 6 of 14 characters, and so are its 2-grams.
    text = "ab cd ef gh ab cd ef"

    for n in (2, 3):
        [verdict] = judge("gopher", [text], **{**OFF, "max_duplicate_ngrams": {n: 0.1}})
        assert verdict.reason.startswith(f"duplicate_{n}_grams")
        assert verdict.evidence == {"value": round(6 / 14, 4)}
    assert reason("gopher", text, **{**OFF, "max_duplicate_ngrams": {4: 0.0}}) == ""


def test_the_most_frequent_ngram_counts_by_its_longest_and_only_if_it_stands_twice():
    # `a bc` and `bc def` stand twice each; the longer one has 10 of 18 characters.
    text = "a bc def gh a bc def ij"

    [verdict] = judge("gopher", [text], **{**OFF, "max_top_ngram": {2: 0.1}})

    assert verdict.reason.startswith("top_2_gram")
    assert verdict.evidence == {"value": round(10 / 16, 4)}
    assert reason("gopher", "each word only once", **{**OFF, "max_top_ngram": {2: 0.0}}) == ""


def plainly(words: list[str], n: int) -> float:
    """Return the share of characters in repeated n-grams, word by word."""
    grams = [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
    again = {
        place
        for start, gram in enumerate(grams)
        if gram in grams[:start]
        for place in range(start, start + n)
    }
    return sum(len(words[place]) for place in again) / sum(map(len, words))


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), min_size=10, max_size=60))
def test_shares_are_those_of_a_plain_count(words: list[str]):
    for n in (5, 6, 10):
        share = plainly(words, n)

        for limit, outcome in ((share, "pass"), (share - 1e-6, "fail")):
            options = {**OFF, "max_duplicate_ngrams": {n: max(0.0, limit)}}
            [verdict] = judge("gopher", [" ".join(words)], **options)
            assert verdict.outcome == ("pass" if share == 0 else outcome)


@given(st.lists(st.sampled_from("abc"), min_size=10, max_size=40), st.integers(5, 9))
def test_a_longer_ngram_never_has_a_greater_share(words: list[str], n: int):
    assert plainly(words, n + 1) <= plainly(words, n)


def test_what_is_asked_of_ngrams_must_be_asked_of_known_sizes():
    with pytest.raises(ValidationError, match="less than or equal to 4"):
        judge("gopher", [PROSE], max_top_ngram={5: 0.1})
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        judge("gopher", [PROSE], max_duplicate_ngrams={5: 15})


def test_bad_words_are_those_of_the_file_whole_and_in_any_case(tmp_path: Path):
    (tmp_path / "bad.txt").write_text("\ufeffDarn\nwhat the heck\n\nsch*t\n")
    options = {"bad_words": tmp_path / "bad.txt", "min_sentences": 0}

    assert reason("c4", "DARN it.", **options) == "bad_word"
    assert reason("c4", "So what the Heck?", **options) == "bad_word"
    assert reason("c4", "Holy sch*t!", **options) == "bad_word"
    assert reason("c4", "She darned what the hecklers tore.", **options) == ""


def test_an_empty_file_of_bad_words_forbids_nothing(tmp_path: Path):
    (tmp_path / "bad.txt").write_text("\n \n")

    assert reason("c4", PROSE, bad_words=tmp_path / "bad.txt") == ""


def test_the_authors_code_of_fineweb_is_stricter_on_lines_that_repeat():
    lines = [f"{number}: {PROSE[:60]}" for number in range(30)]
    text = ".\n".join([*lines, lines[0]]) + "."

    assert reason("fineweb", text) == ""
    assert reason("fineweb", text, max_duplicate_line_characters=0.01) != ""


def test_the_order_of_lines_does_not_matter_for_what_repeats():
    lines = [*(f"{number}: {PROSE[:60]}." for number in range(5)), "One line again and again."] * 2
    shuffled = random.Random(1).sample(lines, len(lines))

    one, other = judge("fineweb", ["\n".join(lines), "\n".join(shuffled)])

    assert one.evidence == other.evidence
    assert one.reason.startswith("duplicate_line_characters")


@pytest.mark.parametrize("verifier", ["gopher", "c4", "fineweb"])
def test_hostile_texts_get_a_verdict_soon(verifier: str):
    nothing_breaks(verifier)


@pytest.mark.parametrize(
    ("verifier", "options"),
    [
        ("gopher", {**OFF, "max_duplicate_ngrams": dict.fromkeys(range(2, 11), 1)}),
        ("gopher", {**OFF, "max_mean_word_length": None, "max_top_ngram": {2: 1, 3: 1, 4: 1}}),
        ("c4", {"curly_brackets": True, "min_line_words": 0}),
    ],
)
def test_hostile_texts_get_a_verdict_by_the_last_rules_soon(verifier: str, options: dict[str, Any]):
    nothing_breaks(verifier, **options)
