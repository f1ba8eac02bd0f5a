"""What it costs to hold texts against a pool by ROUGE-L, beside what others do; and that it agrees.

    python benchmarks/novelty.py [--pool 50000] [--candidates 10000] [--rounds 3] [--pairs 5000]

Instructions are drawn by `drawn_instructions.py`. Each way runs in a process of its own, in turn,
and its best round counts. Of rapidfuzz (`pip install rapidfuzz`) only the seconds in `cdist` count,
with texts made ready before and no decision taken; ours are those from text to decision. Both have
2 workers. CPU and peak memory are those of the whole process, imports included.

Targets: 3 times the best of three ways to use `cdist`, for a pool of 10,000 texts or more; the same
decisions; and values that differ by 0 from those of rouge_score on random pairs of 1 to 3,000 words
of all scripts, every second one with stems. The exit code is 1 if a target is missed.

`ours, streamed`: all texts come in batches as in a run, and those that are new join the pool.
`rouge_score`: as many pairs as it scores in ten seconds, its time for all of them extrapolated.
"""
# rouge_score publishes no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drawn_instructions import instructions
from novelty_ways import WAYS
from rouge_score.rouge_scorer import RougeScorer

from synth.similarity.rouge_l import rouge_l
from synth.similarity.words import rouge_words, stemmed_words

_WHAT = "What it costs to hold texts against a pool by ROUGE-L."
_CHILD = str(Path(__file__).resolve().parent / "novelty_ways.py")
_TIMES = 3.0
_LARGE = 10_000
"""A pool of fewer texts costs less than to read the words of a candidate."""
_WORKERS = 2
_LONGEST = 3000
_ODD = ("naïve", "größe", "数字", "C++", "don't", "ﬁne", "İstanbul", "рассказ", "x²", "…", "3.14")
_ENDINGS = "running flies happily relational conditions agreed hopping generalizations skies dying"
Best = dict[str, dict[str, Any]]


def measured(pool: int, candidates: int, rounds: int) -> Best:
    """Run all ways in turn, several times; return what each said in its best round."""
    best: Best = {}
    for number in range(rounds):
        for way in WAYS:
            if way == "rouge_score" and number:
                continue
            command = [sys.executable, _CHILD, way, *map(str, (pool, candidates, _WORKERS))]
            ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            said = json.loads(ran.stdout)
            if way not in best or said["ask"] < best[way]["ask"]:
                best[way] = said
    return best


def report(best: Best, pool: int) -> None:
    """Print a row for each way."""
    for way, said in best.items():
        pairs = "" if way == "ours, streamed" else f"{pool * said['asked'] / said['ask']:,.0f}"
        print(
            f"{way:26} {said['ask']:11,.3f} s {1e6 * said['ask'] / said['asked']:13,.1f} µs a text "
            f"{pairs:>14} pairs/s; pool ready in {said['pool']:.2f} s; "
            f"{said['cpu_s']:.1f} s CPU, {said['peak_mb']:,.0f} MB"
        )


def verdicts(best: Best, pool: int) -> Iterator[tuple[str, bool]]:
    """Yield each target as it came out, and whether it is met."""
    ours = best["ours"]
    others = {way: said for way, said in best.items() if way.startswith("rapidfuzz")}
    quickest = min(others, key=lambda way: others[way]["ask"])
    times = others[quickest]["ask"] / ours["ask"]
    asked = pool >= _LARGE
    yield f"{times:.1f} × {quickest} (at least {_TIMES:g})", times >= _TIMES or not asked
    too_like = sum(number >= 0 for number in ours["found"])
    same = all(said["found"] == ours["found"] for said in others.values())
    yield f"the same decisions: {too_like:,} of {ours['asked']:,} are too like one", same


def differences(pairs: int) -> tuple[str, bool]:
    """Return in how many random pairs our value is not rouge_score's, and whether that is none."""
    rng = random.Random(11)
    words = " ".join(instructions(2000, seed=11)).split() + list(_ODD) * 200
    words += _ENDINGS.split() * 200
    ways = [(RougeScorer(["rougeL"], use_stemmer=False), rouge_words)]
    ways += [(RougeScorer(["rougeL"], use_stemmer=True), stemmed_words)]
    different = 0
    for number in range(pairs):
        scorer, read = ways[number % 2]
        one = rng.choices(words, k=_length(rng))
        other = _related(rng, one, words) if rng.random() < 0.5 else rng.choices(words, k=len(one))
        pair = " ".join(one), " ".join(other)
        different += scorer.score(*pair)["rougeL"].fmeasure != rouge_l(*pair, words=read)
    return f"values that differ from rouge_score's: {different} of {pairs:,}", not different


def _length(rng: random.Random) -> int:
    """Return a length of 1 to 3,000, short ones more often: rouge_score takes seconds for two long.

    Each doubling is about as likely as the next.
    """
    return int(_LONGEST ** rng.random())


def _related(rng: random.Random, text: list[str], words: list[str]) -> list[str]:
    """Return a text with some of its words replaced, left out, or doubled."""
    related: list[str] = []
    for word in text:
        related += rng.choice(((word,), (word,), (), (word, word), (rng.choice(words),)))
    return related


def main() -> int:
    """Measure, print, and return the exit code."""
    asked = argparse.ArgumentParser(description=_WHAT)
    asked.add_argument("--pool", type=int, default=50_000, help="texts to be held against")
    asked.add_argument("--candidates", type=int, default=10_000, help="texts to ask")
    asked.add_argument("--rounds", type=int, default=3, help="rounds; the best counts")
    asked.add_argument("--pairs", type=int, default=5000, help="pairs for rouge_score to score")
    given = asked.parse_args()
    best = measured(given.pool, given.candidates, given.rounds)
    report(best, given.pool)
    met = True
    for said, reached in [*verdicts(best, given.pool), differences(given.pairs)]:
        print(f"{'met' if reached else 'MISSED':7} {said}", flush=True)
        met = met and reached
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
