"""Overlap: coverage by n-grams, and any eight words, against what a few lines of Python say."""

from __future__ import annotations

import importlib
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.plugins import find
from synth.similarity.reading import Reading

_HOME = find("verifiers", "decontaminate").cls.__module__.rpartition(".")[0]
benchmarks: Any = importlib.import_module(f"{_HOME}.benchmarks")
looking: Any = importlib.import_module(f"{_HOME}.looking")
AnyEight, Coverage, Substring = looking.AnyEight, looking.Coverage, looking.Substring

WORDS = [
    *("the", "of", "a", "in", "x", "foo", "Bar", "naïve", "größe", "数", "字", "c++", "1.5"),
    *("don't", "—", "|", "İ", "ß", "ﬁ", "e\u0301", "a\u200bb", "\x00"),
]
texts = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
parts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map("\n".join)


def of(*some: str) -> list[Any]:
    return [benchmarks.Item("quiz", str(number), (text,)) for number, text in enumerate(some)]


def hits(way: Any, *some: str) -> list[dict[int, float]]:
    """Return for each text the scores of the items that it holds something of."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for place, hit in way.hits(some):
        found[place][hit.item] = hit.score
    return [found[place] for place in range(len(some))]


def coverage(part: str, text: str, n: int) -> float:
    """Return the share of the part's words, between white space, that lie in shared n-grams."""
    reading = Reading(ngram=n)
    units, others = reading.plain(part).split(), reading.plain(text).split()
    if units[0].startswith("\uffff"):  # a text without words, as it stands
        return 0.0
    size = min(n, len(units))
    grams = {tuple(others[at : at + size]) for at in range(len(others) - size + 1)}
    covered = [False] * len(units)
    for at in range(len(units) - size + 1):
        if tuple(units[at : at + size]) in grams:
            covered[at : at + size] = [True] * size
    return _share(part, covered, covered_gaps(units, grams, size), reading)


def covered_gaps(units: list[str], grams: set[tuple[str, ...]], size: int) -> list[bool]:
    """Tell for each unit whether an n-gram holds it and the one after it."""
    runs = [at for at in range(len(units) - size + 1) if tuple(units[at : at + size]) in grams]
    return [any(at <= place < at + size - 1 for at in runs) for place in range(len(units))]


def _share(part: str, there: list[bool], gaps: list[bool], reading: Reading) -> float:
    """Return the share of words; one that is read over is there if those around it are."""
    held, whole, waiting, at = 0.0, 0.0, 0, 0
    for word in part.split():
        units = reading.plain(word).split()
        if units[0].startswith("\uffff"):
            waiting += 1 if at else 0
            continue
        if at:
            whole += waiting
            held += waiting * gaps[at - 1]
        each = 1.0 if any(unit in "数字" for unit in units) else 1 / len(units)
        whole += each * len(units)
        held += each * sum(there[at : at + len(units)])
        at, waiting = at + len(units), 0
    return held / whole if at == len(there) else sum(there) / len(there)


@settings(max_examples=60, deadline=None)  # the first one may have to compile
@given(
    st.lists(parts, min_size=1, max_size=4),
    st.lists(texts, min_size=1, max_size=4),
    st.integers(2, 5),
)
def test_coverage_is_what_plain_python_says(some: list[str], asked: list[str], n: int):
    found = hits(Coverage(of(*some), n, 0.0, least=1), *asked)

    for text, scores in zip(asked, found, strict=True):
        wanted = [coverage(part, text, n) for part in some]
        assert [scores.get(item, 0.0) for item in range(len(some))] == pytest.approx(wanted)


@settings(max_examples=60, deadline=None)  # the first one may have to compile
@given(st.data())
def test_eights_are_those_that_splitting_at_white_space_gives(data: st.DataObject):
    some = data.draw(st.lists(parts, min_size=1, max_size=4))
    part = data.draw(st.sampled_from(some))
    change = data.draw(st.sampled_from([str.upper, str.lower, str.title, str]))
    frame = [data.draw(texts), change(part), data.draw(texts)]
    text = "\n".join(frame)

    [found] = hits(AnyEight(of(*some)), text)

    assert set(found) == {n for n, part in enumerate(some) if eights(part) & eights(text)}


def eights(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + 8]) for at in range(len(words) - 7)}


@settings(max_examples=60, deadline=None)  # the first one may have to compile
@given(parts, texts, texts)
def test_a_part_between_other_words_is_a_substring_of_them(part: str, before: str, after: str):
    read = Reading()
    plain = f" {read.plain(part)} "
    text = f"{before} {part.upper()} {after}"

    [found] = hits(Substring(of(part), least=1), text)

    assert bool(found) == (plain in f" {read.plain(text)} " and "\uffff" not in plain)


def test_punctuation_alone_is_found_by_s1_and_means_nothing_to_the_others():
    part = "( ) [ ] { } , ;"

    assert hits(AnyEight(of(part)), f"a {part} b") == [{0: 1.0}]
    assert hits(Coverage(of(part), 8, 0.0, least=4), f"a {part} b") == [{}]


def test_a_word_that_is_read_as_two_weighs_one():
    found = hits(Coverage(of("a b c d 1.5 2.5"), 2, 0.0, least=1), "a b c d", "1.5 2.5")

    assert found == [{0: pytest.approx(4 / 6)}, {0: pytest.approx(2 / 6)}]


def test_a_word_of_marks_counts_between_two_words_that_are_there():
    found = hits(Coverage(of("> a == b == c d <"), 2, 0.0, least=1), "a b", "b c d", "a b c d")

    assert found == [{0: pytest.approx(3 / 6)}, {0: pytest.approx(4 / 6)}, {0: 1.0}]


def test_a_character_weighs_as_much_as_a_word_where_there_are_no_spaces():
    found = hits(Coverage(of("用Python写一个 function"), 2, 0.0, least=1), "写一个", "python写")

    assert found == [{0: pytest.approx(3 / 6)}, {0: pytest.approx(2 / 6)}]


def test_texts_that_hold_nothing_cost_nothing_in_the_answer():
    assert list(Coverage(of("a b c d"), 2, 0.0, least=1).hits(["x y", "", "a"])) == []
