"""What specialists, experts and judges may say, and how fast: no crash, no made-up score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Completion, Origin, Prompted
from synth.record import Record
from synth.stages.debate import Debate
from synth.stages.feedback import Feedback
from synth.stages.parts.comparison import side_of
from synth.stages.parts.debate_judge import place_in
from synth.stages.parts.replies import MalformedError
from tests.running import not_for_ever
from tests.stages.any_reply import Configured, at_three_paces, check_any_reply
from tests.stages.evolving import answered

JUDGED: dict[str, Any] = {"engine": "a", "judge_engine": "a"}
STAGES: list[Configured] = [
    (Debate, {"engine": "a", "pairs": True}),
    (Debate, {"engine": "a", "mode": "reference", "answers": "number", "keep": "majority"}),
    (Debate, {**JUDGED, "consensus": "judge", "answers": "none", "rounds": 3}),
    (Debate, {**JUDGED, "consensus": "judge", "answers": "choice", "pairs": True}),
    (Feedback, {"engines": ["a"], "n": 3, "judge": "a", "rationales": True}),
    (Feedback, {"engines": ["a"], "judge": "a", "own": True, "together": False}),
    (Feedback, {"engines": ["a"], "n": 3, "judge": "a", "how": "compare", "rejected": "random"}),
    (Feedback, {"engines": ["a"], "n": 2, "judge": "a", "how": "compare", "reasoning": True}),
]
PARTS = [
    "<think>", "</think>", "Answer: 42", "Answer: N/A", "(B)", "\n", "Answer 1\n", "Answer 2\n",
    "Rating: 4\n", "Rating: N/A\n", "Rating: 9\n", "Best: 1", "Best: 0", "Best: two", "Better: A",
    "A", "tie", "\\boxed{", "}", "####", "1,000", "\ud800", "\x00", "{{ x }}", "**", "蓝色",
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_a_model_says_is_a_record_without_a_made_up_score(
    tmp_path_factory: pytest.TempPathFactory, stage: Configured
):
    def check(row: Record, _said: set[str]) -> None:
        assert row.state != "dropped" or "score" not in row.fields
        if row.state == "live" and stage[0] is Feedback:
            assert row.fields["score"] >= 0
            assert row.fields.get("ratings") or row.fields.get("wins")

    check_any_reply(lambda: tmp_path_factory.mktemp("any"), stage, answered(), PARTS, check)


@pytest.mark.parametrize("stage", STAGES)
async def test_no_pace_of_replies_changes_a_record(tmp_path: Path, stage: Configured):
    def said(_prompt: Prompted, origin: Origin) -> str:
        if origin.step.startswith("rate"):
            return "\n".join(f"Answer {place}\nRating: {place}" for place in (1, 2, 3))
        if origin.step.startswith("compare"):
            return "Better: A" if stage[1].get("reasoning") else "A"
        return "Best: 1" if origin.step == "judge" else f"Well.\nAnswer: {'BBA'[origin.sample]}"

    rows = await at_three_paces(tmp_path, stage, answered(), said)

    assert any(row.state == "live" for row in rows) or stage[1].get("answers") == "number"


@pytest.mark.parametrize("filler", [" ", "\n", "`", "*", "\t"])
def test_a_long_verdict_is_read_in_linear_time(filler: str):
    long = filler * 300_000

    with not_for_ever():
        with pytest.raises(MalformedError):
            side_of(Completion(f"so {long} x", "stop"), reasoning=True)
        with pytest.raises(MalformedError):
            place_in(f"Best: a{long}b", 3)
