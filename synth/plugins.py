"""Find engines, stages and verifiers by name; ours come through the same door as anyone's.

Names are entry points of the groups `synth.engines`, `synth.stages` and `synth.verifiers`. Listing
them imports nothing; a plugin is loaded when it is used, and one that is broken is named and hurts
nobody else. A name may also be `module:Class` or `./file.py:name`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import EntryPoint, entry_points, packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from synth.engine.base import Engine
from synth.errors import PluginError, did_you_mean
from synth.frozen import validated
from synth.stage import Stage
from synth.verification import ModelVerifier, Verifier

Kind = Literal["engines", "stages", "verifiers"]
KINDS: tuple[Kind, ...] = ("engines", "stages", "verifiers")
_EXPECTED: dict[str, tuple[type, ...]] = {
    "engines": (Engine,),
    "stages": (Stage,),
    "verifiers": (Verifier, ModelVerifier),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A plugin that is installed; not yet imported."""

    kind: Kind
    name: str
    target: str
    """`module:attribute`."""
    source: str
    """Name and version of the distribution that brings it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A loaded plugin class and where it came from."""

    cls: type[Any]
    source: str
    """Name and version of its distribution, or `file NAME DIGEST`: a verdict's key holds it."""


@cache
def _entries(kind: Kind) -> dict[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=f"synth.{kind}"):
        same = [other for other in found.get(entry.name, ()) if other.value == entry.value]
        if not same:
            found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def _source(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"


def listed(kind: Kind) -> list[Listed]:
    """Return what is installed, by name, without importing any of it."""
    return [
        Listed(kind, name, entry.value, _source(entry))
        for name, entries in sorted(_entries(kind).items())
        for entry in entries
    ]


def find(kind: Kind, name: str, *, folder: Path | None = None) -> Found:
    """Return the plugin called `name`. Relative files are looked up in `folder`.

    Raises PluginError that says what was looked for, what was found and which names exist.
    """
    if ".py:" in name:
        found = _from_file(kind, name, folder or Path())
    elif ":" in name:
        found = _from_module(kind, name)
    else:
        found = _from_entry(kind, name)
    _refuse_wrong_kind(kind, name, found.cls, found.source)
    return found


def _refuse_wrong_kind(kind: Kind, name: str, cls: object, source: str) -> None:
    expected = _EXPECTED[kind]
    if isinstance(cls, type) and issubclass(cls, expected):
        return
    choice = " or ".join(f"synth.{wanted.__name__}" for wanted in expected)
    plain_function = kind == "verifiers" and inspect.isfunction(cls)
    hint = "; decorate it with @synth.verifier" if plain_function else ""
    raise PluginError(
        f"the {kind[:-1]} {name!r} ({source}) must be a subclass of {choice}, is {cls!r}{hint}"
    )


@dataclass(frozen=True, slots=True)
class VerifierSpec:
    """How to make a verifier again, in this process or another."""

    name: str
    """As the recipe wrote it."""
    options: str
    """Its options as the recipe wrote them, as JSON."""
    folder: str
    """Where the recipe's files lie."""

    def make(self) -> Verifier | ModelVerifier:
        """Return the verifier. Raises PluginError or pydantic's ValidationError."""
        folder = Path(self.folder)
        cls = find("verifiers", self.name, folder=folder).cls
        return validated(cls, json.loads(self.options), folder=folder)


def _from_entry(kind: Kind, name: str) -> Found:
    entries = _entries(kind).get(name, ())
    if not entries:
        raise PluginError(_unknown(kind, name))
    entry, *others = entries
    if others:
        sources = " and ".join(_source(entry) for entry in entries)
        targets = " or ".join(repr(entry.value) for entry in entries)
        raise PluginError(
            f"{sources} both bring a {kind[:-1]} named {name!r}. Say which: {targets}."
        )
    return _loaded(kind, entry)


def _unknown(kind: Kind, name: str) -> str:
    known = _entries(kind)
    for other in KINDS:
        if name in _entries(other):
            return f"no {kind[:-1]} named {name!r}; there is a {other[:-1]} of that name"
    hint = did_you_mean(name, known)
    return f"no {kind[:-1]} named {name!r}. {hint} `synth plugins` lists all {len(known)}."


def _loaded(kind: Kind, entry: EntryPoint) -> Found:
    with _blamed_on(f"the {kind[:-1]} {entry.name!r} of {_source(entry)}"):
        return Found(entry.load(), _source(entry))


@contextmanager
def _blamed_on(plugin: str) -> Generator[None, None, None]:
    """Turn whatever a plugin's code raises while it is imported into a PluginError that names it.

    SystemExit counts: a script without a main guard must not end the run.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        raise PluginError(f"{plugin} does not load: {type(error).__name__}: {error}") from error


def _from_module(kind: Kind, name: str) -> Found:
    for entries in _entries(kind).values():
        for entry in entries:
            if entry.value == name:
                return _loaded(kind, entry)
    module_name, _, attribute = name.partition(":")
    with _blamed_on(f"the {kind[:-1]} {name!r}"):
        found = getattr(importlib.import_module(module_name), attribute)
    return Found(found, _module_source(module_name))


def _module_source(module_name: str) -> str:
    brought_by = packages_distributions().get(module_name.partition(".")[0], ())
    if brought_by:
        return f"{brought_by[0]} {version(brought_by[0])}"
    file = getattr(sys.modules[module_name], "__file__", None)
    return f"file {Path(file).name} {_file_digest(Path(file))}" if file else module_name


def _file_digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _from_file(kind: Kind, name: str, folder: Path) -> Found:
    file, _, attribute = name.rpartition(":")
    path = (folder / file).resolve()
    if not path.is_file():
        raise PluginError(f"no file {file!r} beside the recipe, for the {kind[:-1]} {name!r}")
    content = _file_digest(path)
    module = _module_of(path, content)
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise PluginError(f"{file!r} has no {attribute!r}. {did_you_mean(attribute, public)}")
    return Found(getattr(module, attribute), f"file {path.name} {content}")


def _module_of(path: Path, content: str) -> ModuleType:
    """Return the file as a module, run once for the same content."""
    name = f"synth_file_{path.stem}_{content}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Before it runs: classes look their module up while they are made.
    sys.modules[name] = module
    try:
        with _blamed_on(repr(path.name)):
            spec.loader.exec_module(module)
    except PluginError:
        del sys.modules[name]
        raise
    return module
