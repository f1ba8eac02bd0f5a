"""What follows from verdicts: order, labels, policies; and that no verdict is given twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.scripted import ScriptedEngine
from synth.errors import EngineDown
from synth.record import Record
from synth.stages.verify import Verify
from synth.testing import records
from tests.running import saying, services, verify_all

PLUGIN = Path(__file__).with_name("plugin.py").read_text("utf-8")


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    (tmp_path / "plugin.py").write_text(PLUGIN, "utf-8")
    return tmp_path


async def verified(
    folder: Path, verifiers: Sequence[Any], replies: Sequence[str], **engines: ScriptedEngine
) -> list[Record]:
    """Return what a stage `check` with these verifiers makes of replies."""
    stage = verify_all(verifiers, folder)
    async with services(folder, label="check", engines=engines, stage=stage) as given:
        became = await stage.apply_batch(records(replies), given)
    assert all(len(outcomes) == 1 for outcomes in became)
    return [outcomes[0] for outcomes in became]


def given(judged: Record) -> list[tuple[str, str]]:
    return [(judgement.label, judgement.verdict.outcome) for judgement in judged.judgements]


async def test_verifiers_judge_in_the_order_written_and_a_drop_ends_it(tmp_path: Path):
    at_least, at_most = {"min_words": 2, "as": "long"}, {"max_words": 3, "as": "short"}

    one, three, five = await verified(
        tmp_path, [{"length": at_least}, {"length": at_most}], ["a", "a b c", "a b c d e"]
    )

    assert given(one) == [("long", "fail")]
    assert given(three) == [("long", "pass"), ("short", "pass")]
    assert given(five) == [("long", "pass"), ("short", "fail")]
    assert [judged.state for judged in (one, three, five)] == ["dropped", "live", "dropped"]


async def test_a_drop_is_by_the_label_and_keeps_the_reason(plugins: Path):
    (dropped,) = await verified(plugins, [{"./plugin.py:Worded": {"as": "long"}}], ["fail"])

    assert dropped.dropped is not None
    assert (dropped.dropped.kind, dropped.dropped.by) == ("verdict", "long")
    assert dropped.dropped.reason == "worded: the reply says so"


async def test_a_judgement_names_stage_label_verifier_and_version(plugins: Path):
    (judged,) = await verified(plugins, [{"./plugin.py:Worded": {"as": "long"}}], ["pass"])

    (judgement,) = judged.judgements
    assert (judgement.stage, judgement.label, judgement.verifier) == ("check", "long", "worded")
    assert judgement.version == "1"


@pytest.mark.parametrize(
    ("reply", "policies", "state", "kind"),
    [
        ("pass", {}, "live", None),
        ("fail", {}, "dropped", "verdict"),
        ("fail", {"on_fail": "keep"}, "live", None),
        ("abstain", {}, "live", None),
        ("abstain", {"on_abstain": "drop"}, "dropped", "filter"),
        ("abstain", {"on_abstain": "hold"}, "held", "filter"),
        ("break", {}, "held", "error"),
        ("break", {"on_error": "drop"}, "dropped", "error"),
        ("break", {"on_fail": "keep", "on_abstain": "keep"}, "held", "error"),
    ],
)
async def test_what_follows_from_a_verdict_is_the_recipes_choice(
    plugins: Path, reply: str, policies: dict[str, str], state: str, kind: str | None
):
    (judged,) = await verified(plugins, [{"./plugin.py:Worded": policies}], [reply])

    assert judged.state == state
    assert (judged.dropped.kind if judged.dropped else None) == kind
    assert len(judged.judgements) == 1


async def test_one_record_that_breaks_a_verifier_voids_no_other(plugins: Path):
    replies = ["pass", "fail", "break", "pass", "abstain", "pass"]

    judged = await verified(plugins, ["./plugin.py:Worded"], replies)

    assert [given(one)[0] for one in judged] == [
        ("Worded", {"break": "error"}.get(reply, reply)) for reply in replies
    ]
    assert "KeyError" in judged[2].judgements[0].verdict.reason


async def test_a_held_record_is_judged_no_further(plugins: Path):
    verifiers = ["./plugin.py:Worded", {"length": {"min_words": 1}}]

    (held,) = await verified(plugins, verifiers, ["break"])

    assert given(held) == [("Worded", "error")]


async def test_a_model_verifier_that_fails_for_one_record_errs_on_that_one(plugins: Path):
    def say(prompt: Any, sampling: Any, origin: Any) -> str:
        if prompt.messages[-1]["content"] == "bad":
            raise ValueError("no such thing")
        return "yes"

    replies = ["good", "bad", "fine", "ok", "well"]
    judged = await verified(plugins, ["./plugin.py:Asking"], replies, judge=ScriptedEngine(say))

    outcomes = [one.judgements[0].verdict.outcome for one in judged]
    assert outcomes == ["pass", "error", "pass", "pass", "pass"]
    assert "no such thing" in judged[1].judgements[0].verdict.reason
    assert judged[1].state == "held"


async def test_an_outage_of_a_judge_is_no_verdict(plugins: Path):
    def say(prompt: Any, sampling: Any, origin: Any) -> str:
        raise EngineDown("nobody answers")

    with pytest.raises(EngineDown):
        await verified(plugins, ["./plugin.py:Asking"], ["good"], judge=ScriptedEngine(say))


async def test_no_record_is_judged_twice(plugins: Path):
    judge = saying("yes")
    first = await verified(plugins, ["./plugin.py:Asking"], ["a", "b", "c"], judge=judge)
    nobody = saying("no")

    again = await verified(plugins, ["./plugin.py:Asking"], ["a", "b", "c"], judge=nobody)

    assert again == first
    assert (judge.calls, nobody.calls) == (3, 0)


async def test_an_option_that_changes_has_everything_judged_again(plugins: Path):
    await verified(plugins, ["./plugin.py:Asking"], ["a"], judge=saying("yes"))

    (judged,) = await verified(
        plugins, [{"./plugin.py:Asking": {"batch_size": 4}}], ["b"], judge=saying("no")
    )

    assert judged.state == "dropped"


async def test_an_error_is_not_kept_and_gets_another_chance(plugins: Path):
    def fail(prompt: Any, sampling: Any, origin: Any) -> str:
        raise ValueError("a bad day")

    await verified(plugins, ["./plugin.py:Asking"], ["a"], judge=ScriptedEngine(fail))

    (judged,) = await verified(plugins, ["./plugin.py:Asking"], ["a"], judge=saying("yes"))

    assert judged.state == "live"


def identities(folder: Path, *verifiers: Any) -> str:
    return verify_all(verifiers, folder).identity


@pytest.mark.parametrize(
    "changed",
    [
        {"length": {"min_words": 3}},
        {"length": {"min_words": 2, "as": "long"}},
        {"length": {"min_words": 2, "on_fail": "keep"}},
        {"length": {"min_words": 2, "on_abstain": "hold"}},
        {"length": {"min_words": 2, "on_error": "drop"}},
        "repetition",
    ],
)
def test_what_changes_an_outcome_changes_the_identity(tmp_path: Path, changed: Any):
    before = identities(tmp_path, {"length": {"min_words": 2}})

    assert identities(tmp_path, changed) != before


def test_what_says_the_same_leaves_the_identity(tmp_path: Path):
    before = identities(tmp_path, {"length": {"min_words": 2, "max_words": 9}})

    same = {"length": {"on_fail": "drop", "max_words": 9, "min_words": 2, "as": "length"}}
    assert identities(tmp_path, same) == before
    limits = Verify.model_validate({"verifiers": [same], "timeout_s": 5, "memory_mb": 512})
    assert limits.identity == before


def test_the_order_of_verifiers_is_part_of_the_identity(tmp_path: Path):
    there = identities(tmp_path, "repetition", "refusal")

    assert identities(tmp_path, "refusal", "repetition") != there


def test_a_file_that_an_option_names_is_part_of_the_identity(plugins: Path):
    (plugins / "words.txt").write_text("bad worse")
    before = identities(plugins, {"./plugin.py:Listed": {"words": "words.txt"}})
    (plugins / "words.txt").write_text("bad worst")

    assert identities(plugins, {"./plugin.py:Listed": {"words": "words.txt"}}) != before


def test_a_file_that_a_verifier_names_is_part_of_the_identity(plugins: Path):
    (plugins / "rules.txt").write_text("one")
    before = identities(plugins, "./plugin.py:Filed")
    (plugins / "rules.txt").write_text("two")

    assert identities(plugins, "./plugin.py:Filed") != before


def test_a_verifiers_own_code_is_part_of_the_identity(plugins: Path):
    before = identities(plugins, "./plugin.py:Worded")
    (plugins / "plugin.py").write_text(PLUGIN + "\n", "utf-8")

    assert identities(plugins, "./plugin.py:Worded") != before


async def test_verdicts_of_a_changed_file_are_given_anew(plugins: Path):
    listed = {"./plugin.py:Listed": {"words": "words.txt"}}
    (plugins / "words.txt").write_text("bad")
    (before,) = await verified(plugins, [listed], ["good"])
    (plugins / "words.txt").write_text("good")

    (after,) = await verified(plugins, [listed], ["good"])

    assert (before.state, after.state) == ("live", "dropped")


def test_the_engines_of_its_verifiers_are_its_engines(plugins: Path):
    stage = verify_all(["./plugin.py:Asking", "repetition", "./plugin.py:Asking"], plugins)

    assert stage.engines() == ("judge",)


def test_one_verifier_that_needs_order_gives_the_stage_order(tmp_path: Path):
    assert not verify_all(["repetition"], tmp_path).in_order
    assert verify_all(["repetition", "near_duplicates"], tmp_path).in_order


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"repetition": {}, "refusal": {}}, "wants one name, got 'repetition' and 'refusal'"),
        ({"repetition": 5}, "repetition wants options, `repetition: {option: value}`, got 5"),
        (7, "wants a name, or a name and its options, got 7"),
        ({"repetition": {"on_fail": "maybe"}}, "on_fail should be 'drop' or 'keep', got 'maybe'"),
    ],
)
def test_a_verifier_of_another_form_is_named(tmp_path: Path, written: Any, said: str):
    with pytest.raises(ValidationError) as refused:
        verify_all([written], tmp_path)

    assert said in str(refused.value)
