"""What pytest offers to tests that share a process with the program."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pathlib
import tempfile
import types
from collections.abc import Callable, Iterator
from typing import Any

_MISSING = object()


def tmp_path() -> pathlib.Path:
    """Return a new folder in the scratch folder."""
    return pathlib.Path(tempfile.mkdtemp(dir=os.getcwd()))  # noqa: PTH109 (it is short-lived)


class Captured:
    """What was printed since it was last read."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()

    def readouterr(self) -> Any:
        """Return it as `out` and `err`."""
        read = types.SimpleNamespace(out=self.out.getvalue(), err=self.err.getvalue())
        for stream in (self.out, self.err):
            stream.truncate(stream.seek(0))
        return read


def capsys() -> Iterator[Captured]:
    """Keep what is printed for the test."""
    captured = Captured()
    with contextlib.redirect_stdout(captured.out), contextlib.redirect_stderr(captured.err):
        yield captured


class Patches:
    """Changes of attributes, items and variables, undone after the test."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def setattr(self, target: Any, name: Any, value: Any = _MISSING, raising: bool = True) -> None:
        """Set an attribute of an object, or of what a dotted path names."""
        if isinstance(target, str) and value is _MISSING:
            path, _, attribute = target.rpartition(".")
            target, name, value = _found(path), attribute, name
        before = getattr(target, name) if raising else getattr(target, name, _MISSING)
        self._undo.append(lambda: _put_back(target, name, before))
        setattr(target, name, value)

    def delattr(self, target: Any, name: str) -> None:
        """Delete an attribute."""
        before = getattr(target, name)
        self._undo.append(lambda: setattr(target, name, before))
        delattr(target, name)

    def setitem(self, mapping: Any, key: Any, value: Any) -> None:
        """Set an item of a mapping."""
        before = dict(mapping)
        self._undo.append(lambda: (mapping.clear(), mapping.update(before)))
        mapping[key] = value

    def delitem(self, mapping: Any, key: Any) -> None:
        """Delete an item of a mapping."""
        self.setitem(mapping, key, None)
        del mapping[key]

    def setenv(self, name: str, value: str) -> None:
        """Set a variable of the environment."""
        self.setitem(os.environ, name, value)

    def delenv(self, name: str, raising: bool = True) -> None:
        """Delete a variable of the environment."""
        if raising or name in os.environ:
            self.delitem(os.environ, name)

    def chdir(self, folder: Any) -> None:
        """Change the working folder."""
        before = os.getcwd()  # noqa: PTH109 (as it was)
        self._undo.append(lambda: os.chdir(before))
        os.chdir(folder)

    def undo(self) -> None:
        """Undo all, the last one first."""
        while self._undo:
            self._undo.pop()()


def _found(path: str) -> Any:
    module, *attributes = path.split(".")
    found: Any = importlib.import_module(module)
    for number, name in enumerate(attributes, 1):
        if not hasattr(found, name):
            importlib.import_module(".".join((module, *attributes[:number])))
        found = getattr(found, name)
    return found


def _put_back(target: Any, name: str, before: Any) -> None:
    if before is _MISSING:
        delattr(target, name)
    else:
        setattr(target, name, before)


def monkeypatch() -> Iterator[Patches]:
    """Let the test change things until it ends."""
    patches = Patches()
    try:
        yield patches
    finally:
        patches.undo()


OFFERED: dict[str, Callable[..., Any]] = {
    "tmp_path": tmp_path,
    "capsys": capsys,
    "monkeypatch": monkeypatch,
}
