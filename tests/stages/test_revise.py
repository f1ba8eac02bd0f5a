"""Replies made better: by principles, by the model's own feedback, by a verifier's reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Judgement, Message, Record, Verdict
from synth.run.boundary import leaving
from synth.stages.parts.criticism import finds_right
from synth.stages.parts.principles import SHIPPED, chosen_principles, drawn_principle
from synth.stages.revise import Revise
from tests.running import not_for_ever, saying, services

LONG = [{"length": {"min_words": 4, "as": "long"}}]


def answered(*, fails: Mapping[str, str] | None = None) -> Record:
    """Return a record with a reply, and with what verifiers, by label, failed it for."""
    turns = [Message(role="user", content="Why?"), Message(role="assistant", content="So.")]
    record = Record.seed({"domain": "physics"}, turns)
    for label, reason in (fails or {}).items():
        record = record.judged(Judgement("check", label, "length", "1", Verdict("fail", reason)))
    return record


async def revise(
    folder: Path, engine: Engine, record: Record | None = None, **options: Any
) -> list[Record]:
    """Return what the stage `better` makes of a record, its parent's row left out."""
    stage = validated(Revise, {"engine": "teacher", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    record = record or answered()
    async with services(
        folder, label="better", engines={"teacher": engine}, prompts=prompts
    ) as given:
        rows = leaving(record, await stage.apply(record, given), "better")
    return [row for row in rows if row.id != record.id or row.state != "parent"]


class Script:
    """An engine's replies by step, else numbered ones; and what it was asked, by step."""

    def __init__(self, **said: str | Completion) -> None:
        self.said = {name.replace("_", " "): reply for name, reply in said.items()}
        self.asked: dict[str, str] = {}

    @property
    def engine(self) -> ScriptedEngine:
        """The engine that speaks it."""
        return ScriptedEngine(self._reply)

    def _reply(self, prompt: Prompted, _sampling: Sampling, origin: Origin) -> str | Completion:
        assert isinstance(prompt, Chat)
        self.asked[origin.step] = prompt.messages[-1]["content"]
        if origin.step.startswith("feedback"):
            return self.said.get(origin.step, f"Fault of {origin.step}.\nVerdict: wrong")
        return self.said.get(origin.step, f"Text of {origin.step}.")


def reasons(records: list[Record]) -> list[str]:
    return [record.dropped.reason.partition(":")[0] for record in records if record.dropped]


async def test_each_of_four_steps_leaves_a_revision_made_from_the_one_before(tmp_path: Path):
    script = Script()

    made = await revise(tmp_path, script.engine)

    assert [child.reply for child in made] == [f"Text of revision {n}." for n in (1, 2, 3, 4)]
    assert [child.fields["revision"] for child in made] == [1, 2, 3, 4]
    assert {child.state for child in made} == {"live"}
    assert made[2].parents == (answered().id, made[1].id)
    assert "Text of revision 2." in script.asked["critique 3"]
    assert made[0].fields["critique"] == "Text of critique 1."
    assert made[0].fields["principle"] in script.asked["revision 1"]


async def test_only_the_last_revision_goes_on_where_the_recipe_says_so(tmp_path: Path):
    made = await revise(tmp_path, Script().engine, keep="last", revisions=3)

    assert [child.state for child in made] == ["parent", "parent", "live"]


def test_principles_are_drawn_evenly_whatever_their_order():
    drawn = Counter(drawn_principle(SHIPPED, Random(number)) for number in range(16_000))

    squares = sum((count - 1000) ** 2 / 1000 for count in drawn.values())

    assert len(drawn) == len(SHIPPED) == 16
    assert squares < 37.7  # chi-square with 15 degrees of freedom, p = 0.001
    backwards = tuple(reversed(SHIPPED))
    assert drawn_principle(SHIPPED, Random(1)) == drawn_principle(backwards, Random(1))


async def test_the_same_record_meets_the_same_principles_in_every_run(tmp_path: Path):
    (tmp_path / "again").mkdir()

    first = await revise(tmp_path, Script().engine)
    second = await revise(tmp_path / "again", Script().engine)

    assert first == second
    assert len({str(child.fields["principle"]) for child in first}) > 1


async def test_a_recipe_brings_principles_as_a_list_or_a_file(tmp_path: Path):
    (tmp_path / "ours.txt").write_text("# ours\nBe brief.\n\nBe brief.\n", "utf-8")

    listed = await revise(tmp_path, Script().engine, principles=["Be kind."], revisions=1)
    filed = await revise(tmp_path, Script().engine, principles="ours.txt", revisions=1)

    assert [child.fields["principle"] for child in (*listed, *filed)] == ["Be kind.", "Be brief."]
    assert chosen_principles(tmp_path / "ours.txt") == ("Be brief.",)


@pytest.mark.parametrize(
    ("step", "said", "reason"),
    [
        ("revision_1", " ", "empty_revision"),
        ("revision_1", Completion("Half of", finish_reason="length"), "cut_off_revision"),
        ("revision_1", "<think>Still at it", "unfinished_reasoning"),
        ("critique_1", "", "empty_critique"),
        ("critique_1", Completion("Half of", finish_reason="length"), "cut_off_critique"),
    ],
)
async def test_a_step_without_a_usable_text_is_dropped_and_tried_again_from_the_same_reply(
    step: str, said: str | Completion, reason: str, tmp_path: Path
):
    script = Script(**{step: said})

    dropped, after = await revise(tmp_path, script.engine, revisions=2)

    assert reasons([dropped]) == [reason]
    assert dropped.fields["raw_reply"] == (said.text if isinstance(said, Completion) else said)
    assert dropped.reply == "So."
    assert after.state == "live"
    assert after.parents == (answered().id,)
    assert "So." in script.asked["critique 2"]


async def test_a_failed_call_costs_its_step_alone(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        if origin.step == "revision 1":
            raise CallFailed("refused: the server said no")
        return f"Text of {origin.step}."

    lost, after = await revise(tmp_path, ScriptedEngine(reply), revisions=2)

    assert lost.dropped is not None
    assert lost.dropped.kind == "error"
    assert after.state == "live"


async def test_thinking_is_told_apart_from_the_revision(tmp_path: Path):
    script = Script(revision_1="<think>Hm.</think>Better.")

    (child,) = await revise(tmp_path, script.engine, revisions=1)

    assert child.messages[-1] == {"role": "assistant", "content": "Better.", "reasoning": "Hm."}


async def test_refining_ends_when_the_feedback_finds_the_reply_right(tmp_path: Path):
    script = Script(feedback_3="All good.\n**Verdict: right**")

    made = await revise(tmp_path, script.engine, how="refine")

    assert [child.state for child in made] == ["parent", "live"]
    assert made[-1].reply == "Text of rewrite 2."
    assert [script.asked[f"feedback {n}"].count("<earlier_reply>") for n in (1, 2, 3)] == [0, 1, 2]
    assert "Fault of feedback 1." in script.asked["feedback 3"]


async def test_a_reply_that_is_right_at_once_stays_the_record(tmp_path: Path):
    made = await revise(tmp_path, saying("Verdict: right"), how="refine")

    assert made == [answered()]


async def test_refining_gives_up_after_its_most_turns(tmp_path: Path):
    made = await revise(tmp_path, Script().engine, how="refine")

    assert [child.state for child in made] == ["parent", "parent", "parent", "live"]


async def test_feedback_that_says_neither_right_nor_wrong_is_a_dropped_child(tmp_path: Path):
    made = await revise(tmp_path, saying("Well, well."), how="refine", revisions=2)

    assert reasons(made) == ["no_verdict", "no_verdict"]
    assert {child.fields["raw_reply"] for child in made} == {"Well, well."}


async def test_a_repair_is_told_why_its_verifier_failed_the_reply_and_nothing_else(tmp_path: Path):
    record = answered(fails={"long": "too_short: 1 word", "other": "secret: not this"})
    script = Script()

    (child,) = await revise(tmp_path, script.engine, record, how="repair", failed_by=["long"])

    assert child.reply == "Text of repair 1."
    assert "too_short: 1 word" in script.asked["repair 1"]
    assert "secret" not in script.asked["repair 1"]


@pytest.mark.parametrize("record", [answered(), answered(fails={"other": "secret: not this"})])
async def test_a_record_that_was_not_failed_goes_through_unchanged(record: Record, tmp_path: Path):
    made = await revise(tmp_path, saying("x"), record, how="repair", failed_by=["long"])

    assert made == [record]


async def test_attempts_are_judged_and_the_first_that_passes_ends_it(tmp_path: Path):
    record = answered(fails={"long": "too_short: 1 word"})
    script = Script(repair_1="Two words.", repair_2="Now it has five words.")

    made = await revise(
        tmp_path, script.engine, record, how="repair", failed_by=["long"], verifiers=LONG
    )

    assert [child.state for child in made] == ["dropped", "live"]
    assert made[0].dropped is not None
    assert made[0].dropped.by == "long"
    assert [given.verdict.outcome for given in made[1].judgements] == ["pass"]
    assert made[0].dropped.reason in script.asked["repair 2"]
    assert "Two words." in script.asked["repair 2"]
    assert "repair 3" not in script.asked


async def test_a_repair_is_tried_at_most_so_many_times(tmp_path: Path):
    record = answered(fails={"long": "too_short: 1 word"})
    script = Script(repair_1="One.", repair_2="Two.", repair_3="Three.")
    options = {"how": "repair", "failed_by": ["long"], "verifiers": LONG, "revisions": 3}

    made = await revise(tmp_path, script.engine, record, **options)

    assert [child.state for child in made] == ["dropped"] * 3
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"how": "repair"}, "wants `failed_by`"),
        ({"failed_by": ["long"]}, "wants `failed_by`"),
        ({"verifiers": LONG}, "wants `failed_by`"),
        ({"how": "repair", "failed_by": ["long"], "revisions": 3}, "wants `verifiers`"),
        ({"how": "refine", "principles": ["Be kind."]}, "belongs to"),
        ({"principles": ["# nothing"]}, "at least one principle"),
        (
            {"how": "repair", "failed_by": ["a"], "verifiers": ["near_duplicates"]},
            "in order",
        ),
    ],
)
def test_options_that_do_not_suit_each_other_are_refused(
    options: dict[str, Any], message: str, tmp_path: Path
):
    with pytest.raises(ValidationError, match=message):
        validated(Revise, {"engine": "teacher", **options}, folder=tmp_path)


