"""Verifiers that do what the records tell them, be it ever so bad, and some that keep a log."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import PrivateAttr

from synth import Chat, ModelVerifier, RecipeFile, Record, Sampling, Services, Verdict, Verifier


def _hang() -> Any:
    # In C and with the lock of the interpreter held: no thread of this process gets a turn.
    ctypes.PyDLL(None).sleep(1000)


def _fork() -> Verdict:
    subprocess.Popen(["sleep", "1000"])
    return Verdict.passed()


def _fork_and_die() -> None:
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(3)


def _allocate() -> Verdict:
    return Verdict.passed(evidence={"size": len(bytearray(1 << 30))})


class Echoing(Verifier):
    """Give the score that was given last."""

    reads_judgements = True

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        return [Verdict.passed(score=one.judgements[-1].verdict.score) for one in records]


def _print() -> Verdict:
    print("noise " * 2000, flush=True)  # noqa: T201 (what verifiers do)
    os.write(1, b"more noise")
    return Verdict.passed()


def _read_input() -> Verdict:
    cat = subprocess.run(["cat"], capture_output=True, check=True)
    return Verdict.passed(evidence={"input": sys.stdin.read() + cat.stdout.decode()})


def _raise() -> None:
    raise ValueError("I do not like it \ud800")


def _raise_coded() -> None:
    raise ValueError("odd_text: it is odd")


DEEDS: dict[str, Callable[[], Any]] = {
    "pass": Verdict.passed,
    "fail": lambda: Verdict.failed("bad", "it is bad"),
    "raise": _raise,
    "raise_coded": _raise_coded,
    "hang": _hang,
    "exit": lambda: os._exit(3),
    "sys_exit": lambda: sys.exit(1),
    "segfault": lambda: ctypes.string_at(0),
    "allocate": _allocate,
    "none": lambda: None,
    "maybe": lambda: Verdict("maybe"),  # pyright: ignore[reportArgumentType]
    "error": lambda: Verdict("error", "mine: I say so"),
    "set": lambda: Verdict.passed(evidence={"spans": {1, 2}}),
    "surrogate": lambda: Verdict.failed("odd", "half a pair: \ud800"),
    "print": _print,
    "read_input": _read_input,
    "fork": _fork,
    "fork_and_die": _fork_and_die,
    "nap": lambda: time.sleep(0.05) or Verdict.passed(),
}


class Odd(Verifier):
    """Do to each record what its field `text` says; `few` makes the answer too short."""

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        texts = [record.fields["text"] for record in records]
        verdicts = [DEEDS.get(text, Verdict.passed)() for text in texts]
        return verdicts[1:] if "few" in texts else verdicts


class Unmakable(Verifier):
    """Can be made by the run, not by a worker."""

    def model_post_init(self, context: Any) -> None:
        if os.getsid(0) == os.getpid():
            raise RuntimeError("no library here")


class SlowToMake(Verifier):
    """Take its time to be made, as an import of a large library does."""

    def model_post_init(self, context: Any) -> None:
        time.sleep(0.3)

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        return [Verdict.passed() for _ in records]


class Seen(Verifier):
    """Fail what was seen before, telling what came just before it.

    A field `text` that begins with "die" kills the worker.
    """

    in_order: ClassVar[bool] = True

    _seen: dict[str, str] = PrivateAttr(default_factory=dict[str, str])
    _previous: str = PrivateAttr("")

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        return [self._judged(record) for record in records]

    def _judged(self, record: Record) -> Verdict:
        text = str(record.fields.get("text") or record.fields["n"] % 3)
        previous, self._previous = self._previous, record.id
        if text in self._seen:
            return Verdict.failed("seen", f"as {self._seen[text]}, after {previous}")
        self._seen[text] = record.id
        if text.startswith("die"):
            os._exit(1)
        return Verdict.passed()


class Nth(ModelVerifier):
    """Ask the engine `teacher` about each record, and pass with the record's number in the run."""

    in_order: ClassVar[bool] = True

    _count: int = PrivateAttr(0)

    def engines(self) -> tuple[str, ...]:
        return ("teacher",)

    async def judge(self, records: Sequence[Record], services: Services) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for record in records:
            asked = Chat(({"role": "user", "content": "Is it fine?"},))
            await services.complete("teacher", asked, Sampling(), record, step="fine")
            self._count += 1
            verdicts.append(Verdict.passed(score=float(self._count)))
        return verdicts


class Logged(Verifier):
    """Pass everything, and write a line for each record to the file `log`."""

    version: ClassVar[str] = "1"

    log: str
    """Where the lines go."""
    threshold: int = 0
    """An option that changes nothing but the key."""
    rules: RecipeFile | None = None
    """A file that changes nothing but the key."""
    seconds: float = 0.0
    """How long each record takes."""

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        with Path(self.log).open("a") as log:
            for record in records:
                time.sleep(self.seconds)
                log.write(f"{time.time()} {record.id}\n")
        return [Verdict.passed() for _ in records]


class Asking(ModelVerifier):
    """Ask the engine about each record, and do what its field `text` says."""

    def engines(self) -> tuple[str, ...]:
        return ("teacher",)

    async def judge(self, records: Sequence[Record], services: Services) -> Sequence[Verdict]:
        async with asyncio.TaskGroup() as tasks:
            for record in records:
                tasks.create_task(self._ask(record, services))
        texts = [record.fields["text"] for record in records]
        return [DEEDS.get(text, Verdict.passed)() for text in texts if text != "few"]

    async def _ask(self, record: Record, services: Services) -> None:
        asked = Chat(({"role": "user", "content": record.fields["text"]},))
        await services.complete("teacher", asked, Sampling(), record, step="judge")
