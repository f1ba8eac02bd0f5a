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

from synth.errors import RunError, StorageError
from synth.run.plan import Plan

_MARK = "synth-run.json"


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
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / _MARK).is_file():
            raise RunError(
                f"{str(self.path)!r} is not empty and no run folder; name another with --into"
            )
        self.stages.mkdir(parents=True, exist_ok=True)
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise RunError(
                f"another run is at work in {str(self.path)!r} (process {holder}). "
                "Wait for it, or name another folder with --into"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        write_whole(self.path / _MARK, json.dumps({"format": 1}) + "\n")

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def freeze(self, plan: Plan) -> None:
        """Keep the recipe, its prompts and what it ran with. Keys are never kept."""
        folder = self.path / "recipe"
        folder.mkdir(exist_ok=True)
        write_whole(folder / "recipe.yaml", plan.source.text)
        for step in plan.steps:
            for name, prompt in step.prompts.items():
                write_whole(folder / f"{step.label}.{name}.jinja", prompt.source)
        write_whole(self.path / "environment.json", _environment())

    def discard_stages(self, keep: int) -> None:
        """Remove what is left of stages from number `keep` on, finished or not."""
        for path in self.stages.iterdir():
            number = path.name[:2]
            if path.suffix != ".parquet" or not number.isdigit() or int(number) >= keep:
                path.unlink()

    def finished(self) -> str:
        """Return the key of the last complete run of this folder, or an empty text."""
        return json.loads((self.path / _MARK).read_text("utf-8")).get("finished", "")

    def finish(self, key: str) -> None:
        """Note that database and export are those of `key`; an empty text while they are not."""
        write_whole(self.path / _MARK, json.dumps({"format": 1, "finished": key}) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is whole or as before."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    part.replace(path)


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
