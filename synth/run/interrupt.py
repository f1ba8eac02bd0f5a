"""Ctrl-C in two steps: the first lets what is in flight end, the second stops at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stoppable(Protocol):
    """Something that can begin nothing new and come to its end."""

    def stop(self) -> None:
        """Begin nothing new."""
        ...


class Interrupts:
    """While within, a signal stops `parts`; what a second one cancels counts as stopped, too."""

    def __init__(self, parts: Sequence[Stoppable]) -> None:
        self._parts = parts
        self._stopping = False
        self._at_once = False
        self._task = asyncio.current_task()

    def __enter__(self) -> Self:
        """Listen."""
        loop = asyncio.get_running_loop()
        # Not in the main thread, or no signals on this platform: nothing to catch.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in _SIGNALS:
                loop.add_signal_handler(number, self._stop)
        return self

    def _stop(self) -> None:
        if self._stopping and self._task is not None:
            self._at_once = True
            self._task.cancel()
        self._stopping = True
        for part in self._parts:
            part.stop()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Listen no more; what is still to be closed is closed in peace."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
        if not self._at_once or kind is not asyncio.CancelledError or self._task is None:
            return False
        return self._task.uncancel() == 0
