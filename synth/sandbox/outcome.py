"""What came of a program: one result for each call, assert or test, and how it was isolated."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from synth.sandbox.runs import Ended

Word = Literal[
    "returned",
    "pass",
    "fail",
    "error",
    "timeout",
    "memory",
    "crash",
    "output_limit",
    "early_exit",
    "killed",
]
"""`returned`: a value came back, nobody has compared it. `pass`, `fail`: an assert held or not.
`error`: it raised, or wrote what is no result. `timeout`: the CPU or wall limit. `memory`: the
memory limit. `crash`: a signal. `output_limit`: more output, results or scratch than allowed.
`early_exit`: it ended itself. `killed`: something outside ended it, or no time was left to run it.
"""
_WORDS: dict[str, Word] = {"MemoryError": "memory", "SystemExit": "early_exit"}
# The limit is counted in ticks, what was used by the scheduler: on a busy machine they differ.
_MOSTLY = 0.5
_CPU_SIGNALS = (signal.SIGKILL, signal.SIGXCPU)
_OUT_OF_MEMORY = b"out of memory"
"""What a runtime says last that ends the process where it gets no more; a program that says so and
crashes changes one failure into another."""


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments for one call of a function; values of exact builtin types."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one call, assert or program."""

    outcome: Word
    value: Any = None
    """What a call returned: a builtin value, or something equal to nothing."""
    message: str = ""
    """What was raised, or what happened; empty where nothing did."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a program, or of tests against one."""

    results: tuple[Result, ...]
    """In the order of the calls or asserts; for a program, the one of the program."""
    isolation: str
    """`ns`, `container`, `lsm` or `none`."""
    integrity: Literal["strong", "weak"] = "strong"
    """`weak`: the program could have had a hand in the outcome (see Sandbox.check)."""
    stdout: str = ""
    """What a program printed."""


def ending(ended: Ended, cpu_limit_s: float) -> tuple[Word, str] | None:
    """Return how a process was ended and by what; None if it came to its own end with code 0."""
    if ended.why == "output":
        return "output_limit", "it wrote more than it may"
    if ended.why == "scratch":
        return "output_limit", "its scratch folder is full"
    if ended.why == "timeout":
        return "timeout", f"not done after {ended.wall_s:.0f} s"
    if ended.why == "killed":
        return "killed", "it was ended from outside"
    if os.WIFSIGNALED(ended.status):
        return _by_signal(ended, cpu_limit_s)
    code = os.WEXITSTATUS(ended.status)
    return ("early_exit", f"it ended itself with code {code}") if code else None


def _by_signal(ended: Ended, cpu_limit_s: float) -> tuple[Word, str]:
    number = os.WTERMSIG(ended.status)
    if number in _CPU_SIGNALS and ended.cpu_s >= _MOSTLY * cpu_limit_s:
        return "timeout", f"used {cpu_limit_s:g} s of CPU"
    if number == signal.SIGKILL:
        return "killed", "the machine ended it, perhaps for want of memory"
    if _OUT_OF_MEMORY in ended.written.get("stderr", b""):
        return "memory", "it wanted more memory than it may have"
    return "crash", f"ended by {signal.Signals(number).name}"


def of_exception(told: Sequence[Any]) -> Result:
    """Return the result that an exception is, from its name, message and line."""
    name, message, line = told
    where = f" (line {line})" if line else ""
    outcome = _WORDS.get(name, "error")
    return Result(outcome, message=f"{name}: {message}{where}" if message else f"{name}{where}")
