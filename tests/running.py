"""Real services over scripted engines, and recipes on disk, for the tests of stages and plans."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synth.cli import main
from synth.engine.base import Completion, Engine, Origin, Prompted, Sampling
from synth.engine.cached import CachedEngine
from synth.engine.scripted import ScriptedEngine
from synth.prompt import Prompt
from synth.record import JsonObject, Message, Record
from synth.run.judging import Judging
from synth.services import Resources, Services
from synth.stages.verify import Verify
from synth.store.calls import Store
from synth.store.rows import Rows
from synth.store.stage_file import StageFile


@contextmanager
def not_for_ever() -> Generator[None]:
    """Interrupt what takes 30 s of this process's time: on long input, what grows by its square."""

    def end(_signal: int, _frame: object) -> None:
        raise TimeoutError("it takes much longer than its input is long")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, 30)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def rows_of(folder: Path, fields: Sequence[JsonObject]) -> Rows:
    """Return the columns of records that hold these fields, as a finished stage has them."""
    made = [Record.seed(given, number=number) for number, given in enumerate(fields)]
    return rows_that_hold(folder, made)


def rows_that_hold(folder: Path, records: Sequence[Record]) -> Rows:
    """Return the columns of these records, as a finished stage has them."""
    file = StageFile(folder / "01-before.parquet", key="k")
    file.add(records)
    file.finish()
    return Rows(file.path)


@asynccontextmanager
async def services(
    folder: Path,
    *,
    label: str = "stage",
    engines: Mapping[str, Engine] | None = None,
    prompts: Mapping[str, str] | None = None,
    stage: Verify | None = None,
    run_seed: int = 0,
) -> AsyncGenerator[Services, None]:
    """Yield the services of one stage, with its calls and verdicts kept in `folder`."""
    async with Store(folder / "store.sqlite", gather_s=0.0) as store:
        judging = Judging(stage or verify("length", min_words=1), store, workers=1, folder=folder)
        asked = {name: CachedEngine(engine, store) for name, engine in (engines or {}).items()}
        for engine in (engines or {}).values():
            await engine.start()
        try:
            yield Services(
                label,
                engines=asked,
                prompts={name: Prompt(source) for name, source in (prompts or {}).items()},
                judge=judging,
                resources=Resources(),
                run_seed=run_seed,
            )
        finally:
            await judging.close()


def verify(name: str, folder: Path = Path(), **options: Any) -> Verify:
    """Return a verify stage with one verifier; `policies` stand among its options."""
    return verify_all([{name: options}], folder)


def verify_all(verifiers: Sequence[Any], folder: Path = Path()) -> Verify:
    """Return a verify stage, its verifiers as a recipe in `folder` spells them."""
    return Verify.model_validate({"verifiers": verifiers}, context={"folder": folder})


def saying(reply: str | Completion) -> ScriptedEngine:
    """Return an engine that always says the same."""
    return ScriptedEngine(lambda _prompt, _sampling, _origin: reply)


def numbering() -> ScriptedEngine:
    """Return an engine whose reply tells which call it was: never the same twice."""
    count = 0

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        nonlocal count
        count += 1
        return Completion(f"reply {count}")

    return ScriptedEngine(reply)


def question(text: str = "Why is the sky blue?", *, number: int = 0) -> Record:
    """Return a seed with one user turn."""
    return Record.seed({}, [Message(role="user", content=text)], number=number)


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def command(*words: str) -> Said:
    """Run `synth` with these words, in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["synth", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    code = ended.value.code
    return Said(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    """Write rows as JSON Lines and return the file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_recipe(folder: Path, text: str, *, seeds: Sequence[Any] = ()) -> Path:
    """Write `recipe.yaml`, and `seeds.jsonl` if there are seeds; return the recipe's file."""
    if seeds:
        write_lines(folder / "seeds.jsonl", seeds)
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    return path
