"""Tests against a program: in two processes that share a socket, or in one where they must."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from synth.errors import OutsideError
from synth.sandbox.calling import as_mapping, received
from synth.sandbox.inside import frames
from synth.sandbox.levels import Pool
from synth.sandbox.outcome import Ran, Result, Word, ending, of_exception
from synth.sandbox.runs import Ended, LostError, Run

_ATTEMPTS = 2
_MOST_MESSAGES = 20_000
_OUTCOMES: Final = ("pass", "fail", "error", "memory")
_LONGER_S = 1.0
_NO_TESTS: Final = Result("error", message="no_tests: the tests assert nothing")


@dataclass(frozen=True, slots=True)
class Given:
    """What is checked against what."""

    code: str
    tests: str
    entry_point: str = ""
    setup: str = ""
    module: str = "solution"


class _Cannot(Exception):  # noqa: N818 (a fact about the tests)
    """The tests need the program in their own process."""


def check(pool: Pool, given: Given) -> Ran:
    """See Sandbox.check."""
    try:
        return _repeated(pool, given, _apart)
    except _Cannot:
        return _repeated(pool, given, _together)


def _repeated(pool: Pool, given: Given, how: Any) -> Ran:
    told = ""
    for _ in range(_ATTEMPTS):
        try:
            return how(pool, given)
        except LostError as error:
            told = str(error)
            pool.close()
    raise OutsideError(f"the sandbox failed twice to run tests: {told}")


def _payload(given: Given, nonce: str, *, code: bool) -> bytes:
    asked = {
        "tests": given.tests,
        "entry_point": given.entry_point,
        "setup": given.setup,
        "module": given.module,
        "nonce": nonce,
    }
    return frames.packed({**asked, "code": given.code} if code else asked)


def _apart(pool: Pool, given: Given) -> Ran:
    sandbox, nonce = pool.sandbox, secrets.token_hex(16)
    program, tests = pool.zygote("program"), pool.zygote("tests")
    ours, theirs = socket.socketpair()
    limits = sandbox.limits
    output = {name: room for name, room in sandbox.room.items() if name != "results"}
    program.begin(
        Run(
            "target",
            limits,
            frames.packed({"code": given.code}),
            channel=ours.detach(),
            room=output,
            command=pool.command,
        )
    )
    # The tests wait for the program: theirs is the longer time, so that its end is what is told.
    longer = {**limits, "wall": limits["wall"] + _LONGER_S}
    asked = _payload(given, nonce, code=False)
    try:
        channel, room = theirs.detach(), sandbox.room
        last = frames.packed({"nonce": nonce, "done": True})
        tests.begin(
            Run(
                "tests",
                longer,
                asked,
                channel=channel,
                room=room,
                command=pool.command,
                last=last,
            )
        )
        told = tests.finish(beside=program)
    except BaseException:
        program.leave()
        raise
    report = _Report(received(told.written["results"], _MOST_MESSAGES), nonce)
    if report.done:
        program.leave()
        return Ran(_counted(report), pool.level, report.integrity)
    if report.gone != "end":
        program.end()
    ended = program.finish()
    if not report.ready:
        raise LostError(told.written["stderr"].decode(errors="replace").strip() or told.why)
    if report.cannot_split:
        raise _Cannot(report.cannot_split)
    return Ran(_results(report, ended, told, sandbox.cpu_s), pool.level, report.integrity)


def _together(pool: Pool, given: Given) -> Ran:
    sandbox, nonce = pool.sandbox, secrets.token_hex(16)
    zygote = pool.zygote("tests")
    asked = _payload(given, nonce, code=True)
    room = sandbox.room
    zygote.begin(Run("together", sandbox.limits, asked, room=room, command=pool.command))
    ended = zygote.finish()
    report = _Report(received(ended.written["results"], _MOST_MESSAGES), nonce)
    if not report.ready:
        raise LostError(ended.written["stderr"].decode(errors="replace").strip() or ended.why)
    return Ran(_results(report, ended, ended, sandbox.cpu_s), pool.level, "weak")


class _Report:
    """What the tests' process told: the last word for each assert and test."""

    def __init__(self, messages: Sequence[Any], nonce: str) -> None:
        self.ready = bool(messages) and messages[0] == {"ready": 1}
        self.sites: list[Result | None] = []
        self.tests: list[Result] = []
        self.load: Result | None = None
        self.unreadable = ""
        self.cannot_split = ""
        self.gone = ""
        """How the program went: `end`, or `nonsense` in place of an answer."""
        self.done = self.weak = False
        for message in messages[1:]:
            told = as_mapping(message)
            if told.get("nonce") == nonce:
                self._take(told)

    @property
    def integrity(self) -> Any:
        return "weak" if self.weak else "strong"

    def _take(self, told: Mapping[str, Any]) -> None:
        if "sites" in told:
            self.sites = [None] * len(told["sites"])
        elif "outcome" in told:
            result = Result(_word(told["outcome"]), message=str(told["message"]))
            if "site" in told:
                self.sites[told["site"]] = result
            else:
                self.tests.append(result)
        elif "load" in told:
            self.load = of_exception(told["load"])
        self.unreadable = str(told.get("unreadable", self.unreadable))
        self.cannot_split = str(told.get("cannot_split", self.cannot_split))
        self.done = self.done or "done" in told
        self.gone = str(told.get("gone", self.gone))
        self.weak = self.weak or "weak" in told


def _word(told: Any) -> Word:
    return told if told in _OUTCOMES else "error"


def _results(report: _Report, program: Ended, tests: Ended, cpu_s: float) -> tuple[Result, ...]:
    """Return one result for each assert; where the end came first, it is theirs."""
    if report.unreadable:
        return (Result("error", message=f"unreadable_tests: {report.unreadable}"),)
    if report.load is not None:
        return (report.load,) * max(1, len(report.sites))
    if report.done:
        return _counted(report)
    by = _what_ended(report, program, tests, cpu_s)
    left = [site or by for site in report.sites]
    # Where all asserts had held already, what ended the run came of something else in a test.
    return (*left, *report.tests, *([] if by in left else [by]))


def _counted(report: _Report) -> tuple[Result, ...]:
    """Return the results of tests that ran to their end; an assert that never ran is none."""
    ran = [site for site in report.sites if site is not None]
    return (*ran, *report.tests) or (_NO_TESTS,)


def _what_ended(report: _Report, program: Ended, tests: Ended, cpu_s: float) -> Result:
    """Return how the program ended, or the tests, if nobody but us ended the program."""
    by = ending(program, cpu_s)
    if by is None or by[0] == "killed":
        by = ending(tests, cpu_s) or by or ("early_exit", "it ended itself with code 0")
    if report.gone == "nonsense" and program.why == "killed":
        by = "error", "it answered with what is no answer"
    return Result(by[0], message=by[1])
