"""The search for near texts, block after block: read, meet those seen before, compare exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from synth.similarity import bands
from synth.similarity.buckets import Buckets, Firsts, Pairs
from synth.similarity.jaccard import jaccards
from synth.similarity.minhash import permutations, signatures, tags
from synth.similarity.reading import Reading
from synth.similarity.shingles import Shingles, joined, shingled
from synth.similarity.texts import Texts, parts
from synth.similarity.units import Slices

_PART_MB = 1
_FEW_PAIRS = 2000

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Options:
    """When two texts are near, and how surely such a pair is found."""

    threshold: float = 0.8
    """Above 0, at most 1: the Jaccard similarity of shingles from which on two texts are near."""
    permutations: int = 128
    """At least 2: length of a MinHash: more find near pairs more surely, and cost time."""
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that make no sense."""
        if not 0 < self.threshold <= 1:
            raise ValueError(f"wanted 0 < threshold <= 1, got {self.threshold!r}")
        if self.permutations < 2:
            raise ValueError(f"wanted at least 2 permutations, got {self.permutations!r}")

    @property
    def bands(self) -> tuple[int, int]:
        """Bands and rows a band: 25 of 5 for the defaults."""
        return bands.chosen(self.threshold, self.permutations)


class Sketches(NamedTuple):
    """A block of texts, ready to meet others."""

    shingles: list[Shingles]
    keys: NDArray[np.uint64]
    tags: NDArray[np.uint32]
    """(bands, texts)"""


class Links(NamedTuple):
    """Pairs of near texts, by row: `earlier[i]` comes before `later[i]`, which ascend."""

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]
    similarity: NDArray[np.float64]
    """At least the threshold, at most 1."""


class Search:
    """Texts that were seen so far, by what they may meet others in."""

    def __init__(
        self, texts: Texts, options: Options, *, threads: int = 1, expected: int = 0
    ) -> None:
        """Search among `texts`, of which so many are expected, with so many threads."""
        self._texts, self._options = texts, options
        self._permutations = permutations(options.permutations)
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self._width = threads
        self._firsts = Firsts(expected)
        self._expected = expected
        self._buckets: list[Buckets] = []

    def take(self, start: int, stop: int) -> tuple[Links, Links]:
        """Return exact and near links of the texts from `start` to before `stop`.

        All before `start` were taken; a text that reads like an earlier one has one link, to it.
        """
        block = self.sketched(start, stop)
        same, new = self.same(block.keys, start)
        self._buckets = self._buckets or [Buckets(self._expected) for _ in block.tags]
        return same, self.compared(self._met(block.tags[:, new - start], new), start, block)

    def sketched(self, start: int, stop: int) -> Sketches:
        """Return the texts from `start` to before `stop` as shingles and tags."""
        made = self._each(self._sketch, list(parts(self._texts.between(start, stop), _PART_MB)))
        return Sketches(
            [shingles for shingles, _ in made],
            np.concatenate([shingles.keys for shingles, _ in made]),
            np.concatenate([tagged for _, tagged in made], axis=1),
        )

    def same(self, keys: NDArray[np.uint64], start: int) -> tuple[Links, NDArray[np.int64]]:
        """Return links to texts that read the same, and the rows that are neither such nor blank.

        `keys` are those of the texts from `start` on.
        """
        rows = np.flatnonzero(keys) + start
        first = self._firsts.of(keys[rows - start], rows)
        again = first != rows
        links = Links(rows[again], first[again], np.ones(int(again.sum())))
        return links, rows[~again]

    def compared(self, pairs: Pairs, start: int, block: Sketches | None = None) -> Links:
        """Return those pairs, each once, which are near.

        `block` holds the texts from `start` on; all others are read again.
        """
        pairs = _distinct(pairs)
        own = block.shingles if block else []
        known = len(block.keys) if block else 0
        both = pairs.earlier if block else np.concatenate(pairs)
        again = np.unique(both[(both < start) | (both >= start + known)])
        more = self._each(self._shingle, list(parts(self._texts.at(again), _PART_MB)))
        shingles = joined([*own, *more]) if own or more else None
        if shingles is None or not len(pairs.later):
            return Links(*pairs, np.empty(0))

        def places(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            inside = (rows >= start) & (rows < start + known)
            return np.where(inside, rows - start, np.searchsorted(again, rows) + known)

        similarity = self._jaccards(places(pairs.later), places(pairs.earlier), shingles)
        near = similarity >= self._options.threshold
        return Links(pairs.later[near], pairs.earlier[near], similarity[near])

    def _sketch(self, part: Slices) -> tuple[Shingles, NDArray[np.uint32]]:
        found = shingled(part, self._options.reading)
        return found, tags(signatures(found, self._permutations), *self._options.bands)

    def _shingle(self, part: Slices) -> Shingles:
        return shingled(part, self._options.reading)

    def _met(self, tagged: NDArray[np.uint32], rows: NDArray[np.int64]) -> Pairs:
        def meet(band: int) -> Pairs:
            return self._buckets[band].meet(np.ascontiguousarray(tagged[band]), rows)

        met = self._each(meet, range(len(tagged)))
        return Pairs(*(np.concatenate(side) for side in zip(*met, strict=True)))

    def _jaccards(
        self, later: NDArray[np.int64], earlier: NDArray[np.int64], shingles: Shingles
    ) -> NDArray[np.float64]:
        into = np.empty(len(later))
        width = self._width if len(later) > _FEW_PAIRS else 1
        bounds = np.linspace(0, len(later), width + 1).astype(int).tolist()

        def compare(bound: tuple[int, int]) -> None:
            part = slice(*bound)
            jaccards(later[part], earlier[part], shingles, into[part])

        self._each(compare, list(pairwise(bounds)))
        return into

    def _each(self, make: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        return list(self._threads.map(make, given) if self._threads else map(make, given))


def _distinct(pairs: Pairs) -> Pairs:
    """Return each pair once, by later and then earlier row."""
    shared = np.int64(1) << 32
    both = np.unique(pairs.later * shared + pairs.earlier)
    return Pairs(both // shared, both % shared)
