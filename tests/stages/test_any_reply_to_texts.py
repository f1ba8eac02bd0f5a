"""What a model may say of documents, personas, constraints and labels, and how fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Origin, Prompted
from synth.record import Message, Record, whole_text
from synth.stages.constrain import Constrain
from synth.stages.domain import Domain
from synth.stages.grounded import Grounded
from synth.stages.persona import Persona
from synth.stages.tag import Tag
from tests.stages.any_reply import Configured, at_three_paces, check_any_reply

REWRITING: dict[str, Any] = {"engine": "a", "join": "rewrite", "least": 2, "n": 3}
STAGES: list[Configured] = [
    (Grounded, {"engine": "a", "passage_words": 20, "unanswerable": 0.5}),
    (Grounded, {"engine": "a", "questions": 1, "similarity_threshold": 0.5, "retrieved": 0}),
    (Grounded, {"engine": "a", "context": "question", "unanswerable": 0, "overlap_words": 9}),
    (Persona, {"engine": "a", "n": 4}),
    (Persona, {"engine": "a", "task": "knowledge", "n": 4}),
    (Persona, {"engine": "a", "task": "from_text", "n": 4}),
    (Persona, {"engine": "a", "task": "related", "n": 4}),
    (Tag, {"engine": "a", "tags": ["difficulty", "quality", "category", "language"]}),
    (Domain, {"engine": "a"}),
    (Constrain, REWRITING),
    (Constrain, {**REWRITING, "relaxed": True}),
]
PARTS = [
    "<think>", "</think>", "1. ", "- ", "\n", "\n\n", "NONE", "UNANSWERABLE", "ANSWERABLE", "Why?",
    "Problem:", "Persona: ", "**", '"', "?", "\ud800", "\x00", "{{ x }}", "{0}", "蓝色",
    "</passage>", '{"difficulty": "hard"}', '{"input_quality": 3}', "law", "health", "[", "{", "}",
    "River", "river P.S. *** ******", "\u2028", "Who dredges the river?",
]  # fmt: skip
DOCUMENT = "# River\n\n" + "The river is dredged in spring, and the road is mended in autumn. " * 4
ABOUT_THE_REPLY = (
    *("empty_", "cut_off_", "unfinished_", "no_list", "unanswerable", "answerable"),
    *("lost_constraint", "copied_example", "not_json", "wrong_tag", "no_choice"),
)
OF_A_LIST = ("empty_question", "cut_off_question")


def works() -> Record:
    """Return a record that is a document and asks for something."""
    asked = [Message(role="user", content="Tell me who dredges the river and mends the road.")]
    return Record.seed({"text": DOCUMENT, "title": "Works"}, asked, number=0)


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_a_model_says_is_a_record_that_keeps_it(
    tmp_path_factory: pytest.TempPathFactory, stage: Configured
):
    def check(row: Record, said: set[str]) -> None:
        code = row.dropped.reason.partition(":")[0] if row.dropped else ""
        if code.startswith(ABOUT_THE_REPLY) and code not in OF_A_LIST:
            assert row.fields["raw_reply"] in set(map(whole_text, said))

    check_any_reply(lambda: tmp_path_factory.mktemp("any"), stage, works(), PARTS, check)


@pytest.mark.parametrize("stage", STAGES)
async def test_no_pace_of_replies_changes_a_record(tmp_path: Path, stage: Configured):
    def said(prompt: Prompted, origin: Origin) -> str:
        if origin.step in {"question", "unanswerable"}:
            return f"1. Who dredges river {origin.sample}?\n2. Why mend road {origin.step}?"
        if origin.step in {"rewrite", "relaxed"} and isinstance(prompt, Chat):
            return "\n".join(turn["content"] for turn in prompt.messages)
        return f"{origin.step} {origin.sample}"

    rows = await at_three_paces(tmp_path, stage, works(), said)

    assert any(row.state == "live" for row in rows)
