"""Ways to drop near-duplicates from a Parquet file, each a process of its own.

    python benchmarks/dedup_ways.py WAY corpus.parquet result.npz

Prints the seconds from the file to the kept rows, without imports and compilation (each way first
takes a hundred rows), and the peak memory of the whole process. Writes `kept`, and `earlier` where
the way tells it. All compare word 5-grams by 25 bands of 5 at 0.8; peers as their documentation
shows it, on what stands between spaces, which on this corpus are the same words.
"""
# The peers publish no types, or are not installed.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingImports=false

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

BANDS, ROWS, GRAM, NEAR = 25, 5, 5, 0.8
_STREAMED = 256
_AT_ONCE = 5000

Result = dict[str, NDArray[Any]]


def ours(corpus: Path, most: int | None) -> Result:
    """Take all at once."""
    from synth.similarity.near import groups

    found = groups(_batches(corpus, most))
    return {"kept": found.kept(), "earlier": found.nearest.earlier}


def on_disk(corpus: Path, most: int | None) -> Result:
    """Take all at once, with banding on disk in 500 MB."""
    from synth.similarity.near import Spill, groups

    found = groups(_batches(corpus, most), spill=Spill(500, corpus.parent))
    return {"kept": found.kept(), "earlier": found.nearest.earlier}


def streamed(corpus: Path, most: int | None) -> Result:
    """Take micro-batches of Python strings, as the verifier does; one thread."""
    from synth.similarity.near import Index

    index, earlier = Index(), list[NDArray[np.int64]]()
    for batch in pq.ParquetFile(corpus).iter_batches(_STREAMED):
        texts = batch.column(0).slice(0, most).to_pylist()
        earlier.append(index.add(texts).earlier)
        if most:
            break
    found = np.concatenate(earlier)
    return {"kept": found < 0, "earlier": found}


def daft(corpus: Path, most: int | None) -> Result:
    """Take Daft's native MinHash, banding in numpy, and the estimate for a check."""
    import daft as theirs

    frame = theirs.read_parquet(str(corpus))
    if most:
        frame = frame.limit(most)
    hashed = theirs.col("text").minhash(
        num_hashes=BANDS * ROWS, ngram_size=GRAM, seed=1, hash_function="xxhash"
    )
    column = frame.select(hashed.alias("signature")).to_arrow().column("signature")
    values = [np.asarray(chunk.flatten()) for chunk in column.chunks]
    signatures = np.concatenate(values).reshape(-1, BANDS * ROWS)
    earlier = np.full(len(signatures), -1, np.int64)
    for band in range(BANDS):
        _meet(signatures, band, earlier)
    return {"kept": earlier < 0}


def _meet(signatures: NDArray[Any], band: int, earlier: NDArray[np.int64]) -> None:
    """Note for each row the one before it in its bucket, if the estimate says that they are near.

    The estimate has a standard error of 0.04, so it is asked for a little less.
    """
    key = np.zeros(len(signatures), np.uint64)
    for place in range(band * ROWS, (band + 1) * ROWS):
        key = (key + signatures[:, place]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    order = np.argsort(key, kind="stable")
    met = np.flatnonzero(key[order][1:] == key[order][:-1])
    before, after = order[met], order[met + 1]
    near = (signatures[before] == signatures[after]).mean(axis=1) >= NEAR - 0.05
    earlier[after[near]] = before[near]


def rensa(corpus: Path, most: int | None) -> Result:
    """Take rensa's full-set sketches and its deduplicator, which checks by the estimate."""
    import rensa as theirs

    known = theirs.RMinHashDeduplicator(
        threshold=NEAR, num_perm=BANDS * ROWS, use_lsh=True, num_bands=BANDS
    )
    kept: list[bool] = []
    texts = _column(corpus, most).to_pylist()
    for start in range(0, len(texts), _AT_ONCE):
        sets = [_grams(text) for text in texts[start : start + _AT_ONCE]]
        sketches = theirs.RMinHash.from_token_sets(sets, BANDS * ROWS, 42)
        named = [(str(start + place), sketch) for place, sketch in enumerate(sketches)]
        kept += known.add_pairs(named)
    return {"kept": np.array(kept)}


def datasketch(corpus: Path, most: int | None) -> Result:
    """Take datasketch's bulk API, with the bands and the check of a pair by the estimate."""
    from datasketch import MinHash, MinHashLSH

    index: Any = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    texts = _column(corpus, most).to_pylist()
    seen: list[Any] = []
    kept = np.ones(len(texts), bool)
    for start in range(0, len(texts), _AT_ONCE):
        sets = [[gram.encode() for gram in _grams(text)] for text in texts[start:][:_AT_ONCE]]
        for sketch in MinHash.bulk(sets, num_perm=BANDS * ROWS):
            row = len(seen)
            near = (seen[other].jaccard(sketch) >= NEAR - 0.05 for other in index.query(sketch))
            kept[row] = not any(near)
            index.insert(row, sketch)
            seen.append(sketch)
    return {"kept": kept}


def datasketch_loop(corpus: Path, most: int | None) -> Result:
    """Take datasketch as the first page of its documentation does: update, query, insert."""
    from datasketch import MinHash, MinHashLSH

    index: Any = MinHashLSH(threshold=NEAR, num_perm=128)
    kept: list[bool] = []
    for row, text in enumerate(_column(corpus, most).to_pylist()):
        sketch = MinHash(num_perm=128)
        for gram in _grams(text):
            sketch.update(gram.encode("utf8"))
        kept.append(not index.query(sketch))
        index.insert(row, sketch)
    return {"kept": np.array(kept)}


def _batches(corpus: Path, most: int | None) -> Any:
    from synth.similarity.near import Batches

    # One row group after another: read all at once, the file would lie in memory twice.
    file = pq.ParquetFile(corpus, pre_buffer=False)
    groups = range(1 if most else file.num_row_groups)
    read = (file.read_row_group(group, columns=["text"]).column(0) for group in groups)
    return Batches(most or file.metadata.num_rows, (column.slice(0, most) for column in read))


def _column(corpus: Path, most: int | None) -> Any:
    return pq.ParquetFile(corpus).read(columns=["text"]).column(0).slice(0, most)


def _peak_mb() -> float:
    # What `wait4` tells of a child counts its parent too, as it was when the child began.
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def _grams(text: str) -> list[str]:
    words = text.split(" ")
    return [" ".join(words[place : place + GRAM]) for place in range(len(words) - GRAM + 1)]


WAYS: dict[str, Callable[[Path, int | None], Result]] = {
    "ours": ours,
    "ours, streamed": streamed,
    "ours, on disk": on_disk,
    "daft": daft,
    "rensa": rensa,
    "datasketch bulk": datasketch,
    "datasketch loop": datasketch_loop,
}


def main() -> None:
    """Run one way: a little first, then the whole, which is timed."""
    way, corpus, result = WAYS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    way(corpus, 100)
    started = time.perf_counter()
    found = way(corpus, None)
    print(json.dumps({"seconds": time.perf_counter() - started, "peak_mb": _peak_mb()}))
    np.savez(result, **found)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
