"""One way to hold texts against a pool, in a process of its own: see novelty.py.

    python benchmarks/novelty_ways.py WAY POOL CANDIDATES WORKERS

Prints a line of JSON: seconds to make the `pool` ready and to `ask`, CPU and peak memory of the
process, and for each candidate the number of the first text that is above 0.7, or -1, as `found`.
"""
# rapidfuzz and rouge_score are typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from drawn_instructions import instructions

from synth.similarity.rouge_l import Pool
from synth.similarity.words import rouge_words

THRESHOLD = 0.7
_BATCH = 500
"""Candidates that rapidfuzz is given at once: its matrix then stays small."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a way took, in seconds, and what it found."""

    pool: float
    ask: float
    asked: int
    """How many candidates."""
    found: list[int]


def ours(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Add all, and ask in bulk; reading words counts, loading the kernels does not."""
    _loaded()
    started = time.perf_counter()
    held = Pool()
    for text in pool:
        held.add(text)
    held.first_above("", THRESHOLD)
    ready = time.perf_counter()
    found = held.first_above_each(candidates, THRESHOLD, threads=workers)
    ended = time.perf_counter()
    numbers = [near.number if near else -1 for near in found]
    return Ran(ready - started, ended - ready, len(candidates), numbers)


def streamed(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Take all texts in batches as in a run: those that are not too like join the pool."""
    _loaded()
    held, texts = Pool(), [*pool, *candidates]
    started = time.perf_counter()
    found: list[int] = []
    for start in range(0, len(texts), 256):
        taken = held.take_each(texts[start : start + 256], THRESHOLD, threads=workers)
        found += [near.number if near else -1 for near in taken]
    return Ran(0.0, time.perf_counter() - started, len(texts), found)


def lcs(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Compare with `LCSseq.similarity`: whole numbers, the smallest that hold them."""
    from rapidfuzz.distance import LCSseq

    return _rapidfuzz(pool, candidates, workers, scorer=LCSseq.similarity, dtype=np.uint16)


def lcs_with_cutoff(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Compare with `LCSseq.similarity`, batches of equal lengths, with the least that may do.

    A text of m words needs at least 0.7 / 1.3 × m in common with any other to be above 0.7.
    """
    from rapidfuzz.distance import LCSseq

    given = {"scorer": LCSseq.similarity, "dtype": np.uint16}
    return _rapidfuzz(pool, candidates, workers, cutoff=0.7 / 1.3, **given)


def indel_with_cutoff(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Compare with `Indel.normalized_similarity`, which is F1, and the threshold as its cutoff."""
    from rapidfuzz.distance import Indel

    given: dict[str, Any] = {"scorer": Indel.normalized_similarity, "dtype": np.float32}
    return _rapidfuzz(pool, candidates, workers, score_cutoff=THRESHOLD - 1e-6, **given)


def official(pool: Sequence[str], candidates: Sequence[str], workers: int) -> Ran:
    """Score pairs with rouge_score until ten seconds have passed; one process, one thread."""
    from rouge_score.rouge_scorer import RougeScorer

    del workers
    scorer, asked = RougeScorer(["rougeL"], use_stemmer=False), 0
    started = time.perf_counter()
    while time.perf_counter() - started < 10:
        scorer.score(pool[asked % len(pool)], candidates[asked % len(candidates)])
        asked += 1
    seconds = time.perf_counter() - started
    return Ran(0.0, seconds * len(pool) * len(candidates) / asked, len(candidates), [])


WAYS: dict[str, Callable[[Sequence[str], Sequence[str], int], Ran]] = {
    "ours": ours,
    "ours, streamed": streamed,
    "rapidfuzz LCSseq": lcs,
    "rapidfuzz LCSseq, cutoff": lcs_with_cutoff,
    "rapidfuzz Indel, cutoff": indel_with_cutoff,
    "rouge_score": official,
}


def peak_mb() -> float:
    """Return the most memory that this process has had, imports included."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _loaded() -> None:
    pool = Pool()
    pool.add("a")
    pool.first_above_each(["a b", "c"], THRESHOLD)


def _rapidfuzz(
    pool: Sequence[str],
    candidates: Sequence[str],
    workers: int,
    *,
    cutoff: float = 0.0,
    **given: Any,
) -> Ran:
    """Compare all pairs by `cdist`. Only its own seconds count as asked."""
    from rapidfuzz import process

    started = time.perf_counter()
    words = [rouge_words(text) for text in [*pool, *candidates]]
    # A string is what it is quickest with, and low code points are quicker than high ones.
    numbers = {word: n for n, (word, _) in enumerate(_counted(words).most_common())}
    texts = ["".join(chr(numbers[word]) for word in text) for text in words]
    held, asked = texts[: len(pool)], texts[len(pool) :]
    ready, seconds = time.perf_counter() - started, 0.0
    sizes = np.array([len(text) for text in held])
    found = [-1] * len(asked)
    for batch in _batches(asked, by_length=bool(cutoff)):
        if cutoff:
            given["score_cutoff"] = int(cutoff * len(asked[batch[0]]))
        queries = [asked[place] for place in batch]
        started = time.perf_counter()
        values = process.cdist(queries, held, workers=workers, **given)
        seconds += time.perf_counter() - started
        for place, row in zip(batch, values, strict=True):
            found[place] = _first(row, len(asked[place]), sizes)
    return Ran(ready, seconds, len(asked), found)


def _counted(words: Sequence[Sequence[str]]) -> Counter[str]:
    return Counter(word for text in words for word in text)


def _batches(asked: Sequence[str], *, by_length: bool) -> Iterator[list[int]]:
    """Yield places of candidates; with a cutoff by length, of such as are about as long."""
    places = list(range(len(asked)))
    if by_length:
        places.sort(key=lambda place: len(asked[place]))
    for start in range(0, len(places), _BATCH):
        yield places[start : start + _BATCH]


def _first(row: Any, size: int, sizes: Any) -> int:
    """Return the number of the first text that is above, of what the matrix leaves open."""
    wholly = row.dtype.kind == "f"
    for number in np.flatnonzero(row):
        together = size + int(sizes[number])
        common = round(float(row[number]) * together / 2) if wholly else int(row[number])
        precision, recall = common / int(sizes[number]), common / size
        if 2 * precision * recall / (precision + recall) > THRESHOLD:
            return int(number)
    return -1


def main() -> None:
    """Run one way."""
    way, *numbers = sys.argv[1:]
    held, asked, workers = map(int, numbers)
    texts = instructions(held + asked)
    ran = WAYS[way](texts[:held], texts[held:], workers)
    print(json.dumps({**asdict(ran), "cpu_s": time.process_time(), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