def test_its_identity_changes_with_a_verifier_and_with_what_a_file_says(tmp_path: Path):
    file = tmp_path / "ours.txt"
    repair = {"engine": "x", "how": "repair", "failed_by": ["long"]}

    identities: set[str] = set()
    for words in (3, 4):
        file.write_text(f"Say it in {words} words.", "utf-8")
        verifiers = [{"length": {"min_words": words}}]
        identities |= {
            validated(Revise, {**repair, "verifiers": verifiers}, folder=tmp_path).identity,
            validated(Revise, {"engine": "x", "principles": file.name}, folder=tmp_path).identity,
        }

    assert len(identities) == 4


async def test_a_record_without_a_reply_is_refused(tmp_path: Path):
    record = Record.seed({"instruction": "Why?"})

    with pytest.raises(ValueError, match="nothing_to_revise"):
        await revise(tmp_path, saying("x"), record)


async def test_a_whole_reply_in_place_of_a_cut_one_says_so(tmp_path: Path):
    record = Record.seed({"finish_reason": "length"}, answered().messages)

    (child,) = await revise(tmp_path, Script().engine, record, revisions=1)

    assert child.fields["finish_reason"] == "stop"


@pytest.mark.parametrize("how", ["principles", "refine"])
async def test_a_reply_that_a_step_finds_as_good_as_it_was_is_not_lost(how: str, tmp_path: Path):
    script = Script(revision_1=" So.\n", rewrite_1="So.")

    (child,) = await revise(tmp_path, script.engine, how=how, revisions=1)

    assert (child.state, child.reply) == ("live", "So.")


