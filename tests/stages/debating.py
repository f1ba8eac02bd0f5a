"""Debates over scripted engines: what each specialist is asked, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.record import Message, Record
from synth.stages.debate import Debate
from tests.running import question, services

NAMES = ("ann", "bob", "cem", "dua", "eve")
Reply = str | Completion | Exception


def debate(specialists: int = 3, /, **options: Any) -> Debate:
    """Return a stage whose specialists have names of their own and no system prompts."""
    those = [{"name": name, "system": ""} for name in NAMES[:specialists]]
    return Debate.model_validate({"engine": "e", "specialists": those, **options})


def script(
    replies: Mapping[str, Sequence[Reply]],
    judge: Callable[[str], Reply] | None = None,
    asked: dict[tuple[str, int], tuple[Message, ...]] | None = None,
) -> ScriptedEngine:
    """Return an engine with the replies of each step, by specialist; `judge` reads its prompt."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        assert isinstance(prompt, Chat)
        if asked is not None:
            asked[origin.step, origin.sample] = prompt.messages
        if origin.step == "judge":
            assert judge is not None
            said = judge(prompt.messages[-1]["content"])
        else:
            said = replies[origin.step][origin.sample]
        if isinstance(said, Exception):
            raise said
        return said

    return ScriptedEngine(reply)


def answering(*answers: Any) -> list[str]:
    """Return replies that mark these answers."""
    return [f"I am {NAMES[n]}.\nAnswer: {answer}" for n, answer in enumerate(answers)]


async def debated(
    folder: Path,
    stage: Debate,
    engine: Engine | Mapping[str, Engine],
    record: Record | None = None,
) -> list[Record]:
    """Return what the stage `debate` makes of a record."""
    engines = engine if isinstance(engine, Mapping) else {"e": engine}
    prompts = Debate.default_prompts
    async with services(folder, label="debate", engines=engines, prompts=prompts) as given:
        return list(await stage.apply(record or question("How many?"), given))


async def ended(folder: Path, stage: Debate, *last: Reply, **more: Any) -> list[Record]:
    """Return what becomes of a debate of one round with these replies."""
    stage = stage.model_copy(update={"rounds": 1})
    return await debated(folder, stage, script({"round_1": last}, **more))


def reasons(children: Sequence[Record]) -> list[str]:
    """Return each child's code of the reason why it was dropped, or its state."""
    return [
        child.dropped.reason.split(":")[0] if child.dropped else child.state for child in children
    ]
