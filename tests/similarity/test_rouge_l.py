"""ROUGE-L as `rouge_score` has it, and pools that decide by it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq
from rouge_score.rouge_scorer import RougeScorer  # pyright: ignore[reportMissingTypeStubs]

from synth.similarity.rouge_l import Neighbour, Pool, nearest, rouge_l
from synth.similarity.words import Words, rouge_words, stemmed_words

WORDS = [
    *("write", "the", "a", "list", "of", "cat", "cats", "dog", "naïve", "größe", "数字", "C++"),
    *("3.14", "don't", "running", "Runs", "relational", "conditions", "skies", "İstanbul", "ﬁne"),
    *("K", "happily", "hopping", "agreed", "news", "generalizations", "x1s", "…", "e\u0301te"),
]


@cache
def scorer(stemmed: bool) -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=stemmed)


def reference(one: str, other: str, *, stemmed: bool = False) -> float:
    return scorer(stemmed).score(one, other)["rougeL"].fmeasure


def plain_f1(one: list[str], other: list[str]) -> float:
    """Return ROUGE-L by its definition, with the longest common subsequence of another package."""
    common = LCSseq.similarity(one, other)
    if not common:
        return 0.0
    precision, recall = common / len(other), common / len(one)
    return 2 * precision * recall / (precision + recall)


def random_text(rng: random.Random, longest: int = 40) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(0, longest)))


def changed(rng: random.Random, text: str) -> str:
    """Return a text with some of its words replaced, left out, or put elsewhere."""
    words = text.split()
    for _ in range(rng.randint(0, 1 + len(words) // 2)):
        at = rng.randrange(len(words) + 1)
        words[at : at + 1] = rng.choice([[], [rng.choice(WORDS)], ["unseen"]])
    return " ".join(words)


def alike(count: int, longest: int) -> tuple[list[str], list[str]]:
    """Return texts to hold, and texts to ask, half of which are made of the former."""
    rng = random.Random(longest)
    held = [random_text(rng, longest) for _ in range(count)]
    asked = [changed(rng, rng.choice(held)) for _ in range(count // 4)]
    return held, [*asked, *(random_text(rng, longest) for _ in asked)]


def pool_of(texts: list[str], words: Words = rouge_words) -> Pool:
    pool = Pool(words)
    for text in texts:
        pool.add(text)
    return pool


@pytest.mark.parametrize(("words", "stemmed"), [(rouge_words, False), (stemmed_words, True)])
def test_values_are_those_of_rouge_score_on_2000_random_pairs(words: Words, stemmed: bool):
    rng = random.Random(1)
    pairs = [(random_text(rng), random_text(rng)) for _ in range(2000)]

    values = [rouge_l(*pair, words=words) for pair in pairs]

    assert values == [reference(*pair, stemmed=stemmed) for pair in pairs]


@pytest.mark.parametrize("size", [63, 64, 65, 127, 128, 129, 191, 700])
def test_values_are_those_of_rouge_score_for_texts_of_any_length(size: int):
    rng = random.Random(size)
    one = " ".join(rng.choices(WORDS, k=size))

    for other in (changed(rng, one), random_text(rng, size), one, "cat dog"):
        assert rouge_l(one, other) == reference(one, other)
        assert rouge_l(other, one) == reference(other, one)


@given(st.text(), st.text())
def test_values_are_those_of_rouge_score_for_any_text(one: str, other: str):
    assert rouge_l(one, other) == reference(one, other)
    assert rouge_l(one, other, words=stemmed_words) == reference(one, other, stemmed=True)


@pytest.mark.parametrize("text", ["", "…", "数字"])
def test_a_text_without_words_is_like_nothing(text: str):
    assert rouge_words(text) == []
    assert rouge_l(text, text) == 0.0


@pytest.mark.parametrize("longest", [12, 60, 70, 130, 400])
def test_a_pool_answers_as_comparing_one_by_one_does(longest: int):
    held, asked = alike(80, longest)
    pool = pool_of(held)

    for text in asked:
        values = [plain_f1(rouge_words(text), rouge_words(other)) for other in held]

        assert pool.all(text) == values
        for threshold in (0.0, 0.4, 0.7, 1.0):
            above = (Neighbour(n, value) for n, value in enumerate(values) if value > threshold)
            assert pool.first_above(text, threshold) == next(above, None)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab c", max_size=80), max_size=8), st.floats(0, 1))
def test_what_the_bounds_rule_out_is_never_above(texts: list[str], threshold: float):
    pool = pool_of(texts)

    for text in texts:
        above = [(n, f1) for n, f1 in enumerate(pool.all(text)) if f1 > threshold]
        found = pool.first_above(text, threshold)

        assert (found and (found.number, found.f1)) == (above[0] if above else None)


def test_answers_do_not_depend_on_the_number_of_threads():
    held, asked = alike(300, 90)
    pool = pool_of(held)

    answers = [pool.first_above_each(asked, 0.6, threads=threads) for threads in (1, 2, 7, 500)]

    assert answers[1:] == answers[:-1]
    assert any(answers[0])
    assert not all(answers[0])


@pytest.mark.parametrize("size", [1, 7, 300])
def test_taking_texts_in_batches_is_taking_them_one_by_one(size: int):
    texts, _ = alike(300, 9)
    one_by_one, wanted = Pool(), list[Neighbour | None]()
    for text in texts:
        wanted.append(one_by_one.first_above(text, 0.6))
        if wanted[-1] is None:
            one_by_one.add(text)

    pool = Pool()
    found = [
        near
        for start in range(0, len(texts), size)
        for near in pool.take_each(texts[start : start + size], 0.6)
    ]

    assert found == wanted
    assert len(pool) == wanted.count(None)
    assert 50 < len(pool) < 250


def test_texts_added_between_questions_count_from_then_on():
    pool = Pool()

    answers: list[Neighbour | None] = []
    for number in range(3300):
        answers.append(pool.first_above(f"w{number} w{number + 1} w{number + 2}", 0.9))
        pool.add(f"w{number} w{number + 1} w{number + 2}")

    assert answers == [None] * 3300
    assert pool.first_above("w3298 w3299 w3300", 0.9) == Neighbour(3298, 1.0)


def test_thousands_of_texts_may_be_added_before_the_first_question():
    pool = pool_of([f"w{number} w{number + 1} w{number + 2}" for number in range(5000)])

    found = pool.first_above_each(["w0 w1 w2", "w4999 w5000 w5001"], 0.9)

    assert found == [Neighbour(0, 1.0), Neighbour(4999, 1.0)]


@pytest.mark.parametrize("ask", [lambda pool: pool.all("a b"), lambda pool: pool.take_each([], 0)])
def test_an_empty_pool_and_no_question_have_no_answers(ask: Callable[[Pool], object]):
    assert ask(Pool()) == []
    assert Pool().first_above_each(["", "a b"], 0.5) == [None, None]


def test_a_question_of_a_megabyte_is_exact():
    sentence = "the cat sat on the mat again and again "
    huge, other = sentence * 25_000, sentence * 24_000
    pool = pool_of([sentence, other])

    found = pool.first_above(huge, 0.7)

    assert found == Neighbour(1, plain_f1([""] * 225_000, [""] * 216_000))


def test_what_equals_the_threshold_is_not_above_it():
    pool = pool_of(["a b c d e f g x y z"])

    assert rouge_l("a b c d e f g x y z", "a b c d e f g 1 2 3") == 0.7
    assert pool.first_above("a b c d e f g 1 2 3", 0.7) is None
    assert pool.first_above("a b c d e f g 1 2 3", 0.69) == Neighbour(0, 0.7)


@pytest.mark.parametrize("most", [0, 1, 3, 4, 9])
def test_the_nearest_come_first_and_the_earlier_of_equal_ones(most: int):
    found = [Neighbour(3, 0.9), Neighbour(1, 0.5), Neighbour(2, 0.5), Neighbour(0, 0.1)]

    assert nearest([0.1, 0.5, 0.5, 0.9], most) == found[:most]


def test_of_nothing_nothing_is_nearest():
    assert nearest([], 3) == []


def test_a_pool_loads_the_compiler_only_when_it_is_asked():
    code = (
        "import sys; from synth.similarity.rouge_l import Pool; pool = Pool(); pool.add('a b'); "
        "print('numba' in sys.modules); pool.all('a'); print('numba' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "True"]
