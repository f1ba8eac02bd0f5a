"""The first lines of a zygote: take our modules from what came over standard input, then serve."""

from __future__ import annotations

import builtins
import importlib.machinery
import os
import sys
import types
from typing import Any

_PACKAGES = ("synth", "synth.sandbox", "synth.sandbox.inside")


class _Sent:
    """Finds modules by their sources in a dict; folders of the project are not in the sandbox."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in self._sources and fullname not in _PACKAGES:
            return None
        loader: Any = self  # no subclass of Loader, whose module alone would load forty others
        package = fullname in _PACKAGES
        return importlib.machinery.ModuleSpec(fullname, loader, is_package=package)

    def create_module(self, spec: Any) -> None:
        """Leave it to the import system to make the module."""

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        code = compile(self._sources.get(name, ""), f"<{name}>", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 (our own sources)


def main(sent: dict[str, Any]) -> None:
    """Become a zygote with the setting that was sent."""
    setting = sent["setting"]
    sys.path[:] = [folder for folder in sys.path if folder] + setting["packages"]
    finder = _Sent(sent["sources"])
    importing: list[Any] = sys.meta_path
    importing.insert(0, finder)
    os.environ.update(setting["variables"])
    builtins.exit = builtins.quit = sys.exit  # as `site` would, which is not loaded

    from synth.sandbox.inside import modes, zygote

    if setting["tests"]:
        modes.offer_tests()
    importing.remove(finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "synth"]:
        del sys.modules[name]  # a program finds no module of ours, and may call its own so
    zygote.main(setting["control"], setting)
