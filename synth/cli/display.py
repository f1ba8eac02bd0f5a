"""Show a run while it runs: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from synth.cli.text import amount, duration, number, tell
from synth.run.progress import Progress, StageProgress

if TYPE_CHECKING:
    from rich.table import Table

_LINE_EVERY_S = 15.0
_DRAW_EVERY_S = 0.25
_FAILURE_TOLD = 120


@contextmanager
def shown(progress: list[Progress]) -> Generator[None]:
    """While within, show the progress that appears in the list, from a thread of its own."""
    done = threading.Event()
    watch = _draw if sys.stderr.isatty() else _print
    thread = threading.Thread(target=watch, args=(progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _print(progress: list[Progress], done: threading.Event) -> None:
    while not done.wait(_LINE_EVERY_S):
        if progress:
            tell(line(progress[0]))


def _draw(progress: list[Progress], done: threading.Event) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        while not done.wait(_DRAW_EVERY_S):
            if progress:
                live.update(_table(progress[0]), refresh=True)


def line(progress: Progress) -> str:
    """Return one line: the stages' counts and the engines' rates."""
    if progress.phase != "stages":
        return f"{progress.name}: writing the {progress.phase}"
    stages = " · ".join(
        f"{stage.label} {number(stage.done)}/{number(stage.taken)}"
        + (f" ({number(stage.dropped.total())} dropped)" if stage.dropped else "")
        for stage in progress.stages
        if not stage.skipped
    )
    engines = " · ".join(_engine(progress, name) for name in progress.engines)
    left = time_left(progress)
    ending = f" · about {duration(left)} left" if left is not None else ""
    return f"{progress.name}: {stages}{' · ' if engines else ''}{engines}{ending}"


def _engine(progress: Progress, name: str) -> str:
    tally = progress.engines[name]
    seconds = max(time.monotonic() - progress.started_at, 1e-3)
    rate = amount(tally.completion_tokens / seconds)
    kept = f", {number(tally.from_store)} from the store" if tally.from_store else ""
    patient = progress.patience[name]
    since = patient.waiting_since
    down = "" if since is None else _down(time.monotonic() - since, patient.last_failure)
    return f"{name} {number(patient.in_flight)} in flight, {rate} tokens/s{kept}{down}"


def _down(seconds: float, failure: str) -> str:
    why = failure if len(failure) <= _FAILURE_TOLD else failure[: _FAILURE_TOLD - 1] + "…"
    return f", no answer for {duration(seconds)} ({why})"


def _table(progress: Progress) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("stage", "in", "done", "live", "dropped", "errors", "most dropped by"):
        right = column not in ("stage", "most dropped by")
        table.add_column(column, justify="right" if right else "left")
    for stage in progress.stages:
        common = ", ".join(reason for reason, _ in stage.dropped.most_common(2))
        counts = (stage.taken, stage.done, stage.live, stage.dropped.total(), stage.errors)
        style = "dim" if stage.finished else ""
        label = Text(stage.label + (" (kept)" if stage.skipped else ""))
        table.add_row(label, *(number(count) for count in counts), Text(common), style=style)
    left = time_left(progress)
    ending = f"about {duration(left)} left" if left is not None else ""
    if progress.phase != "stages":
        ending = f"writing the {progress.phase}"
    talk = " · ".join([*(_engine(progress, name) for name in progress.engines), ending])
    table.caption = Text(talk.strip(" ·"))
    table.caption_justify = "left"
    return table


def time_left(progress: Progress) -> float | None:
    """Return seconds until the slowest stage with a complete input is done, or None if unknown."""
    estimates = [
        _stage_left(stage)
        for before, stage in zip(progress.stages, progress.stages[1:], strict=False)
        if before.finished and not stage.finished and stage.done
    ]
    return max(estimates, default=None)


def _stage_left(stage: StageProgress) -> float:
    started = stage.started_at or time.monotonic()
    waiting = max(stage.offered - stage.done, 0)
    return waiting * (time.monotonic() - started) / stage.done
