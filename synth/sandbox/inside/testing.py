"""Run test source: apart from the program, through stand-ins; or together with it.

What comes back is one outcome for each assert, and one for each test that has none or that raised
outside of its asserts. Apart, the program's process never sees the tests. Together, a nonce marks
the results, which a program that looks for it can find: that is why their integrity is weak.
"""

from __future__ import annotations

import builtins
import gc
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import (
    asserts,
    collecting,
    fixtures,
    frames,
    making,
    one_process,
    programs,
    pytest_names,
    remote,
    stand_ins,
)

_LONGEST_MESSAGE = 500
_NAMES = re.compile(r"\w+")
_DOTTED = re.compile(r"\b(\w+)\s*\.\s*\w")
_MODULES = getattr(sys, "stdlib_module_names", frozenset[str]())  # none in Python 3.9


class Reporting:
    """Tells the outside what becomes of sites and tests."""

    def __init__(self, results: int, nonce: str) -> None:
        self._results = results
        self._nonce = nonce

    def tell(self, **told: Any) -> None:
        """Send one message."""
        frames.write(self._results, {"nonce": self._nonce, **told})

    def site(self, site: int, outcome: str, message: str) -> None:
        """Tell what an assert came to."""
        self.tell(site=site, outcome=outcome, message=message)

    def weaken(self) -> None:
        """Tell that an outcome rests on the program's word."""
        self.tell(weak=True)


def apart(payload: dict[str, Any], results: int, channel: int) -> int:
    """Run `tests` against the program at the other end of the channel."""
    gc.enable()
    reporting = Reporting(results, payload["nonce"])
    running = _prepared(payload, reporting, {})
    if running is None:
        return 0
    used = running.tests.used | set(_NAMES.findall(payload["entry_point"] + " " + payload["setup"]))
    try:
        names = remote.Link(channel, reporting.weaken).names(used)
    except remote.LoadError as error:
        reporting.tell(load=error.told)
    except remote.ProgramGoneError as gone:
        reporting.tell(gone=gone.how)
    else:
        _run(running, payload, _module_of(names), reporting)
    return 0


def _module_of(names: dict[str, Any]) -> types.ModuleType:
    module: Any = types.ModuleType("solution")
    vars(module).update(names)
    module.__all__ = [name for name in _offered(module) if not name.startswith("_")]
    return module


def _offered(solution: types.ModuleType, entry_point: str = "", tests: str = "") -> dict[str, Any]:
    """Return what tests find without an import.

    Not what would take the place of a builtin, or of a module whose names the tests use: a
    program's own `all` could answer for tests that mean Python's.
    """
    modules = _MODULES & set(_DOTTED.findall(tests))
    return {
        name: found
        for name, found in vars(solution).items()
        if not name.startswith("__")
        and (not hasattr(builtins, name) or name == entry_point)
        and (name not in modules or isinstance(found, types.ModuleType))
    }


def together(payload: dict[str, Any], results: int, _channel: int) -> int:
    """Run `tests` in the program's own process."""
    gc.enable()
    reporting = Reporting(results, payload["nonce"])
    try:
        module = programs.load(payload["code"])
    except BaseException as error:  # noqa: BLE001
        reporting.tell(load=programs.raised(error))
        return 0
    running = _prepared(payload, reporting, fixtures.OFFERED)
    if running is not None:
        _run(running, payload, module, reporting)
    return 0


def _prepared(
    payload: dict[str, Any], reporting: Reporting, offered: dict[str, Callable[..., Any]]
) -> _Running | None:
    """Return tests that can be run; None where it is told why not."""
    sites = asserts.Sites(reporting.site)
    try:
        tests = asserts.Compiled(payload["tests"], sites)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reporting.tell(unreadable=f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE])
        return None
    if tests.shared and not offered:
        reporting.tell(cannot_split=tests.shared)
        return None
    reporting.tell(sites=tests.lines)
    return _Running(tests, sites, reporting, offered)


def _run(
    running: _Running,
    payload: dict[str, Any],
    solution: types.ModuleType,
    reporting: Reporting,
) -> None:
    for name in ("solution", payload["module"]):
        sys.modules[name] = solution
    pytest_names.offer()
    try:
        running.all_of(payload, solution)
    except programs.NoEntryPointError as error:
        reporting.tell(load=programs.raised(error))
    except remote.ProgramGoneError as gone:
        reporting.tell(gone=gone.how)
    except stand_ins.CannotSplitError as error:
        reporting.tell(cannot_split=str(error))
    else:
        reporting.tell(done=True)


class _Running:
    """One run of test source."""

    def __init__(
        self,
        tests: asserts.Compiled,
        sites: asserts.Sites,
        reporting: Reporting,
        fixtures: dict[str, Callable[..., Any]],
    ) -> None:
        self.tests = tests
        self._sites = sites
        self._reporting = reporting
        self._fixtures = fixtures

    def all_of(self, payload: dict[str, Any], solution: types.ModuleType) -> None:
        """Run the module's own lines, then each test in it."""
        module = types.ModuleType("test_solution")
        sys.modules["test_solution"] = module
        source = payload["setup"] + "\n" + payload["tests"]
        offered = _offered(solution, payload["entry_point"], source)
        vars(module).update({**offered, **self.tests.names})
        entry_point = None
        if payload["entry_point"]:
            entry_point = programs.entry_point(solution, payload["entry_point"])
            vars(module)["candidate"] = entry_point
        if not self._passes("", lambda: exec(payload["setup"], vars(module))):  # noqa: S102
            return
        if not self._passes("", lambda: exec(self.tests.code, vars(module))):  # noqa: S102
            return
        for name, run in collecting.tests_in(module, self._fixtures, entry_point):
            self._count(name, run)

    def _count(self, name: str, run: Callable[[], Any]) -> None:
        before = len(self._sites.outcomes)
        own = any(owner == name for owner in self._sites.owners.values())
        try:
            passed = self._passes(name, run)
        except pytest_names.SkippedError:
            return
        if passed and not own and len(self._sites.outcomes) == before:
            self._reporting.tell(test=name, outcome="pass", message="")

    def _passes(self, name: str, run: Callable[[], Any]) -> bool:
        """Run a test; what it raises settles those of its asserts that never ran."""
        try:
            run()
        except pytest_names.SkippedError:
            raise
        except making.NoFixtureError as error:
            if not self._fixtures and error.name in one_process.FIXTURES:
                raise stand_ins.CannotSplitError(str(error)) from None
            return self._raised(name, error)
        except (remote.ProgramGoneError, stand_ins.CannotSplitError):
            raise
        except BaseException as error:  # noqa: BLE001 (SystemExit of a test is a test that raised)
            return self._raised(name, error)
        return True

    def _raised(self, name: str, error: BaseException) -> bool:
        outcome = _outcome(error)
        told = programs.raised(error)
        message = f"{told[0]}: {told[1]}"[:_LONGEST_MESSAGE]
        left = [
            site
            for site, owner in self._sites.owners.items()
            if site not in self._sites.outcomes and owner in (name, "")
        ]
        if name == "":
            left = [site for site in self._sites.owners if site not in self._sites.outcomes]
        for site in left:
            self._sites.settle(site, outcome, message)
        counted = isinstance(error, AssertionError) and self._failed(name)
        if not left and not counted:
            self._reporting.tell(test=name, outcome=outcome, message=message)
        return False

    def _failed(self, name: str) -> bool:
        return any(
            self._sites.outcomes.get(site, "pass") != "pass"
            for site, owner in self._sites.owners.items()
            if owner == name
        )


def _outcome(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return "fail"
    return "memory" if isinstance(error, MemoryError) else "error"
