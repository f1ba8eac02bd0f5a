"""What a model may say of documents, personas and constraints, and how fast: never a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.frozen import validated
from synth.record import Message, Record, canonical, whole_text
from synth.run.boundary import leaving
from synth.stage import Stage
from synth.stages.constrain import Constrain
from synth.stages.grounded import Grounded
from synth.stages.persona import Persona
from tests.running import services

REWRITING = {"engine": "a", "join": "rewrite", "least": 2, "n": 3}
STAGES: list[tuple[type[Stage], dict[str, Any]]] = [
    (Grounded, {"engine": "a", "passage_words": 20, "unanswerable": 0.5}),
    (Grounded, {"engine": "a", "questions": 1, "similarity_threshold": 0.5, "retrieved": 0}),
    (Grounded, {"engine": "a", "context": "question", "unanswerable": 0, "overlap_words": 9}),
    (Persona, {"engine": "a", "n": 4}),
    (Persona, {"engine": "a", "task": "knowledge", "n": 4}),
    (Persona, {"engine": "a", "task": "from_text", "n": 4}),
    (Persona, {"engine": "a", "task": "related", "n": 4}),
    (Constrain, REWRITING),
    (Constrain, {**REWRITING, "relaxed": True}),
]
PARTS = [
    "<think>", "</think>", "1. ", "- ", "\n", "\n\n", "NONE", "UNANSWERABLE", "ANSWERABLE", "Why?",
    "Problem:", "Persona: ", "**", '"', "?", "\ud800", "\x00", "{{ x }}", "{0}", "蓝色",
    "</passage>", "River", "river P.S. *** ******", "\u2028", "Who dredges the river?",
]  # fmt: skip
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=6), max_size=8).map("".join)
completions = st.builds(Completion, texts, st.sampled_from(["stop", "length"]))
DOCUMENT = "# River\n\n" + "The river is dredged in spring, and the road is mended in autumn. " * 4
ABOUT_THE_REPLY = (
    *("empty_", "cut_off_", "unfinished_", "no_list", "unanswerable", "answerable"),
    *("lost_constraint", "copied_example"),
)
OF_A_LIST = ("empty_question", "cut_off_question")


async def outcomes(
    folder: Any, kind: type[Stage], options: dict[str, Any], script: Callable[..., Any]
) -> list[Record]:
    """Return the rows that a stage makes of a record that is a document and asks for something."""
    folder.mkdir(exist_ok=True)
    stage = validated(kind, options, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    asked = [Message(role="user", content="Tell me who dredges the river and mends the road.")]
    record = Record.seed({"text": DOCUMENT, "title": "Works"}, asked, number=0)
    engines = {"a": ScriptedEngine(script)}
    async with services(folder, label="any", engines=engines, prompts=prompts) as given:
        return leaving(record, await stage.apply(record, given), "any")


@pytest.mark.parametrize(("kind", "options"), STAGES)
def test_whatever_a_model_says_is_a_record_that_keeps_it(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Stage], options: dict[str, Any]
):
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(completions, min_size=1, max_size=4))
    def check(said: list[Completion]) -> None:
        def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
            return said[(origin.sample + len(origin.step)) % len(said)]

        rows = asyncio.run(outcomes(tmp_path_factory.mktemp("any"), kind, options, reply))

        whole = {whole_text(one.text) for one in said}
        for row in rows:
            canonical([row.fields, row.messages]).encode("utf-8")
            assert (row.state == "dropped") == (row.dropped is not None)
            if row.dropped:
                code = row.dropped.reason.partition(":")[0]
                assert row.dropped.kind == "filter"
                if code.startswith(ABOUT_THE_REPLY) and code not in OF_A_LIST:
                    assert row.fields["raw_reply"] in whole

    check()


@pytest.mark.parametrize(("kind", "options"), STAGES)
async def test_no_pace_of_replies_changes_a_record(
    tmp_path: Any, kind: type[Stage], options: dict[str, Any]
):
    async def paced(folder: str, seed: int) -> list[Record]:
        rng = Random(seed)

        async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(rng.random() * 0.005)
            if origin.step in {"question", "unanswerable"}:
                return f"1. Who dredges river {origin.sample}?\n2. Why mend road {origin.step}?"
            if origin.step in {"rewrite", "relaxed"}:
                return "\n".join(str(turn["content"]) for turn in prompt.messages)  # type: ignore
            return f"{origin.step} {origin.sample}"

        return await outcomes(tmp_path / folder, kind, options, reply)

    first, second, third = [await paced(str(seed), seed) for seed in range(3)]

    assert first == second == third
    assert any(row.state == "live" for row in first)
