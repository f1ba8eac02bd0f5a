"""The languages that a sandbox runs: Python in the zygote itself, others in their own executable.

A language is an object that an entry point of the group `synth.languages` names. Its driver speaks
the same frames and tagged values as ours (`inside/frames.py`, `inside/values.py`): it finds the
payload on descriptor 3, tells results on 4 and talks to the other half of a split check on 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from synth.errors import InputError, PluginError, did_you_mean

GROUP = "synth.languages"
Limits = Mapping[str, Any]
"""`cpu` and `wall` in seconds; `memory` (address space), `data`, `scratch` and `stack` in bytes,
`threads` and `files` as numbers; None for no limit."""


def _as_they_are(limits: Limits) -> Limits:
    return limits


@dataclass(frozen=True, slots=True)
class Executable:
    """The program that runs a language, as it is installed here."""

    command: Callable[[Limits], tuple[str, ...]]
    """Its path and options, under the limits of the process; the mode (calls, program, target,
    tests, together) is put at the end."""
    files: tuple[str, ...]
    """The files and folders that it reads, itself included; all else is out of reach."""


@dataclass(frozen=True, slots=True)
class Language:
    """How code of one language is run."""

    name: str
    executable: Callable[[], Executable] | None = None
    """Finds what runs it; raises InputError that says what to install. None: the zygote's Python.
    """
    limits: Callable[[Limits], Limits] = field(default=_as_they_are)
    """Makes of the limits that a recipe names those of the process: its own share on top."""


PYTHON = Language("python")


@cache
def language(name: str) -> Language:
    """Return a language by its name. Raises PluginError where there is none, or it is broken."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        hint = did_you_mean(name, found)
        raise PluginError(f"no language named {name!r} for the sandbox. {hint}")
    try:
        loaded = found[name].load()
    except Exception as error:
        raise PluginError(f"the language {name!r} cannot be loaded: {error}") from error
    if not isinstance(loaded, Language):
        raise PluginError(f"the language {name!r} is {loaded!r}, wanted a Language")
    return loaded


@cache
def executable(name: str) -> Executable | None:
    """Return what runs a language; None where the zygote does. Raises PluginError, InputError."""
    found = language(name).executable
    try:
        return found() if found else None
    except OSError as error:
        raise InputError(f"the sandbox cannot run {name}: {error}") from error
