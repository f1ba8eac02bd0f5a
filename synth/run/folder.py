"""The folder of a run: one writer at a time, frozen inputs, files that are whole or absent."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import IO, Self

import yaml

from synth.errors import RunError, StorageError
from synth.recipe import Source
from synth.run.plan import Plan

_MARK = "synth-run.json"
_LOCK = "lock"
_PART = ".part"


class RunFolder:
    """`<folder>/`: recipe/, environment.json, store.sqlite, stages/, dataset.duckdb, export/."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def store(self) -> Path:
        """Calls, verdicts and their timings."""
        return self.path / "store.sqlite"

    @property
    def database(self) -> Path:
        """The run as DuckDB tables."""
        return self.path / "dataset.duckdb"

    @property
    def export(self) -> Path:
        """What `datasets.load_dataset` opens."""
        return self.path / "export"

    @property
    def stages(self) -> Path:
        """One Parquet file a stage."""
        return self.path / "stages"

    def stage_file(self, number: int, label: str) -> Path:
        """Return the file of a stage; 0 is the seeds."""
        return self.stages / f"{number:02d}-{label}.parquet"

    def stage_files(self) -> list[tuple[str, Path]]:
        """Return label and file of each finished stage, in order."""
        found = sorted(self.stages.glob("[0-9][0-9]-*.parquet"))
        return [(path.stem.partition("-")[2], path) for path in found]

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the folder of an existing run. Raises RunError if it is none."""
        if not (path / _MARK).is_file():
            raise RunError(
                f"{str(path)!r} is no run folder (it holds no {_MARK}). "
                "`synth run RECIPE --into FOLDER` makes one"
            )
        return cls(path)

    def lock(self) -> None:
        """Make the folder if need be and keep others out. Raises RunError, StorageError."""
        try:
            self._open()
        except OSError as error:
            raise StorageError(f"cannot write into {str(self.path)!r}: {error.strerror}") from error

    def _open(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        # A run that is killed as it begins leaves these behind, and no mark.
        found = {path.name for path in self.path.iterdir()} - {_LOCK, _MARK + _PART}
        if found and _MARK not in found:
            raise RunError(
                f"{str(self.path)!r} is not empty and no run folder; name another with --into"
            )
        lock = (self.path / _LOCK).open("a+")
        try:
            self._hold(lock)
            if _MARK not in found:
                self.finish("")
            self.stages.mkdir(exist_ok=True)
        except BaseException:
            lock.close()
            raise
        self._lock = lock

    def _hold(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise RunError(
                f"another run is at work in {str(self.path)!r} (process {holder}). "
                "Wait for it, or name another folder with --into"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def freeze(self, plan: Plan) -> None:
        """Keep the recipe as it runs, its prompts and what it ran with. Keys are never kept."""
        texts = {"recipe.yaml": _as_it_runs(plan.source)}
        for step in plan.steps:
            for name, prompt in step.prompts.items():
                texts[f"{step.label}.{name}.jinja"] = prompt.source
        folder = self.path / "recipe"
        folder.mkdir(exist_ok=True)
        for stale in {path.name for path in folder.iterdir()} - texts.keys():
            (folder / stale).unlink()
        for name, text in texts.items():
            write_whole(folder / name, text)
        write_whole(self.path / "environment.json", _environment())

    def discard_stages(self, keep: int) -> None:
        """Remove what is left of stages from number `keep` on, finished or not."""
        for path in self.stages.iterdir():
            number = path.name[:2]
            if path.suffix != ".parquet" or not number.isdigit() or int(number) >= keep:
                path.unlink()

    def finished(self) -> str:
        """Return the key of the last complete run of this folder, or an empty text."""
        try:
            return str(json.loads((self.path / _MARK).read_text("utf-8"))["finished"])
        except (ValueError, KeyError, TypeError):
            return ""

    def finish(self, key: str) -> None:
        """Note that database and export are those of `key`; an empty text while they are not."""
        write_whole(self.path / _MARK, json.dumps({"format": 1, "finished": key}) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is whole or as before, even when the power fails."""
    part = path.with_name(path.name + _PART)
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _as_it_runs(source: Source) -> str:
    """Return the recipe's own text, or what it says with the changes made on the command line."""
    if yaml.safe_load(source.text) == source.value:
        return source.text
    return yaml.safe_dump(source.value, sort_keys=False, allow_unicode=True)


def _environment() -> str:
    try:
        ours = version("expertsynth")
    except PackageNotFoundError:
        ours = "unknown"
    installed = {found.name: found.version for found in distributions()}
    return (
        json.dumps(
            {
                "synth": ours,
                "python": platform.python_version(),
                "platform": sys.platform,
                "machine": platform.machine(),
                "packages": dict(sorted(installed.items())),
            },
            indent=1,
        )
        + "\n"
    )