async def test_a_repair_that_changes_nothing_is_a_dropped_child(tmp_path: Path):
    record = answered(fails={"long": "too_short: 1 word"})
    script = Script(repair_1=" So.\n")

    made = await revise(tmp_path, script.engine, record, how="repair", failed_by=["long"])

    assert reasons(made) == ["unchanged_revision"]


async def test_a_reply_that_calls_tools_is_refused(tmp_path: Path):
    call = {"id": "1", "function": {"name": "look", "arguments": "{}"}}
    said = Message(role="assistant", content="I look.", tool_calls=[call])
    record = Record.seed({}, [Message(role="user", content="Why?"), said])

    with pytest.raises(ValueError, match="nothing_to_revise: the reply calls tools"):
        await revise(tmp_path, saying("x"), record)


def test_the_most_steps_are_the_published_ones(tmp_path: Path):
    repair = {"how": "repair", "failed_by": ["long"], "verifiers": LONG}
    given = ({}, {"how": "refine"}, repair, {**repair, "revisions": 3})

    stages = [validated(Revise, {"engine": "x", **one}, folder=tmp_path) for one in given]

    assert [stage.revisions for stage in stages] == [4, 4, 10, 3]


def test_a_verdict_is_looked_for_in_long_white_space_in_no_time():
    text = "\n" * 300_000 + "**Verdict**:\n\n right" + " " * 300_000

    with not_for_ever():
        assert finds_right(text)
