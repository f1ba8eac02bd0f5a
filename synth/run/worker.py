"""The process in which CPU verifiers judge, from the inside.

It reads requests from what was its standard input and answers on what was its standard output, both
as a length and a pickle. A verifier sees an empty input, and what it prints goes to standard error.
The process ends when its input does or its run dies, so no worker outlives its run.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from ctypes import CDLL
from dataclasses import dataclass
from typing import Any, BinaryIO

from synth.plugins import VerifierSpec
from synth.record import Record, Verdict, canonical
from synth.run.boundary import reason
from synth.verification import ModelVerifier, Verifier

SIZE_BYTES = 8
READY = b"ready"
_OUTCOMES = ("pass", "fail", "abstain")
_PR_SET_PDEATHSIG = 1
_ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000


@dataclass(frozen=True, slots=True)
class Request:
    """Records to be judged by one verifier; none: just make it."""

    spec: VerifierSpec
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Answer:
    """Verdicts, or why there are none."""

    verdicts: Sequence[Verdict] = ()
    error: str = ""
    """What the verifier raised or how it broke its contract, as `code: sentence`."""
    seconds: float = 0.0


def contract_broken(verdicts: Sequence[Any], wanted: int) -> str:
    """Return, as `code: sentence`, how a verifier's answer is none; empty if all is well."""
    if len(verdicts) != wanted:
        return f"wrong_length: the verifier gave {len(verdicts)} verdicts for {wanted} records"
    return next((wrong for verdict in verdicts if (wrong := _unfit(verdict))), "")


def _unfit(verdict: Any) -> str:
    if not isinstance(verdict, Verdict):
        return f"wrong_type: the verifier gave {type(verdict).__name__}, wanted Verdict"
    if verdict.outcome not in _OUTCOMES:
        return f"wrong_outcome: the verifier gave {verdict.outcome!r}, wanted one of {_OUTCOMES}"
    if not isinstance(verdict.reason, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        return f"wrong_type: the verifier gave the reason {verdict.reason!r}, wanted text"
    try:
        canonical(verdict.as_json()).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return f"not_json: score and evidence must be JSON: {reason(error)}"
    return ""


def _judge(made: dict[VerifierSpec, Verifier], request: Request) -> Answer:
    started = time.perf_counter()
    try:
        if request.spec not in made:
            made[request.spec] = _made(request.spec)
        if not request.records:
            return Answer()
        verdicts = list(made[request.spec].judge(request.records))
        wrong = contract_broken(verdicts, len(request.records))
    except MemoryError:
        return Answer(error="out_of_memory: the verifier reached its memory limit")
    except Exception as error:  # noqa: BLE001 (whatever a plugin raises is an error of its record)
        return Answer(error=reason(error))
    if wrong:
        return Answer(error=wrong)
    return Answer(verdicts, seconds=time.perf_counter() - started)


def _made(spec: VerifierSpec) -> Verifier:
    made = spec.make()
    assert not isinstance(made, ModelVerifier), "it asks engines, which only the run has"
    return made


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request until there are no more."""
    made: dict[VerifierSpec, Verifier] = {}
    while size := requests.read(SIZE_BYTES):
        request: Request = pickle.loads(requests.read(int.from_bytes(size, "big")))  # noqa: S301
        answer = pickle.dumps(_judge(made, request), protocol=pickle.HIGHEST_PROTOCOL)
        answers.write(len(answer).to_bytes(SIZE_BYTES, "big") + answer)
        answers.flush()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output away from verifiers, and from programs that they start."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _limit(memory_mb: int) -> None:
    # RLIMIT_DATA counts what a program allocates; address space would also count mapped libraries.
    most = memory_mb * 1024 * 1024
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with suppress(OSError):
        os.nice(10)
    # A verifier that hangs never reads that its input has ended. Only Linux knows this.
    with suppress(AttributeError, OSError):
        CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Take the memory limit, in MiB, from the command line and serve."""
    requests, answers = _private_pipes()
    _limit(int(sys.argv[1]))
    # What was imported stays; most of what comes and goes is freed without looking for cycles.
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    with suppress(BrokenPipeError, KeyboardInterrupt):
        answers.write(READY)
        answers.flush()
        serve(requests, answers)
