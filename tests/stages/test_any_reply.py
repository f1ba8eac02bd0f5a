"""What a model may say to four stages, and how fast: never a crash, and always the same records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Origin, Prompted
from synth.record import Judgement, Record, Verdict
from synth.stages.dialogue import Dialogue
from synth.stages.evolve import Evolve
from synth.stages.expand import Expand
from synth.stages.revise import Revise
from synth.stages.tool_calls import ToolCalls
from tests.stages.any_reply import Configured, at_three_paces, check_any_reply
from tests.stages.evolving import answered

A: dict[str, Any] = {"engine": "a"}
STAGES: list[Configured] = [
    (Evolve, {**A, "rounds": 3}),
    (Evolve, {**A, "operators": "quality", "rounds": 3, "keep": "last"}),
    (Expand, {**A, "n": 4}),
    (Expand, {**A, "how": "paraphrase", "n": 4}),
    (Expand, {**A, "how": "nested", "topics": 2, "n": 4}),
    (Dialogue, {**A, "turns": 3, "n": 3, "personas": ["a cook", "a judge"]}),
    (Dialogue, {**A, "how": "transcript", "n": 3}),
    (Dialogue, {**A, "how": "transcript", "mode": "reference", "n": 3}),
    (Revise, A),
    (Revise, {**A, "how": "refine"}),
    (
        Revise,
        {**A, "how": "repair", "failed_by": ["long"], "verifiers": [{"length": {"min_words": 9}}]},
    ),
]
TOOLS = {**A, "tools": Path(__file__).with_name("tools.jsonl"), "n": 6}
CALLING: list[Configured] = [(ToolCalls, TOOLS), (ToolCalls, {**TOOLS, "how": "native"})]
PARTS = [
    "<think>", "</think>", "[Human]", "[AI]", "Verdict: right", "Verdict: wrong", "Equal",
    "Not equal", "1. ", "- ", "\n", "```", "User:", "Thanks!", "sorry", "\ud800", "\x00", "{{ x }}",
    "#Rewritten Prompt#:", "蓝色", "So.", "**", '"', "[]", "{", "]",
    '{"name": "x", "arguments": {}}',
]  # fmt: skip


def failed() -> Record:
    """Return a record whose reply the verifier `long` failed."""
    verdict = Verdict("fail", "too_short: 1 word")
    return answered().judged(Judgement("check", "long", "length", "1", verdict))


@pytest.mark.parametrize("stage", [*STAGES, *CALLING])
def test_whatever_a_model_says_is_a_record(
    tmp_path_factory: pytest.TempPathFactory, stage: Configured
):
    def check(row: Record, _said: set[str]) -> None:
        assert all("<think>" not in turn["content"][:7] for turn in row.messages)

    check_any_reply(lambda: tmp_path_factory.mktemp("any"), stage, failed(), PARTS, check)


@pytest.mark.parametrize("stage", STAGES)
async def test_no_pace_of_replies_changes_a_record(tmp_path: Path, stage: Configured):
    def said(_prompt: Prompted, origin: Origin) -> str:
        if origin.step in {"topics", "subtopics"}:
            return "1. rivers\n2. roads"
        if origin.step == "transcript":
            return f"[Human] Why {origin.sample}?\n[AI] So.\n[Human] How?\n[AI] Thus."
        wrong = "\nVerdict: wrong" if origin.step.startswith("feedback") else ""
        equal = "Not equal" if origin.step.startswith("judge") else ""
        return equal or f"{origin.step} {origin.sample}{wrong}"

    rows = await at_three_paces(tmp_path, stage, failed(), said)

    assert any(row.state == "live" for row in rows) or stage[1].get("how") == "repair"
