"""What can go wrong, as a tree; the command line turns each branch into one exit code.

    SynthError
    ├── InputError          exit 2  what you wrote is wrong, and nothing ran
    │   ├── RecipeError             a recipe, a prompt or a setting (holds every problem found)
    │   ├── SeedError               a seed set that cannot be read at all
    │   ├── PluginError             a plugin that cannot be found, loaded or trusted
    │   └── RunError                a run folder that cannot be used as asked
    ├── OutsideError        exit 3  the outside world failed; run again and it goes on
    │   ├── EngineDown              nothing answered for `give_up_after_s`
    │   ├── EngineRefused           the server answers, but not to us (key, model, address)
    │   ├── StorageError            disk full, folder not writable, store damaged
    │   └── SandboxUnavailable      no isolation of the level that is wanted; nothing was executed
    └── CallFailed                  one call went wrong; its record is dropped with kind "error"
        └── Outage                  … and it may be the server's fault: worth another try

A plugin raises plain Python errors: the runner turns them into drops of kind "error".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_CODED = re.compile(r"[a-z0-9_]+(: |$)")


class SynthError(Exception):
    """The root of every error that synth raises on purpose."""

    exit_code = 1


class InputError(SynthError):
    """Something that the user wrote is wrong; nothing ran."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a recipe, and where."""

    message: str
    """What was wanted, what was found, and what to do, as a sentence."""
    file: str = ""
    """The file it stands in, as the user named it; empty when there is none."""
    line: int = 0
    """Its line, from 1; 0 when unknown."""

    def __str__(self) -> str:
        """Return `file, line N: message`."""
        place = self.file + (f", line {self.line}" if self.line else "")
        return f"{place}: {self.message}" if place else self.message


class RecipeError(InputError):
    """A recipe that cannot run. `problems` holds all that was found, not only the first."""

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        count = [f"{len(self.problems)} problems"] if len(self.problems) > 1 else []
        super().__init__("\n".join([*count, *map(str, self.problems)]))


class SeedError(InputError):
    """A seed set that cannot be read at all; a single bad row is a drop, not this."""


class PluginError(InputError):
    """A plugin that cannot be found or loaded, or that broke its contract."""


class RunError(InputError):
    """A run folder that is in use, is not one, or lacks what was asked for."""


class OutsideError(SynthError):
    """The outside world failed. Nothing wrong was recorded: run again and it goes on."""

    exit_code = 3


class EngineDown(OutsideError):
    """An engine gave no answer to anybody for `give_up_after_s` seconds."""


class EngineRefused(OutsideError):
    """A server refuses every request of this run: a wrong key, model or address."""


class StorageError(OutsideError):
    """The disk is full, a folder is not writable, or a stored file is damaged."""


class SandboxUnavailable(OutsideError):
    """No isolation of the wanted level works here; nothing was executed."""


class CallFailed(SynthError):
    """One call failed for good: its record is dropped with this reason, kind "error"."""

    @property
    def reason(self) -> str:
        """The message as `code: sentence`; the code is `call_failed` if it brings none."""
        said = str(self)
        return said if _CODED.match(said) else f"call_failed: {said}"


class Outage(CallFailed):
    """A call failed in a way that may pass: no connection, a timeout, 408, 429, 5xx, garbage.

    `blames_call` tells whether this very request may be the cause (a reply cut off, a timeout, a
    500): if others succeed meanwhile, it is given up after some tries. Without it the engine waits.
    """

    def __init__(
        self, message: str, *, retry_after_s: float = 0.0, blames_call: bool = True
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.blames_call = blames_call


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known name, or else all of them; empty if none exist."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else ""
