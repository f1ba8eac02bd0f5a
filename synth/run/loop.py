"""The event loop that a run has to itself, set up for hundreds of thousands of short tasks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from ctypes import CDLL
from typing import Any, TypeVar

T = TypeVar("T")

_ALLOCATIONS_BETWEEN_COLLECTIONS = 300_000
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h


def run_quickly(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; on uvloop where there is one, else on asyncio's own loop."""
    _keep_little_memory()
    with _collecting_seldom():
        try:
            import uvloop
        except ImportError:
            return asyncio.run(work)
        return uvloop.run(work)


def _keep_little_memory() -> None:
    """Let large pieces of memory come from the system and go back to it at once.

    glibc does so by itself at first, but once such a piece was freed, it keeps the next ones. And
    it would have a heap for each thread, with holes that no other thread can fill.
    """
    with suppress(AttributeError, OSError):
        library = CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 20)
        library.mallopt(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return what was freed to the system: glibc keeps it, a piece for every thread."""
    gc.collect()
    # Only glibc has it; elsewhere freed memory goes back by itself, or stays.
    with suppress(AttributeError, OSError):
        CDLL(None).malloc_trim(0)


@contextmanager
def _collecting_seldom() -> Generator[None]:
    """Look for garbage in cycles less often, and never among what was there before.

    Records, tasks and replies are freed by their reference counts. At 500 requests in flight one
    look takes 50 ms: after every 700 allocations, Python's default, that was 40 % of the loop's
    time, after every 50,000 still 8 %. What does form cycles, failures mostly, waits for a while.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
