"""What becomes of a prompt when several models answer it and one judges the answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.stages.feedback import Feedback
from synth.stages.parts.aspects import SHIPPED
from tests.running import question, saying, services

NAMES = ("a", "b", "c", "d")
ONE_ASPECT = ("helpfulness",)
ANSWER = re.compile(r'<answer number="\d+">\n(.*?)\n</answer>', re.DOTALL)
Judging = Callable[[str, Origin], str | Completion]


def shown_to(prompt: Prompted) -> str:
    assert isinstance(prompt, Chat)
    return prompt.messages[-1]["content"]


def judge_by(say: Judging) -> ScriptedEngine:
    """Return an engine that judges what `say` makes of the prompt's text and the origin."""
    return ScriptedEngine(lambda prompt, _sampling, origin: say(shown_to(prompt), origin))


def rating_each(rate: Callable[[str], str]) -> ScriptedEngine:
    """Return a judge that rates each answer by its text, wherever it is shown."""

    def say(prompt: str, origin: Origin) -> str:
        blocks = [
            f"Answer {place}\nRationale: it says {answer}\nRating: {rate(answer)}"
            for place, answer in enumerate(ANSWER.findall(prompt), 1)
        ]
        return "\n\n".join(blocks)

    return judge_by(say)


async def feedback(
    folder: Path,
    judge: ScriptedEngine,
    *,
    record: Record | None = None,
    answers: dict[str, Any] | None = None,
    **options: Any,
) -> list[Record]:
    """Return what the stage makes of a record; engine `a` answers "answer a", unless told."""
    answers = answers or {name: saying(f"answer {name}") for name in NAMES}
    options = {"judge": "judge", "engines": tuple(answers), "aspects": ONE_ASPECT} | options
    stage = Feedback.model_validate(options)
    engines = {**answers, "judge": judge}
    prompts = Feedback.default_prompts
    async with services(folder, label="feedback", engines=engines, prompts=prompts) as given:
        return list(await stage.apply(record or question(), given))


def told(children: list[Record], name: str) -> list[Any]:
    return [child.fields.get(name) for child in children]


STARS = {"answer a": "3", "answer b": "5", "answer c": "1", "answer d": "3"}


async def test_each_rating_returns_to_the_answer_it_was_given_for(tmp_path: Path):
    children = await feedback(tmp_path, rating_each(STARS.__getitem__), rationales=True)

    assert told(children, "expert") == ["a", "b", "c", "d"]
    assert told(children, "score") == [3, 5, 1, 3]
    assert told(children, "place") == ["between", "best", "worst", "between"]
    assert children[1].fields["rationales"] == {"helpfulness": ["it says answer b"]}
    assert {child.state for child in children} == {"live"}


async def test_siblings_share_all_turns_before_their_answers(tmp_path: Path):
    seed = Record.seed({"instruction": "Why is the sky blue?"})

    children = await feedback(tmp_path, rating_each(STARS.__getitem__), record=seed)

    before = {str(child.messages[:-1]) for child in children}
    assert before == {str((Message(role="user", content="Why is the sky blue?"),))}


async def test_the_shipped_aspects_are_asked_one_call_each_in_orders_of_their_own(tmp_path: Path):
    seen: dict[str, list[str]] = {}

    def say(prompt: str, origin: Origin) -> str:
        seen[origin.step] = ANSWER.findall(prompt)
        return "Answer 1\nRating: 4"

    aspects = tuple(SHIPPED)[:4]
    await feedback(tmp_path, judge_by(say), aspects=aspects)

    assert set(seen) == {f"rate {name}" for name in aspects}
    assert all(sorted(order) == sorted(STARS) for order in seen.values())
    assert len({tuple(order) for order in seen.values()}) > 1


async def test_a_missing_rating_never_enters_the_mean(tmp_path: Path):
    def say(prompt: str, origin: Origin) -> str:
        rating = "N/A" if origin.step == "rate honesty" else "4"
        places = range(1, 5)
        return "\n".join(f"Answer {place}\nRating: {rating}" for place in places)

    children = await feedback(tmp_path, judge_by(say), aspects=("honesty", "helpfulness"))

    assert told(children, "ratings") == [{"helpfulness": 4}] * 4
    assert told(children, "score") == [4] * 4


async def test_a_recipe_may_want_a_rating_by_every_aspect(tmp_path: Path):
    def say(prompt: str, origin: Origin) -> str:
        missing = 2 if origin.step == "rate honesty" else 0
        return "\n".join(
            f"Answer {place}\nRating: {'N/A' if place == missing else 4}" for place in range(1, 5)
        )

    children = await feedback(
        tmp_path, judge_by(say), aspects=("honesty", "helpfulness"), all_aspects=True
    )

    reasons = [child.dropped.reason for child in children if child.dropped]
    assert reasons == ["not_rated: no judgement can be read"]
    assert told(children, "score").count(4) == 3


async def test_each_answer_may_follow_a_principle_of_its_own(tmp_path: Path):
    asked: list[tuple[Message, ...]] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append(prompt.messages)
        return f"answer {origin.sample}"

    children = await feedback(
        tmp_path,
        rating_each(lambda _answer: "3"),
        answers={"a": ScriptedEngine(reply)},
        n=20,
        answer_principles=("Be brief.", "Be kind."),
    )

    assert {turns[0]["content"] for turns in asked} == {"Be brief.", "Be kind."}
    assert sorted(told(children, "principle")) == sorted(turns[0]["content"] for turns in asked)
    assert {child.messages[0]["role"] for child in children} == {"user"}


