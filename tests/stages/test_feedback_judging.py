"""How judgements are read: ratings put back, pairs in both orders, soft labels, places."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Completion, Origin
from synth.stages.parts.aspects import SHIPPED, Aspect, weighted_mean
from synth.stages.parts.comparison import Side, label_of, side_of, soft_label
from synth.stages.parts.contest import places
from synth.stages.parts.rating import Rated, put_back, ratings_in, shuffled
from synth.stages.parts.replies import MalformedError
from tests.running import saying
from tests.stages.test_feedback import feedback, judge_by, told

HELPFULNESS = SHIPPED["helpfulness"]
THREE = {name: saying(f"answer {name}") for name in ("a", "b", "c")}
SIDES = re.compile(r'<answer letter="[AB]">\n(.*?)\n</answer>', re.DOTALL)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_every_order_of_four_is_undone(order: tuple[int, ...]):
    said = {place: Rated(float(number), "") for place, number in enumerate(order, 1)}

    assert put_back(said, order) == {number: Rated(float(number), "") for number in range(4)}


def test_every_order_of_four_is_as_likely():
    rng = random.Random(7)

    seen = Counter(tuple(shuffled(range(4), rng)) for _ in range(6000))

    assert len(seen) == 24
    assert sum((count - 250) ** 2 / 250 for count in seen.values()) < 49.7  # 23 degrees, p 0.001


def numbers_in(text: str) -> dict[int, float]:
    return {place: rated.rating for place, rated in ratings_in(text, HELPFULNESS).items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Answer 1\nRationale: fine\nRating: 4\n\nAnswer 2\nRationale: bad\nRating: 1",
            {1: 4, 2: 1},
        ),
        ("Answer 1\n\n\nRationale: fine\n\n\nRating: 4\n\n\n\nAnswer 2\n\nRating: 1", {1: 4, 2: 1}),
        ("### Answer 1:\n**Rationale:** fine\n**Rating:** 4", {1: 4}),
        ("**Answer 2**\nRating: **3/5**", {2: 3}),
        ("Answer 2\nRating: 2\nAnswer 1\nRating: 5", {1: 5, 2: 2}),
        ("Answer 1\nRating: N/A\nAnswer 2\nRating: 3", {2: 3}),
        ("Answer 1\nRationale: no number\nAnswer 2\nRating: 3", {2: 3}),
        ("Answer 1\nRating: 7\nAnswer 2\nRating: -1", {}),
        ("Answer 1\nRating: 3 or 4", {}),
        ("Answer 1\nRating: 3\nAnswer 1\nRating: 4\nAnswer 2\nRating: 5", {2: 5}),
        ("Answer 1\nRationale: better than\nAnswer 2 by far.\nRating: 5", {1: 5}),
        ("All of them are good.", {}),
        ("Rating: 4", {}),
    ],
)
def test_ratings_are_read_block_by_block(text: str, found: dict[int, float]):
    assert numbers_in(text) == found


def test_a_rating_for_a_place_that_was_not_shown_goes_nowhere():
    assert put_back({1: Rated(4, ""), 9: Rated(5, "")}, [0, 1]) == {0: Rated(4, "")}


def test_weights_count_in_the_mean_of_what_is_there():
    aspects = [Aspect(name=name, description="x", weight=w) for name, w in (("p", 3), ("q", 1))]

    assert weighted_mean({"p": 5, "q": 1}, aspects) == 4
    assert weighted_mean({"q": 1}, aspects) == 1


@pytest.mark.parametrize(
    ("scores", "min_gap", "drawn", "wanted"),
    [
        ([3, 5, 1, 5], 0, None, ["between", "best", "worst", "between"]),
        ([2, 1, 1], 0, None, ["best", "worst", "between"]),
        ([4, 4], 0, None, ["equal", "equal"]),
        ([4], 0, None, ["equal"]),
        ([4, 3.5], 1, None, ["equal", "equal"]),
        ([4, 3], 1, None, ["best", "worst"]),
        ([5, 5, 4, 1], 0, 0.0, ["best", "between", "worst", "between"]),
        ([5, 5, 4, 1], 0, 0.99, ["best", "between", "between", "worst"]),
    ],
)
def test_places(scores: list[float], min_gap: float, drawn: float | None, wanted: list[str]):
    found = places(dict(enumerate(scores)), min_gap=min_gap, drawn=drawn)

    assert list(found.values()) == wanted


def letters(a: float, b: float, text: str = "A") -> Completion:
    """Return a one-word reply with the probabilities of both letters."""
    alternatives = sorted((("A", math.log(a)), ("B", math.log(b))), key=lambda pair: -pair[1])
    return Completion(text, finish_reason="length", top_logprobs=(tuple(alternatives),))


def test_a_soft_label_is_the_share_of_the_two_letters():
    assert soft_label(letters(0.6, 0.2)) == pytest.approx(0.75)


def test_spellings_of_a_letter_are_summed():
    place = ((" A", math.log(0.4)), ("A", math.log(0.2)), ("B", math.log(0.2)))

    assert soft_label(Completion("A", top_logprobs=(place,))) == pytest.approx(0.75)


def test_there_is_no_soft_label_without_a_letter_among_the_tokens():
    assert soft_label(Completion("A")) is None
    assert soft_label(Completion("A", top_logprobs=((("tie", -0.1), ("A", -3.0)),))) is None


@pytest.mark.parametrize(
    ("forth", "back", "clamp", "label"),
    [
        (Side(1.0, 0.9), Side(0.0, 0.3), None, 0.8),
        (Side(1.0, 0.9), Side(1.0, 0.7), None, 0.6),
        (Side(1.0, 0.9), Side(0.0, 0.3), (0.4, 0.6), 0.6),
        (Side(1.0), Side(0.0), None, 1.0),
        (Side(0.0), Side(1.0), None, 0.0),
        (Side(1.0), Side(1.0), None, 0.5),
        (Side(1.0), Side(0.5), None, 0.5),
        (Side(0.5), Side(0.5), None, 0.5),
    ],
)
def test_labels_of_both_orders(forth: Side, back: Side, clamp: Any, label: float):
    assert label_of(forth, back, clamp) == pytest.approx(label)


@pytest.mark.parametrize(
    ("text", "reasoning", "verdict"),
    [
        ("A", False, 1.0),
        ("(b).", False, 0.0),
        ("Better: tie", False, 0.5),
        ("A is shorter, B is right.\nBetter: B", True, 0.0),
        ("Better: A\nNo, wait.\n**Better:** B", True, 0.0),
    ],
)
def test_verdicts_are_read(text: str, reasoning: bool, verdict: float):
    assert side_of(Completion(text), reasoning=reasoning).verdict == verdict


@pytest.mark.parametrize(
    ("text", "reasoning"), [("A or B", False), ("", False), ("both", False), ("A wins", True)]
)
def test_what_names_neither_is_malformed(text: str, reasoning: bool):
    with pytest.raises(MalformedError):
        side_of(Completion(text), reasoning=reasoning)


def preferring(best_first: str) -> Any:
    """Return a judge that prefers the answer whose letter comes first in `best_first`."""

    def say(prompt: str, origin: Origin) -> str:
        first, second = (best_first.index(text[-1]) for text in SIDES.findall(prompt))
        return "A" if first < second else "B"

    return judge_by(say)


async def test_comparing_scores_by_the_mean_probability_to_win(tmp_path: Path):
    judge = preferring("bac")

    children = await feedback(tmp_path, judge, answers=THREE, how="compare")

    assert told(children, "score") == [0.5, 1, 0]
    assert told(children, "wins")[0] == {"1": 0.0, "2": 1.0}
    assert told(children, "place") == ["between", "best", "worst"]
    assert judge.calls == 6


async def test_a_judge_that_always_likes_the_first_decides_nothing(tmp_path: Path):
    children = await feedback(tmp_path, saying("A"), answers=THREE, how="compare")

    assert told(children, "score") == [0.5] * 3
    assert told(children, "place") == ["equal"] * 3


async def test_a_pair_counts_only_if_both_orders_can_be_read(tmp_path: Path):
    def say(prompt: str, origin: Origin) -> str:
        return "hm" if origin.step == "compare 1-0" else preferring_text(prompt)

    def preferring_text(prompt: str) -> str:
        first, second = SIDES.findall(prompt)
        return "A" if first < second else "B"

    children = await feedback(tmp_path, judge_by(say), answers=THREE, how="compare")

    assert told(children, "wins") == [{"2": 1.0}, {"2": 1.0}, {"0": 0.0, "1": 0.0}]


async def test_soft_labels_of_both_orders_become_the_score(tmp_path: Path):
    said = {"compare 0-1": letters(0.9, 0.1), "compare 1-0": letters(0.3, 0.7, "B")}
    two = {name: THREE[name] for name in ("a", "b")}

    children = await feedback(
        tmp_path, judge_by(lambda _prompt, origin: said[origin.step]), answers=two, how="compare"
    )

    assert told(children, "score") == [0.8, 0.2]


async def test_answers_that_no_comparison_tells_of_are_dropped_with_the_raw_text(tmp_path: Path):
    children = await feedback(tmp_path, saying("Both!"), answers=THREE, how="compare")

    assert [child.dropped and child.dropped.reason for child in children] == [
        "not_rated: no judgement can be read"
    ] * 3
    assert "Both!" in children[0].fields["raw_reply"]


async def test_an_answer_without_a_rival_is_dropped_as_such(tmp_path: Path):
    answers = {"a": saying("fine"), "b": saying("")}

    children = await feedback(tmp_path, saying("A"), answers=answers, how="compare")

    assert children[0].dropped is not None
    assert children[0].dropped.reason.startswith("not_rated: there is no other answer")


async def test_both_orders_are_held_against_one_drawn_principle(tmp_path: Path):
    seen: dict[str, str] = {}

    def say(prompt: str, origin: Origin) -> str:
        found = re.search(r"principle alone: (.*)", prompt)
        seen[origin.step] = found[1] if found else ""
        return "tie"

    await feedback(
        tmp_path, judge_by(say), answers=THREE, how="compare", principles=("Be kind.", "Be brief.")
    )

    assert set(seen.values()) <= {"Be kind.", "Be brief."}
    assert all(
        seen[f"compare {a}-{b}"] == seen[f"compare {b}-{a}"] for a, b in permutations(range(3), 2)
    )
