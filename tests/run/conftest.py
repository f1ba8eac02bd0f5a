"""A recipe's folder to run in, with seeds, verifiers and a scripted model."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth.engine.scripted import Script, ScriptedEngine
from synth.errors import EngineRefused
from synth.record import Record
from synth.run.plan import Plan, plan
from synth.run.start import Outcome, Settings, run
from synth.store import stage_file

HERE = Path(__file__).parent


class Project:
    """A recipe and what it needs; `runs/<name>` beside it is where it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(HERE / "odd_verifiers.py", folder)
        shutil.copy(HERE / "odd_stages.py", folder)

    def write(self, stages: Sequence[Any], *, seeds: int = 4, **more: Any) -> None:
        """Write the recipe and its seeds, which ask "Question 0?" and so on."""
        rows = [json.dumps({"instruction": f"Question {n}?", "n": n}) for n in range(seeds)]
        (self.folder / "seeds.jsonl").write_text("\n".join(rows) + "\n")
        recipe: dict[str, Any] = {
            "name": "trial",
            "seeds": ["seeds.jsonl"],
            "engines": {"teacher": {"scripted": {}}},
            "stages": list(stages),
            "export": {"sft": {"test_fraction": 0.3}},
            **more,
        }
        (self.folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))

    def plan(self, script: Script | ScriptedEngine) -> Plan:
        """Return the plan of the recipe with a model that answers as `script` says."""
        engine = script if isinstance(script, ScriptedEngine) else ScriptedEngine(script)
        return plan(self.folder / "recipe.yaml", engines={"teacher": engine})

    def run(
        self,
        script: Script | ScriptedEngine,
        into: str = "run",
        *,
        at_once: int = 256,
        **settings: Any,
    ) -> Outcome:
        """Run the recipe in the folder `into`."""
        made = self.plan(script).at_once(at_once)
        given: dict[str, Any] = {"workers": 1, **settings}
        return run(made, self.folder / into, Settings(**given))

    def file(self, label: str, into: str = "run") -> Path:
        """Return the file of a stage."""
        return next((self.folder / into / "stages").glob(f"*-{label}.parquet"))

    def records(self, label: str, into: str = "run") -> list[Record]:
        """Return what left a stage."""
        return list(stage_file.read(self.file(label, into)))

    def made(self, into: str = "run") -> dict[str, bytes]:
        """Return the bytes of all stage files and of the export, by their names."""
        run = self.folder / into
        files = [*(run / "stages").iterdir(), *(run / "export").rglob("*")]
        return {str(file.relative_to(run)): file.read_bytes() for file in files if file.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "recipe"
    folder.mkdir()
    return Project(folder)


def answer(prompt: Any, *_: object) -> str:
    """Return a reply that repeats what was asked."""
    return f"An answer to: {prompt.messages[-1]['content']}"


def unasked(*_: object) -> str:
    """End the run: every call was made before."""
    raise EngineRefused("asked again")


def record(text: str, number: int = 0) -> Record:
    """Return a seed that holds `text`."""
    return Record.seed({"text": text}, number=number)


def processes(mark: str, *, ours: bool = True) -> Iterator[int]:
    """Yield the ids of processes whose environment holds `mark`; without `ours`, not this one."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or (not ours and int(folder.name) == os.getpid()):
            continue
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def gone(mark: str) -> bool:
    """Return whether all processes that hold `mark` end, within ten seconds."""
    until = time.monotonic() + 10
    while left := [found for found in processes(mark, ours=False) if not _zombie(found)]:
        if time.monotonic() > until:
            return not left
        time.sleep(0.02)
    return True


def _zombie(number: int) -> bool:
    with suppress(OSError):
        return ") Z " in Path(f"/proc/{number}/stat").read_text()
    return True