async def test_an_answer_without_any_rating_is_dropped_with_the_judges_words(tmp_path: Path):
    judge = rating_each(lambda answer: "N/A" if answer == "answer c" else "4")

    children = await feedback(tmp_path, judge)

    assert [child.state for child in children] == ["live", "live", "dropped", "live"]
    drop = children[2].dropped
    assert drop is not None
    assert (drop.kind, drop.reason.split(":")[0]) == ("filter", "not_rated")
    assert "Rating: N/A" in children[2].fields["raw_reply"]
    assert "score" not in children[2].fields
    assert "place" not in children[2].fields


async def test_a_cut_off_judgement_is_not_read(tmp_path: Path):
    cut = Completion("Answer 1\nRating: 5\nAnswer 2\nRating: 1", finish_reason="length")

    children = await feedback(tmp_path, saying(cut))

    assert {child.dropped.reason.split(":")[0] for child in children if child.dropped} == {
        "not_rated"
    }
    assert told(children, "raw_reply") == [cut.text] * 4


def failing(*_: Any) -> str:
    raise CallFailed("refused: too long")


async def test_a_judge_that_fails_makes_errors_and_no_scores(tmp_path: Path):
    children = await feedback(tmp_path, judge_by(failing))

    assert [child.dropped and child.dropped.kind for child in children] == ["error"] * 4
    assert told(children, "score") == [None] * 4


async def test_a_failed_call_for_one_aspect_leaves_the_others(tmp_path: Path):
    def say(prompt: str, origin: Origin) -> str:
        return failing() if origin.step == "rate honesty" else "Answer 1\nRating: 2"

    children = await feedback(
        tmp_path, judge_by(say), answers={"a": saying("x")}, aspects=("honesty", "helpfulness")
    )

    assert told(children, "ratings") == [{"helpfulness": 2}]


async def test_answers_that_failed_are_dropped_and_not_shown(tmp_path: Path):
    shown: list[str] = []
    answers = {"a": judge_by(failing), "b": saying(" "), "c": saying("fine"), "d": saying("good")}

    def say(prompt: str, origin: Origin) -> str:
        shown.extend(ANSWER.findall(prompt))
        return "Answer 1\nRating: 3\nAnswer 2\nRating: 3"

    children = await feedback(tmp_path, judge_by(say), answers=answers)

    reasons = [child.dropped.reason.split(":")[0] for child in children if child.dropped]
    assert reasons == ["refused", "empty_answer"]
    assert told(children, "expert") == ["a", "b", "c", "d"]
    assert told(children, "place") == [None, None, "equal", "equal"]
    assert sorted(shown) == ["fine", "good"]


async def test_no_judge_is_asked_where_nobody_answered(tmp_path: Path):
    judge = saying("Answer 1\nRating: 3")

    await feedback(tmp_path, judge, answers={"a": saying("")})

    assert judge.calls == 0


async def test_repeated_judgements_are_averaged_over_those_that_can_be_read(tmp_path: Path):
    said = {0: "5", 1: "N/A", 2: "3"}
    judge = judge_by(lambda _prompt, origin: f"Answer 1\nRating: {said[origin.sample]}")

    children = await feedback(tmp_path, judge, answers={"a": saying("x")}, judge_samples=3)

    assert told(children, "score") == [4]


async def test_scores_never_hold_minus_one_where_a_judgement_was_lost(tmp_path: Path):
    """Self-Rewarding's case: (5, 3, lost, 3) has its worst at 3, not at the lost one."""
    said = {"answer a": "5", "answer b": "3", "answer c": "-1", "answer d": "3"}
    judge = rating_each(said.__getitem__)

    children = await feedback(tmp_path, judge, aspects=("points",), together=False)

    assert told(children, "score") == [5, 3, None, 3]
    assert told(children, "place") == ["best", "worst", None, "between"]


async def test_a_records_own_reply_can_be_judged_alone(tmp_path: Path):
    turns = [Message(role="user", content="Hi"), Message(role="assistant", content="Hello")]
    judge = rating_each({"Hello": "4"}.__getitem__)

    (child,) = await feedback(
        tmp_path, judge, record=Record.seed({}, turns), engines=(), n=0, own=True
    )

    assert (child.reply, child.fields["score"], child.fields["place"]) == ("Hello", 4, "equal")


async def test_engines_can_be_drawn_from_a_pool_for_each_record(tmp_path: Path):
    judge = rating_each(STARS.__getitem__)

    children = await feedback(tmp_path, judge, draw=2, n=2)

    experts = told(children, "expert")
    assert len(children) == 4
    assert experts[:2] == experts[2:]
    assert len(set(experts)) == 2


async def test_records_do_not_depend_on_who_answers_first(tmp_path: Path):
    async def late(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        await asyncio.sleep(0.05)
        return "answer a"

    judge = rating_each(STARS.__getitem__)
    (tmp_path / "late").mkdir()
    quick = {name: saying(f"answer {name}") for name in NAMES}

    prompt_ones = await feedback(tmp_path, judge, answers=quick)
    late_ones = await feedback(
        tmp_path / "late", judge, answers={**quick, "a": ScriptedEngine(late)}
    )

    assert prompt_ones == late_ones


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engines": ("a", "a")}, "each of `engines` once"),
        ({"engines": ()}, "wants `engines`"),
        ({"draw": 9}, "`draw` of at most 4"),
        ({"how": "compare", "engines": ("a",)}, "two answers"),
        ({"aspects": ("helpfulnes",)}, "'helpfulness'"),
        ({"aspects": ("helpfulness", "points")}, "one scale"),
        ({"aspects": ("helpfulness", "helpfulness")}, "each aspect once"),
        ({"clamp": (0.6, 0.4)}, "rising order"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=re.escape(said)):
        Feedback.model_validate({"judge": "judge", "engines": NAMES} | options)
