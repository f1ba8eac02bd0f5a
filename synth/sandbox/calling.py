"""Inputs in, values out: calls of a function, and programs that read and print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from synth.errors import OutsideError
from synth.sandbox.inside import frames, values
from synth.sandbox.levels import Pool
from synth.sandbox.outcome import Call, Ran, Result, ending, of_exception
from synth.sandbox.runs import Ended, LostError, Run

_MOST_PROCESSES = 8
_ATTEMPTS = 2
_FEW = 4
_NO_TIME: Final = Result("killed", message="not run: the time was used up by others")
_UNREADABLE: Final = Result("error", message="it wrote what is no result")


def run_once(pool: Pool, run: Run, most: int) -> tuple[Ended, list[Any]]:
    """Run a program and return how it ended, with at most so many messages, and one more.

    A broken sandbox is tried again.

    Raises OutsideError where it breaks twice.
    """
    told = ""
    for _ in range(_ATTEMPTS):
        zygote = pool.zygote()
        try:
            zygote.begin(run)
            ended = zygote.finish()
        except LostError as error:
            told = str(error)
        else:
            messages = received(ended.written["results"], most)
            if messages and messages[0] == {"ready": 1}:
                return ended, messages[1:]
            told = ended.written["stderr"].decode(errors="replace").strip() or ended.why
        pool.drop("program")
    raise OutsideError(f"the sandbox failed twice to run a program: {told}")


def received(written: bytes, most: int) -> list[Any]:
    """Return the first messages in what a process wrote; None for what is none, and for more."""
    bodies, rest = frames.split(written, most)
    return [*map(_message, bodies), *([None] if rest else [])]


def _message(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def as_mapping(message: Any) -> Mapping[str, Any]:
    """Return a message that is an object; an empty one in place of any other."""
    return cast("Mapping[str, Any]", message) if isinstance(message, dict) else {}


def call(pool: Pool, code: str, entry_point: str, calls: Sequence[Call]) -> Ran:
    """See Sandbox.call."""
    sandbox, results, cpu_s = pool.sandbox, list[Result](), 0.0
    most_s = sandbox.limits["cpu"]
    for _ in range(_MOST_PROCESSES):
        limits = {**sandbox.limits, "cpu": max(1, round(most_s - cpu_s))}
        left = calls[len(results) :]
        payload = frames.packed(
            {"code": code, "entry_point": entry_point, "calls": [_tagged(one) for one in left]}
        )
        run = Run("calls", limits, payload, room=sandbox.room, command=pool.command)
        ended, messages = run_once(pool, run, len(left) + 1)
        results += _results(messages, len(left), ended, limits["cpu"])
        cpu_s += ended.cpu_s
        if len(results) == len(calls) or results[-1].outcome == "timeout" or cpu_s > most_s:
            break
    results += [_NO_TIME] * (len(calls) - len(results))
    return Ran(tuple(results), pool.level)


def _tagged(one: Call) -> list[Any]:
    return [values.encode(list(one.args)), values.encode(dict(one.kwargs))]


def _results(messages: Sequence[Any], wanted: int, ended: Ended, cpu_s: float) -> list[Result]:
    """Return the results of a process; where it ended early, the last one says how."""
    if ended.why == "output" and messages and messages[-1] is None:
        messages = messages[:-1]  # the one that was cut off
    if messages and "load" in as_mapping(messages[0]):
        return [of_exception(_exception(messages[0]["load"]))] * wanted
    results: list[Result] = []
    for number, message in enumerate(messages[:wanted]):
        results.append(_result(message, number))
        if results[-1] is _UNREADABLE:
            return results + [_UNREADABLE] * (wanted - len(results))
    if len(messages) > wanted:
        return [_UNREADABLE] * wanted
    if len(results) < wanted:
        word, message = ending(ended, cpu_s) or ("early_exit", "it ended itself with code 0")
        results.append(Result(word, message=message))
    return results


def _result(message: Any, number: int) -> Result:
    said = as_mapping(message)
    if said.get("n") != number:
        return _UNREADABLE
    if "ex" in said:
        return of_exception(_exception(said["ex"]))
    try:
        return Result("returned", values.decode(said["ok"]))
    except values.UNREADABLE:
        return _UNREADABLE


def _exception(told: Any) -> list[Any]:
    """Return what is told of an exception, whoever wrote it."""
    match told:
        case [str(name), str(message), int(line)]:
            return [name[:80], message[:500], line]
        case _:
            return ["Exception", "", 0]


def run(pool: Pool, code: str, stdin: str) -> Ran:
    """See Sandbox.run."""
    sandbox = pool.sandbox
    asked = Run(
        "program",
        sandbox.limits,
        frames.packed({"code": code}),
        stdin=stdin.encode(errors="surrogatepass"),
        room=sandbox.room,
        command=pool.command,
    )
    ended, messages = run_once(pool, asked, _FEW)
    stdout = ended.written["stdout"][: sandbox.room["stdout"]].decode(errors="replace")
    raised = [said["load"] for said in map(as_mapping, messages) if "load" in said]
    by = ending(ended, sandbox.cpu_s)
    if by is not None and by[0] != "early_exit":
        result = Result(by[0], message=by[1])
    elif raised:
        told = of_exception(_exception(raised[0]))
        exits = told.outcome == "early_exit"
        result = Result("error", message=told.message) if exits else told
    else:
        result = Result("returned" if by is None else "error", message=by[1] if by else "")
    return Ran((result,), pool.level, stdout=stdout)
