"""Open tags of a whole set made alike: rare ones left out, spellings and synonyms merged.

Pure functions on lists of tags, one list a row; order and duplicates of rows do not matter to what
becomes of a tag.

Method: Lu et al., "#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large
Language Models" (2023), section 3.2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

_SPECIAL = re.compile(r"[\W_]+")

Stem = Callable[[str], str]
"""Returns the stem of a word in small letters."""
Embed = Callable[[Sequence[str]], Any]
"""Returns one vector for each text, (n, d): lists of numbers, or an array."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """The tags of a set, made alike."""

    rows: list[tuple[str, ...]]
    """The tags of each row, each once, in the order in which they first stood there."""
    became: Mapping[str, str | None]
    """Each tag as it was given to what it is now; None if it was left out. Sorted by tag."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as rare, as near and as always together; the published numbers by default."""

    alpha: int = 20
    """Rows that a tag must have at least."""
    distance: float = 0.05
    """Cosine distance up to which two tags mean the same."""
    support: int = 40
    """Rows that two tags must share at least for one to become the other."""
    confidence: float = 0.99
    """Share of a tag's rows that the other must have, too."""


PUBLISHED = Rules()


def normalised(
    rows: Sequence[Sequence[str]],
    *,
    stem: Stem | None,
    embed: Embed | None = None,
    rules: Rules = PUBLISHED,
) -> Normalised:
    """Return the tags of all rows as #InsTag makes them alike, in four steps.

    1. Tags in fewer than `alpha` rows are left out, as they were given.
    2. What differs by case, special characters or the endings of words becomes one tag:
       `spelled_alike`. `stem` is `synth.similarity.stems.stem`, or None: then endings count.
    3. What means the same becomes one tag: `same_meaning`, if `embed` is given.
    4. What stands with another tag almost always becomes that tag: `associated`.

    Tags that become one are called by the most frequent of them, of equally frequent ones by the
    first in the alphabet: in small letters, without special characters, but with all endings.
    Counts are of rows; a tag that a row holds twice counts once. A tag without a letter or digit is
    left out. Memory is what the distinct tags take, and a row's tags once more.
    """
    counts = _counts(rows)
    frequent = {tag: count for tag, count in counts.items() if count >= rules.alpha}
    became: dict[str, str | None] = dict.fromkeys(sorted(counts))
    became.update(spelled_alike(frequent, stem))
    if embed:
        _follow(became, same_meaning(_counts(_renamed(rows, became)), embed, rules.distance))
    _follow(became, associated(_renamed(rows, became), rules.support, rules.confidence))
    return Normalised(_renamed(rows, became), became)


def spelled_alike(counts: Mapping[str, int], stem: Stem | None) -> dict[str, str]:
    """Return each tag as it is spelled when case, special characters and endings do not count.

    A tag without a letter or digit is not there.
    """
    plain = {tag: " ".join(_SPECIAL.sub(" ", tag.casefold()).split()) for tag in counts}
    spellings: Counter[str] = Counter()
    for tag, spelling in plain.items():
        spellings[spelling] += counts[tag]
    names: dict[str, str] = {}
    for spelling in sorted(spellings, key=lambda one: (-spellings[one], one)):
        names.setdefault(_stemmed(spelling, stem), spelling)
    return {tag: names[_stemmed(spelling, stem)] for tag, spelling in plain.items() if spelling}


def associated(
    rows: Sequence[Sequence[str]], support: int = 40, confidence: float = 0.99
) -> dict[str, str]:
    """Return each tag that hardly stands without another one, and that other one.

    Rules of one tag, a → b: at least `support` rows hold both, and those are at least the share
    `confidence` of the rows that hold a. Of several rules of a tag that with the greatest
    confidence counts, then the most frequent b, then the first in the alphabet. Where two tags hold
    each other, the rarer goes (of equally frequent ones the later in the alphabet); chains are
    followed to their end. Rules of several tags are not asked for: they name no one tag that
    another could become.
    """
    counts = _counts(rows)
    common = {tag for tag, count in counts.items() if count >= support}
    pairs = Counter(
        pair for row in rows for pair in combinations(sorted(common.intersection(row)), 2)
    )
    rules: dict[str, list[tuple[float, int, str]]] = {}
    for (one, other), both in pairs.items():
        for tag, kept in ((one, other), (other, one)):
            if both >= support and both >= confidence * counts[tag] and _yields(tag, kept, counts):
                rules.setdefault(tag, []).append((-both / counts[tag], -counts[kept], kept))
    return _to_their_ends({tag: min(found)[2] for tag, found in sorted(rules.items())})


def same_meaning(counts: Mapping[str, int], embed: Embed, distance: float = 0.05) -> dict[str, str]:
    """Return each tag that means the same as a more frequent one, and that one.

    Two tags mean the same if the cosine distance of their vectors is at most `distance`, or if a
    chain of such tags joins them: DBSCAN without noise. Time grows with the square of the number of
    tags (1,000 at once), memory does not. A vector of zeros is near to nothing.
    """
    import numpy as np

    tags = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if not tags:
        return {}
    vectors = np.asarray(embed(tags), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(lengths > 0, lengths, 1)
    group = list(range(len(tags)))
    for start in range(0, len(tags), 1000):
        near = vectors[start : start + 1000] @ vectors.T >= 1 - distance - 1e-6
        for one, other in np.argwhere(near).tolist():
            _join(group, one + start, other)
    return {
        tag: tags[_first(group, place)] for place, tag in enumerate(tags) if group[place] < place
    }


def _stemmed(spelling: str, stem: Stem | None) -> str:
    return " ".join(map(stem, spelling.split())) if stem else spelling


def _yields(tag: str, to: str, counts: Mapping[str, int]) -> bool:
    """Return whether `tag` goes where both may: the rarer, then the later in the alphabet."""
    return (counts[tag], to) < (counts[to], tag)


def _to_their_ends(merged: Mapping[str, str]) -> dict[str, str]:
    ends: dict[str, str] = {}
    for tag, end in merged.items():
        while end in merged:
            end = merged[end]  # noqa: PLW2901 (follows the chain)
        ends[tag] = end
    return ends


def _first(group: list[int], place: int) -> int:
    while group[place] != place:
        group[place] = group[group[place]]
        place = group[place]
    return place


def _join(group: list[int], one: int, other: int) -> None:
    low, high = sorted((_first(group, one), _first(group, other)))
    group[high] = low


def _counts(rows: Iterable[Sequence[str]]) -> Counter[str]:
    return Counter(tag for row in rows for tag in set(row))


def _renamed(
    rows: Sequence[Sequence[str]], became: Mapping[str, str | None]
) -> list[tuple[str, ...]]:
    return [
        tuple(dict.fromkeys(now for tag in row if (now := became[tag]) is not None)) for row in rows
    ]


def _follow(became: dict[str, str | None], merged: Mapping[str, str]) -> None:
    for tag, now in became.items():
        if now is not None:
            became[tag] = merged.get(now, now)
