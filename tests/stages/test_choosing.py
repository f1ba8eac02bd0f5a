"""Of several replies to one prompt: which stay, and what the others are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.stages.respond import Respond
from tests.running import services

FINAL_ANSWER = ["final_answer"]


def sum_of_ten() -> Record:
    asked = Message(role="user", content="What is 4 + 6?")
    return Record.seed({"answer": "10"}, [asked])


async def choose(folder: Path, replies: Sequence[str], **options: Any) -> list[Record]:
    """Return the children, child `i` having got `replies[i]`; a reply `fails` is a failed call."""

    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        if replies[origin.sample] == "fails":
            raise CallFailed("bad_request: refused")
        return replies[origin.sample]

    written = {"engine": "teacher", "n": len(replies), **options}
    stage = Respond.model_validate(written, context={"folder": folder})
    async with services(
        folder, label="draft", engines={"teacher": ScriptedEngine(reply)}, stage=stage.verifiers
    ) as given:
        return list(await stage.apply(sum_of_ten(), given))


def scoring(folder: Path, name: str, score: str) -> dict[str, Any]:
    """Write a verifier that gives this score; return how a recipe names it."""
    source = f"import synth\n@synth.verifier\ndef {name}(record):\n    return {score}\n"
    (folder / f"{name}.py").write_text(source)
    return {f"./{name}.py:{name}": {"as": name}}


def fates(children: list[Record]) -> list[str]:
    """Return `live`, or the code of the reason."""
    return [one.dropped.reason.partition(":")[0] if one.dropped else one.state for one in children]


async def test_a_prompt_within_the_band_keeps_what_passed(tmp_path: Path):
    replies = ["Answer: 10", "Answer: 11", "Answer: 12", "Answer: 13"]

    made = await choose(tmp_path, replies, verifiers=FINAL_ANSWER, pass_rate=[0.1, 0.6])

    assert fates(made) == ["live", "wrong_answer", "wrong_answer", "wrong_answer"]
    assert made[0].fields["pass_rate"] == 0.25
    assert made[1].dropped is not None
    assert made[1].dropped.kind == "verdict"


@pytest.mark.parametrize(
    ("replies", "fate"),
    [
        (["Answer: 10", "Answer: 10"], "pass_rate_too_high"),
        (["Answer: 10", "Answer: 11"], "live"),
        (["Answer: 10", "", "Answer: 11", "Answer: 12"], "live"),
        (["Answer: 10", "fails"], "pass_rate_too_high"),
        (["Answer: 10", *["Answer: 11"] * 9], "live"),
        (["Answer: 10", *["Answer: 11"] * 10], "pass_rate_too_low"),
    ],
)
async def test_both_ends_of_the_band_belong_to_it_and_failed_calls_do_not_count(
    replies: list[str], fate: str, tmp_path: Path
):
    made = await choose(tmp_path, replies, verifiers=FINAL_ANSWER, pass_rate=[0.1, 0.6])

    assert fates(made)[0] == fate


async def test_a_reason_says_how_many_passed(tmp_path: Path):
    made = await choose(tmp_path, ["Answer: 10"] * 2, verifiers=FINAL_ANSWER, pass_rate=[0.1, 0.6])

    assert made[0].dropped is not None
    assert made[0].dropped.by == "draft"
    assert made[0].dropped.reason == (
        "pass_rate_too_high: 2 of 2 replies pass, wants a share of 0.1 to 0.6"
    )


async def test_the_most_frequent_answer_stays_however_it_is_written(tmp_path: Path):
    replies = ["Answer: 11", "Answer: 10.0", r"\boxed{10}", "No idea.", "#### 10 apples"]

    made = await choose(tmp_path, replies, vote=True)

    assert fates(made) == ["minority_answer", "live", "live", "no_answer", "live"]
    assert {one.fields["final_answer"] for one in made if one.state == "live"} == {"10"}
    assert made[1].fields["agreement"] == 0.75


@pytest.mark.parametrize(
    ("replies", "agreement"),
    [
        (["Answer: 1", "Answer: 2"], 0.0),
        (["Answer: 1", "Answer: 1", "Answer: 2"], 0.7),
    ],
)
async def test_a_tie_or_too_few_that_agree_is_no_majority(
    replies: list[str], agreement: float, tmp_path: Path
):
    made = await choose(tmp_path, replies, vote=True, agreement=agreement)

    assert set(fates(made)) == {"no_majority"}


@pytest.mark.parametrize(
    ("replies", "agreement", "reason"),
    [
        (["Answer: 1", "Answer: 2"], 0.0, "no_majority: 50% for '1', and as many for another"),
        (["Answer: 1"] * 2 + ["Answer: 2"], 0.7, "no_majority: 67% for '1', wants 70%"),
    ],
)
async def test_the_reason_tells_a_tie_from_too_few(
    replies: list[str], agreement: float, reason: str, tmp_path: Path
):
    made = await choose(tmp_path, replies, vote=True, agreement=agreement)

    assert made[0].dropped is not None
    assert made[0].dropped.reason == reason


async def test_replies_without_an_answer_have_no_vote(tmp_path: Path):
    made = await choose(tmp_path, ["Hm.", "Hm.", "Answer: 3"], vote=True, agreement=1.0)

    assert fates(made) == ["no_answer", "no_answer", "live"]


async def test_only_the_best_by_a_score_stays_and_the_first_of_equals(tmp_path: Path):
    long = scoring(tmp_path, "long", "len(record.reply)")
    replies = ["short", "the longest", "a longest 1", "", "fails"]

    made = await choose(tmp_path, replies, verifiers=[long], best_by="long")

    assert fates(made) == ["not_best", "live", "not_best", "empty_reply", "bad_request"]
    assert made[0].dropped is not None
    assert made[0].dropped.reason == "not_best: 'long' gives 5, the best reply 11"


async def test_a_reply_without_a_score_is_not_the_best(tmp_path: Path):
    odd = scoring(tmp_path, "odd", "len(record.reply) if 'x' in record.reply else None")

    made = await choose(tmp_path, ["a very long one", "x"], verifiers=[odd], best_by="odd")

    assert fates(made) == ["no_score", "live"]


async def test_the_verdicts_stay_on_the_replies(tmp_path: Path):
    made = await choose(tmp_path, ["Answer: 10", "Answer: 11"], verifiers=FINAL_ANSWER)

    assert [one.judgements[0].verdict.outcome for one in made] == ["pass", "fail"]
    assert {one.judgements[0].stage for one in made} == {"draft"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 1, "vote": True}, "`vote` wants `n` of at least 2"),
        ({"n": 4, "agreement": 0.5}, "`agreement` wants `vote: true`"),
        ({"n": 4, "pass_rate": [0.1, 0.6]}, "`pass_rate` wants `verifiers`"),
        (
            {"n": 4, "pass_rate": [0.6, 0.1], "verifiers": FINAL_ANSWER},
            "two shares in rising order",
        ),
        ({"n": 4, "best_by": "reward", "verifiers": FINAL_ANSWER}, r"`best_by`.*final_answer"),
        ({"n": 4, "verifiers": ["near_duplicates"]}, "judges records in order"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        Respond.model_validate({"engine": "teacher", **options}, context={"folder": Path()})
