"""The process in which CPU verifiers judge: `python -m synth.run.worker MEMORY_MB`.

It reads requests from its standard input and answers on its standard output, both as a length and a pickle.
What a plugin prints goes to standard error. It ends when its input does, so no worker outlives its run.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from synth.plugins import VerifierSpec
from synth.record import Record, Verdict
from synth.verification import Verifier

SIZE_BYTES = 8
READY = b"ready"


@dataclass(frozen=True, slots=True)
class Request:
    """Records to be judged by one verifier."""

    spec: VerifierSpec
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Answer:
    """Verdicts, or why there are none."""

    verdicts: Sequence[Verdict] = ()
    error: str = ""
    """Type and message of what the verifier raised."""
    seconds: float = 0.0


def _limit(memory_mb: int) -> None:
    # RLIMIT_DATA counts what a program allocates; address space would also count mapped libraries.
    most = memory_mb * 1024 * 1024
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with suppress(OSError):
        os.nice(10)


def _judge(made: dict[VerifierSpec, Verifier], request: Request) -> Answer:
    started = time.perf_counter()
    try:
        if request.spec not in made:
            made[request.spec] = request.spec.make()
        verdicts = list(made[request.spec].judge(request.records))
    except MemoryError:
        return Answer(error="out_of_memory: the verifier reached its memory limit")
    except Exception as error:  # noqa: BLE001 (whatever a plugin raises is an error of its record)
        return Answer(error=f"exception: {type(error).__name__}: {error}")
    if wrong := _contract_broken(verdicts, len(request.records)):
        return Answer(error=wrong)
    return Answer(verdicts, seconds=time.perf_counter() - started)


def _contract_broken(verdicts: Sequence[Any], wanted: int) -> str:
    if len(verdicts) != wanted:
        return f"wrong_length: the verifier gave {len(verdicts)} verdicts for {wanted} records"
    for verdict in verdicts:
        if not isinstance(verdict, Verdict):
            return f"wrong_type: the verifier gave {type(verdict).__name__}, wanted Verdict"
    return ""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request until there are no more."""
    made: dict[VerifierSpec, Verifier] = {}
    while size := requests.read(SIZE_BYTES):
        request: Request = pickle.loads(requests.read(int.from_bytes(size, "big")))  # noqa: S301
        answer = pickle.dumps(_judge(made, request), protocol=pickle.HIGHEST_PROTOCOL)
        answers.write(len(answer).to_bytes(SIZE_BYTES, "big") + answer)
        answers.flush()


def main() -> None:
    """Take the limits from the command line and serve."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(int(sys.argv[1]))
    with suppress(BrokenPipeError, KeyboardInterrupt):
        answers.write(READY)
        answers.flush()
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    # Under its importable name, so that what it pickles can be read by the run.
    from synth.run import worker

    worker.main()
