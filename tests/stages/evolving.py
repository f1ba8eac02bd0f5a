"""What the tests of `evolve` share: an engine with a word for each kind of call, and the stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.stages.evolve import Evolve
from tests.running import question, services

Said = str | Completion
GOOD = {
    "evolve": "Why is the sky blue, step by step?",
    "judge": "Not equal",
    "reply": "Light scatters.",
}


def script(**said: Said | Callable[[int], Said]) -> ScriptedEngine:
    """Return an engine that says, by kind of call, a text or what a function of the round gives.

    An evolution that nobody names gets the number of its round, so that no two are alike.
    """

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Said:
        kind, _, number = origin.step.partition(" ")
        answer = said.get(kind) or (f"{GOOD[kind]} ({number})" if kind == "evolve" else GOOD[kind])
        return answer(int(number)) if callable(answer) else answer

    return ScriptedEngine(reply)


async def evolve(
    folder: Path, engine: ScriptedEngine, record: Record | None = None, **options: Any
) -> list[Record]:
    """Return what the stage `harder` makes of a record, as the runner would write it."""
    stage = Evolve.model_validate({"engine": "teacher", "rounds": 1, **options})
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    engines = dict.fromkeys(stage.engines(), engine)
    record = record or question()
    async with services(folder, label="harder", engines=engines, prompts=prompts) as given:
        return leaving(record, await stage.apply(record, given), "harder")


def reasons(records: list[Record]) -> list[str]:
    return [record.dropped.reason for record in records if record.dropped]


def states(records: list[Record]) -> list[str]:
    return [record.state for record in records]


def answered() -> Record:
    """Return a seed with a question and its reply."""
    turns = [("user", "Why?"), ("assistant", "So.")]
    return Record.seed({}, [Message(role=role, content=said) for role, said in turns])
