"""Run code and call it, or run it as a program: plain inputs in, plain values out."""

from __future__ import annotations

import atexit
import gc
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import frames, values

FILE = "<program>"
_LONGEST_MESSAGE = 500
Raised = list[Any]
"""The name of an exception's type, its message, and the line of the program, 0 if there is none."""


class NoEntryPointError(Exception):
    """The code does not define what is to be called."""


def load(code: str, name: str = "solution") -> types.ModuleType:
    """Return the module that code makes. Raises whatever the code raises."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(code, FILE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 (in the jail)
    return module


def entry_point(module: types.ModuleType, path: str) -> Any:
    """Return what a dotted path names; a method is that of a new instance of its class.

    Raises NoEntryPointError.
    """
    found: Any = module
    for part in path.split("."):
        owner = found
        found = getattr(owner, part, None)
        if found is None:
            raise NoEntryPointError(f"the code defines no {path!r}")
        if isinstance(owner, type) and not isinstance(found, type):
            found = getattr(owner(), part)
    return found


def raised(error: BaseException) -> Raised:
    """Return what is told of an exception."""
    try:
        message = str(error)[:_LONGEST_MESSAGE]
    except BaseException:  # noqa: BLE001 (the program's own __str__)
        message = ""
    return [type(error).__name__[:80], message, _line(error)]


def _line(error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return error.lineno or 0
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def attempt(function: Callable[[], Any]) -> dict[str, Any]:
    """Return what a call returned, tagged, or what it raised."""
    try:
        return {"ok": values.encode(function())}
    except BaseException as error:  # noqa: BLE001 (SystemExit too: that is an outcome)
        return {"ex": raised(error)}


def calls(payload: dict[str, Any], results: int, _channel: int) -> int:
    """Call the entry point of `code` with each of `calls`; one frame for each."""
    gc.enable()
    try:
        function = entry_point(load(payload["code"]), payload["entry_point"])
    except BaseException as error:  # noqa: BLE001
        frames.write(results, {"load": raised(error)})
        return 0
    for number, (args, kwargs) in enumerate(payload["calls"]):
        said = attempt(lambda given=(args, kwargs): _called(function, *given))
        frames.write(results, {"n": number, **said})
    return 0


def _called(function: Any, args: Any, kwargs: Any) -> Any:
    return function(*values.decode(args), **values.decode(kwargs))


def program(payload: dict[str, Any], results: int, _channel: int) -> int:
    """Run `code` as `__main__`; what it raises is a frame, its exit code is that of the process."""
    gc.enable()
    sys.argv[:] = ["program.py"]
    code, told = 0, None
    try:
        load(payload["code"], "__main__")
        _wait_for_threads()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        told = raised(ended) if code else None
    except BaseException as error:  # noqa: BLE001
        code, told = 1, raised(error)
    if told is not None:
        frames.write(results, {"load": told})
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    if not sys.stdout.closed:
        sys.stdout.flush()
    frames.write(results, {"done": code & 0xFF})
    return code & 0xFF


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
