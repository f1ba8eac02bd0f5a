"""How much of a text stood there before: lines, paragraphs, word n-grams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice


def duplicates(parts: Sequence[str]) -> tuple[int, int]:
    """Return how many parts stood there before, and how many characters these have together."""
    if len(set(parts)) == len(parts):
        return 0, 0
    again = Counter(parts)
    repeated = {part: count - 1 for part, count in again.items() if count > 1}
    characters = sum(len(part) * count for part, count in repeated.items())
    return sum(repeated.values()), characters


def repeated_share(found: Sequence[str], n: int) -> float:
    """Return the share (0 to 1) of the words' characters in `n`-grams which stood there before.

    Each character counts once, first occurrences not at all. It never grows with `n`. Time and
    memory grow linearly with the number of words.
    """
    if len(set(_grams(found, n))) == max(0, len(found) - n + 1):
        return 0.0
    seen: set[tuple[str, ...]] = set()
    covered = counted = 0
    for start, gram in enumerate(_grams(found, n)):
        if gram in seen:
            covered += sum(map(len, found[max(start, counted) : start + n]))
            counted = start + n
        seen.add(gram)
    return covered / max(1, sum(map(len, found)))


def top_share(found: Sequence[str], n: int) -> float:
    """Return the share (0 to 1) of the words' characters in the most frequent `n`-gram.

    Of equally frequent ones the longest counts. 0 if none stands twice.
    """
    counts = Counter(_grams(found, n))
    most = max(counts.values(), default=0)
    if most < 2:
        return 0.0
    longest = max(sum(map(len, gram)) for gram, count in counts.items() if count == most)
    return min(1.0, most * longest / sum(map(len, found)))


def largest_word_share(found: Sequence[str]) -> float:
    """Return the share of the words' characters in the one word that takes most of them.

    `n` times this is never less than `top_share` of `n`, and much sooner told.
    """
    counts = Counter(found)
    most = max((len(word) * count for word, count in counts.items()), default=0)
    return most / max(1, sum(map(len, found)))


def _grams(found: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(islice(found, start, None) for start in range(n)), strict=False)
