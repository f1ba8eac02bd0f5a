"""A sandbox as a recipe spells it: limits, isolation, language; and the ways to run code in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, PlainSerializer, ValidationInfo

from synth.frozen import Frozen
from synth.sandbox import calling, checking
from synth.sandbox.language import language
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool, pool
from synth.sandbox.outcome import Call, Ran

_MIB = 1 << 20


def _beside_the_recipe(path: Path, info: ValidationInfo) -> Path:
    if not path.name:
        return path
    context: dict[str, Path] = info.context or {}
    found = context.get("folder", Path()) / path
    if not (found / "bin" / "python").is_file():
        raise ValueError(
            f"wants the folder of a virtual environment, found no bin/python in {str(path)!r} "
            f"beside the recipe; `python -m venv {path}` makes one"
        )
    return found


def _as_packages(path: Path) -> str:
    """Return a digest of the names and versions of what is installed."""
    if not path.name:
        return ""
    installed = sorted(found.name for found in path.glob("lib*/python*/site-packages/*.dist-info"))
    return f"packages {blake2b('|'.join(installed).encode(), digest_size=8).hexdigest()}"


Environment = Annotated[Path, AfterValidator(_beside_the_recipe), PlainSerializer(_as_packages)]
"""The folder of a virtual environment, relative to the recipe. Dumped as a digest of what is
installed there, so verdicts count until that changes, and wherever the folder lies."""


class Sandbox(Frozen):
    """Run code that nobody has read, under limits, and get plain values back.

    Isolation is the strictest that a canary program proves on this machine, and at least
    `min_isolation`: `ns` (namespaces by bubblewrap, system calls filtered by seccomp, Landlock,
    resource limits), `container` (docker or podman), `lsm` (Landlock, seccomp, resource limits), or
    `none`, which wants `allow_unsafe_execution` too. There is no fallback below that.

    Each run is a process of its own, forked from a warm interpreter that is started at the first
    run and shared by all sandboxes with the same options in this process. A program sees an empty
    environment, an empty standard input, an empty folder for scratch, no network and no file of the
    machine but the interpreter's.

    Every run raises SandboxUnavailable where no isolation of the wanted level works, and
    OutsideError where the sandbox itself fails twice: neither is ever a result.
    """

    Call: ClassVar = Call
    """Arguments for one call: `Sandbox.Call(args, kwargs)`."""

    language: str = "python"
    """`python`, `javascript`, or what a plugin brings."""
    environment: Environment = Path()
    """A virtual environment whose packages programs may import; by default none."""
    preload: tuple[str, ...] = ()
    """Modules of `environment` that are imported once for all programs, to save time."""
    image: str = "python:3.11-slim"
    """The container image, where that is the level; it must be there already."""
    min_isolation: Level = "lsm"
    """The least isolation to run at: none, lsm, container or ns."""
    allow_unsafe_execution: bool = False
    """Whether code may run with limits but without isolation, where `min_isolation` is `none`."""
    cpu_s: int = Field(default=5, ge=1)
    """CPU time of a run, in seconds."""
    wall_s: float = Field(default=10.0, gt=0)
    """Time of a run on the clock, in seconds: for what sleeps."""
    memory_mb: int = Field(default=512, ge=64)
    """Address space of a run, in MiB."""
    threads: int = Field(default=32, ge=1)
    """Most threads of a run; other processes it cannot start at all."""
    output_kb: int = Field(default=256, ge=1)
    """Most that a run may write to standard output, and to standard error, in KiB."""
    result_mb: int = Field(default=4, ge=1)
    """Most that a run may return, in MiB."""
    scratch_mb: int = Field(default=16, ge=1)
    """Size of the folder that a run may write to, in MiB."""

    @property
    def isolation(self) -> str:
        """The level that programs run at here. Raises SandboxUnavailable."""
        return self._pool.level

    @property
    def _pool(self) -> Pool:
        return pool(self)

    @property
    def limits(self) -> Mapping[str, Any]:
        """The limits of one run, in bytes and seconds, as the language scales them."""
        limits = {
            "cpu": self.cpu_s,
            "wall": self.wall_s,
            "memory": self.memory_mb * _MIB,
            "data": None,
            "scratch": self.scratch_mb * _MIB,
            "threads": self.threads,
            "files": 64,
            "stack": 8 * _MIB,
        }
        return language(self.language).limits(limits)

    @property
    def room(self) -> dict[str, int]:
        """The most bytes that are read of each pipe."""
        output = self.output_kb * 1024
        return {"stdout": output, "stderr": output, "results": self.result_mb * _MIB}

    def close(self) -> None:
        """End the processes that wait for code; the next run starts others."""
        self._pool.close()

    def call(self, code: str, entry_point: str, calls: Sequence[Call]) -> Ran:
        """Load `code`, call `entry_point` (a dotted path) for each of `calls`; one result each.

        All calls share a process, one CPU limit and what the code keeps between them. A call that
        ends the process ends itself alone: the next ones go on in a new one, while there is time.
        Expected values stay with the caller, who compares.
        """
        return calling.call(self._pool, code, entry_point, calls)

    def run(self, code: str, stdin: str = "") -> Ran:
        """Run `code` as a program with `stdin`; one result, `returned` where it ended well."""
        return calling.run(self._pool, code, stdin)

    def check(
        self,
        code: str,
        tests: str,
        *,
        entry_point: str = "",
        setup: str = "",
        module: str = "solution",
    ) -> Ran:
        """Run test source against `code`; one result for each assert, in the source's order.

        Tests are top-level asserts, `check(candidate)`, functions and classes as pytest and
        unittest find them; a test without an assert counts as one itself. They see the names of
        `code`, the same in a module called `module`, and `candidate`. `setup` is run before them.

        The tests run in a process of their own, where the names of `code` are stand-ins: arguments
        go over, values come back. What cannot be split so (mocks, captured output, objects of the
        tests' own classes) runs in one process, as `integrity: weak`; so does, in part, what
        compares two objects of the code's own classes. An object that extends a builtin is compared
        as the value that it holds. A list that the code keeps and changes in a later call stays
        as it was for the tests.
        """
        given = checking.Given(code, tests, entry_point=entry_point, setup=setup, module=module)
        return checking.check(self._pool, given)
