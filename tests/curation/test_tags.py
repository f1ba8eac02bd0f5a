"""#InsTag's normaliser on toy tables: rare tags, spellings, meanings, associations."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.tags import (
    Normalised,
    Rules,
    associated,
    normalised,
    same_meaning,
    spelled_alike,
)
from synth.similarity.stems import stem

ROWS = [
    ("Data Model", "python"),
    ("data-model", "Python", "sorting"),
    ("data models", "python", "sorting", "rare"),
    ("creative_writing", "poem"),
    ("Creative Writing!", "Poem", "poem"),
    ("creative writing", "poem", "???"),
    ("poem",),
]


def made_alike(
    rows: Sequence[Sequence[str]] = ROWS, *, alpha: int = 1, support: int = 2
) -> Normalised:
    return normalised(rows, stem=stem, rules=Rules(alpha=alpha, support=support))


def test_the_toy_table_gives_the_exact_rows():
    made = made_alike()

    # `sorting` never stands without the two others, which hold each other: `data model` comes
    # first. `creative writing` never stands without `poem`, which stands alone once.
    assert made.rows == [
        ("data model",),
        ("data model",),
        ("data model", "rare"),
        ("poem",),
        ("poem",),
        ("poem",),
        ("poem",),
    ]


def test_what_each_tag_became_is_told_by_tag():
    made = made_alike()

    assert made.became == {
        "???": None,
        "Creative Writing!": "poem",
        "Data Model": "data model",
        "Poem": "poem",
        "Python": "data model",
        "creative writing": "poem",
        "creative_writing": "poem",
        "data models": "data model",
        "data-model": "data model",
        "poem": "poem",
        "python": "data model",
        "rare": "rare",
        "sorting": "data model",
    }
    assert list(made.became) == sorted(made.became)


def test_rare_tags_are_left_out_by_rows_as_they_were_given():
    rows = [("a", "a", "B")] * 2 + [("a", "b")]

    made = made_alike(rows, alpha=2, support=99)

    assert made.rows == [("a", "b"), ("a", "b"), ("a",)]
    assert made.became == {"B": "b", "a": "a", "b": None}


def test_the_published_numbers_are_the_defaults():
    rows = [("often", "with")] * 40 + [("rare",)] * 19 + [("with",)]

    made = normalised(rows, stem=stem)

    assert made.became == {"often": "with", "rare": None, "with": "with"}


@pytest.mark.parametrize(
    ("tags", "spelled"),
    [
        (("Data_Analysis", "data  analysis"), "data analysis"),
        (("SORTING", "sorted", "sorted"), "sorted"),
        (("C++", "c"), "c"),
        (("Straße", "strasse"), "strasse"),
        (("résumé",), "résumé"),
        (("数据 分析", "数据-分析"), "数据 分析"),
    ],
)
def test_spellings_that_differ_little_become_one(tags: tuple[str, ...], spelled: str):
    found = spelled_alike(Counter(tags), stem)

    assert found == dict.fromkeys(tags, spelled)


def test_without_a_stemmer_endings_count():
    assert spelled_alike(Counter(("Sort", "sorting")), None) == {
        "Sort": "sort",
        "sorting": "sorting",
    }


def test_a_tag_without_a_letter_or_digit_is_left_out():
    assert spelled_alike(Counter(("?!", "", " _ ", "\0")), stem) == {}


def repeated(*counted: tuple[int, str]) -> list[list[str]]:
    """Return rows: so many of each, its tags by letter."""
    return [list(tags) for count, tags in counted for _ in range(count)]


@pytest.mark.parametrize(
    ("rows", "merged"),
    [
        (repeated((40, "ab"), (10, "b")), {"a": "b"}),
        (repeated((39, "ab"), (10, "b")), {}),
        (repeated((99, "ab"), (1, "a"), (50, "b")), {"a": "b"}),
        (repeated((98, "ab"), (2, "a"), (50, "b")), {}),
        (
            repeated(
                (50, "ab"),
            ),
            {"b": "a"},
        ),
        (repeated((100, "ab"), (1, "b")), {"a": "b"}),
        (repeated((50, "abc"), (10, "bc"), (5, "c")), {"a": "c", "b": "c"}),
        (repeated((150, "abc"), (2, "c"), (1, "b")), {"a": "c", "b": "c"}),
        (repeated((60, "ab"), (60, "cb"), (5, "b")), {"a": "b", "c": "b"}),
        ([], {}),
    ],
    ids=[
        "a rule",
        "too few rows",
        "at the confidence",
        "below the confidence",
        "both ways: the first in the alphabet stays",
        "both ways: the more frequent stays",
        "a chain ends at its end",
        "the more frequent of two",
        "two tags become one",
        "nothing",
    ],
)
def test_a_tag_that_hardly_stands_alone_becomes_the_other(
    rows: list[list[str]], merged: dict[str, str]
):
    assert associated(rows) == merged


def test_rules_are_those_of_counting_every_pair():
    rng = random.Random(5)
    letters = "abcdefghij"
    rows = [sorted(set(rng.choices(letters, weights=range(1, 11), k=4))) for _ in range(400)]
    rows += [["a", "j"]] * 300 + [["b", "c", "j"]] * 200

    merged = associated(rows, support=40, confidence=0.7)

    counts = Counter(tag for row in rows for tag in row)
    assert merged
    for tag in letters:
        rules = [
            other
            for other in letters
            if (both := sum(tag in row and other in row for row in rows)) >= 40
            and both / counts[tag] >= 0.7
            and (counts[tag], other) < (counts[other], tag)
            and other != tag
        ]
        assert bool(rules) == (tag in merged)


def vectors(tags: Sequence[str]) -> list[list[float]]:
    """Return a vector for each toy tag: `math` and `maths` are near, so are `maths` and `sums`."""
    known = {
        "maths": [1.0, 0.0],
        "math": [0.97, 0.2431],
        "sums": [0.97, -0.2431],
        "zero": [0.0, 0.0],
        "nil": [0.0, 0.0],
    }
    return [known.get(tag, [0.0, 1.0 + len(tag)]) for tag in tags]


def test_tags_of_one_meaning_become_the_most_frequent_also_over_a_chain():
    counts = {"math": 5, "maths": 3, "sums": 9, "poem": 4, "zero": 1, "nil": 1}

    assert same_meaning(counts, vectors) == {"math": "sums", "maths": "sums"}
    assert same_meaning(counts, vectors, distance=0.01) == {}
    assert same_meaning({}, vectors) == {}


def test_meanings_are_merged_before_associations():
    rows = [("Maths", "proof")] * 20 + [("sums", "proof")] * 20 + [("proof",)]

    without = normalised(rows, stem=None)
    made = normalised(rows, stem=None, embed=vectors)

    assert without.became == {"Maths": "maths", "proof": "proof", "sums": "sums"}
    assert made.became == {"Maths": "proof", "proof": "proof", "sums": "proof"}


@given(
    st.lists(st.lists(st.sampled_from(["A", "a", "b", "B!", "c", "?"]), max_size=4), max_size=20),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_change_what_becomes_of_a_tag(
    rows: list[list[str]], rng: random.Random
):
    shuffled = rng.sample(rows, len(rows))

    one, other = made_alike(rows), made_alike(shuffled)

    assert one.became == other.became
    assert len(one.rows) == len(rows)
    assert made_alike(one.rows, support=10**6).rows == one.rows


def test_rows_may_be_empty():
    assert made_alike([]).rows == []
    assert made_alike([[], ["a"]]).rows == [(), ("a",)]
