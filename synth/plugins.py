"""Find engines, stages and verifiers by name; ours come through the same door as anyone's.

Names are entry points of the groups `synth.engines`, `synth.stages` and `synth.verifiers`. Listing them
imports nothing; a plugin is loaded when it is used, and one that is broken is named and hurts nobody else.
A name may also be `module:Class` or `./file.py:name`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import EntryPoint, distribution, entry_points
from pathlib import Path
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
    """Name and version of its distribution, or `file NAME DIGEST`: part of what a verdict is keyed by."""


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
        found = _from_file(name, folder or Path())
    elif ":" in name:
        found = _from_module(kind, name)
    else:
        found = _from_entry(kind, name)
    expected = _EXPECTED[kind]
    if not (isinstance(found.cls, type) and issubclass(found.cls, expected)):
        wanted = " or ".join(f"synth.{cls.__name__}" for cls in expected)
        raise PluginError(f"{name!r} ({found.source}) must be a subclass of {wanted}, is {found.cls!r}")
    return found


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
        known = _entries(kind)
        raise PluginError(
            f"no {kind[:-1]} named {name!r}. {did_you_mean(name, known)} "
            f"`synth plugins` lists all {len(known)}."
        )
    if len(entries) > 1:
        sources = " and ".join(_source(entry) for entry in entries)
        targets = " or ".join(repr(entry.value) for entry in entries)
        raise PluginError(f"{sources} both bring a {kind[:-1]} named {name!r}. Say which: {targets}.")
    entry = entries[0]
    try:
        return Found(entry.load(), _source(entry))
    except Exception as error:
        raise PluginError(
            f"the {kind[:-1]} {name!r} of {_source(entry)} does not load: "
            f"{type(error).__name__}: {error}"
        ) from error


def _from_module(kind: Kind, name: str) -> Found:
    module_name, _, attribute = name.partition(":")
    for entries in _entries(kind).values():
        for entry in entries:
            if entry.value == name:
                return Found(entry.load(), _source(entry))
    try:
        loaded = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"cannot load {name!r}: {error}") from error
    return Found(loaded, _module_source(module_name))


def _module_source(module_name: str) -> str:
    top = module_name.partition(".")[0]
    try:
        found = distribution(top)
        return f"{found.name} {found.version}"
    except importlib.metadata.PackageNotFoundError:
        file = getattr(sys.modules[module_name], "__file__", None)
        return f"file {Path(file).name} {_file_digest(Path(file))}" if file else top


def _file_digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _from_file(name: str, folder: Path) -> Found:
    file, _, attribute = name.rpartition(":")
    path = (folder / file).resolve()
    if not path.is_file():
        raise PluginError(f"no file {file!r} for the plugin {name!r}")
    content = _file_digest(path)
    module_name = f"synth_file_{path.stem}_{content}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{file!r} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise PluginError(f"{file!r} does not load: {type(error).__name__}: {error}") from error
    if not hasattr(sys.modules[module_name], attribute):
        raise PluginError(f"{file!r} has no {attribute!r}")
    return Found(getattr(sys.modules[module_name], attribute), f"file {path.name} {content}")
