"""One program's way through a zygote: what is asked of it, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class LostError(Exception):
    """The zygote died or hung: nothing is known of the program that it ran."""


@dataclass(slots=True)
class Ended:
    """How a run came to its end, and what it wrote until then."""

    why: str
    """`exit`, or what ended it: `timeout`, `killed`, `scratch`, `output`."""
    status: int
    """As `os.waitpid` gives it."""
    cpu_s: float
    peak_kb: int
    wall_s: float
    written: dict[str, bytes]
    """Pipe to its bytes, up to the pipe's limit."""


@dataclass(slots=True)
class Run:
    """One program on its way: what the outside reads of it, and how much at most."""

    mode: str
    limits: Mapping[str, Any]
    payload: bytes
    stdin: bytes = b""
    channel: int | None = None
    """A socket to the other half of a split check; closed when it is handed over."""
    room: Mapping[str, int] = field(default_factory=dict[str, int])
    """Pipe (stdout, stderr, results) to the most bytes that are read of it."""
    command: Sequence[str] = ()
    """What runs it, where the zygote does not; the mode is its last argument."""
    last: bytes = b""
    """What ends its results: nothing after that counts, so that nobody waits for its end."""
