"""The texts of a pool as numbers in arrays that grow, and questions to them by several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.similarity.in_order import MARKS, Scratch, Texts, each_f1, first_above, mark


class Pooled:
    """Texts by number, from 0, and the words that they are made of.

    A text takes 4 bytes for each word and 48 more, and half as much again before the arrays grow; a
    word that no text had before takes about 100, and 12 for each thread that asks.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts = _room_for(128, 4096)
        self._count = 0
        self._scratch: list[Scratch] = []

    def add(self, texts: Sequence[Sequence[str]]) -> None:
        """Take texts as lists of words."""
        for text in texts:
            for word in text:
                self._numbers.setdefault(word, len(self._numbers))
        added, first = self._arrays(texts), self._count
        size = int(self._texts.bounds[first])
        last, end = first + len(texts), size + len(added.words)
        self._texts = _with_room(self._texts, last, end)
        self._texts.words[size:end] = added.words
        self._texts.bounds[first : last + 1] = added.bounds + size
        self._texts.sizes[first:last] = added.sizes
        self._texts.spare[first:last] = added.spare
        self._texts.marks[:, first:last] = added.marks
        self._count = last

    def first_above(
        self, texts: Sequence[Sequence[str]], threshold: float, *, since: int, threads: int
    ) -> Iterator[tuple[int, float]]:
        """Yield for each text number and F1 of the first one from `since` on that is above.

        Where there is none, -1 and 0.
        """
        asked, held = self._arrays(texts), self._held()
        found = np.empty(len(texts), np.int64), np.empty(len(texts))
        threads = max(1, min(threads, len(texts)))

        def ask(thread: int) -> None:
            above = float(threshold), since
            first_above(asked, (thread, threads), held, above, self._room(thread), found)

        if threads == 1:
            ask(0)
        else:
            _at_once(ask, threads)
        return zip(found[0].tolist(), found[1].tolist(), strict=True)

    def each_f1(self, text: Sequence[str]) -> NDArray[np.float64]:
        """Return the F1 of a text with each one held."""
        asked, f1s = self._arrays([text]), np.empty(self._count)
        each_f1(asked, 0, self._held(), self._room(0), f1s)
        return f1s

    def _held(self) -> Texts:
        count, texts = self._count, self._texts
        return texts._replace(
            bounds=texts.bounds[: count + 1], sizes=texts.sizes[:count], spare=texts.spare[:count]
        )

    def _arrays(self, texts: Sequence[Sequence[str]]) -> Texts:
        """Return texts as arrays, without the words that no text held has."""
        get = self._numbers.get
        rows = [[number for word in text if (number := get(word, -1)) >= 0] for text in texts]
        made = _room_for(len(texts), sum(map(len, rows)))
        np.cumsum([len(row) for row in rows], out=made.bounds[1:])
        made.words[:] = np.fromiter(chain.from_iterable(rows), np.int32, len(made.words))
        made.sizes[:] = [len(text) for text in texts]
        mark(made, 0, self._room(0).counts)
        return made

    def _room(self, thread: int) -> Scratch:
        """Return what a thread works in, with room for each word."""
        missing = thread + 1 - len(self._scratch)
        self._scratch += [Scratch(np.zeros(0, np.uint64), np.zeros(0, np.int32))] * missing
        if len(self._scratch[thread].counts) < len(self._numbers):
            size = 2 * len(self._numbers)
            self._scratch[thread] = Scratch(np.zeros(size, np.uint64), np.zeros(size, np.int32))
        return self._scratch[thread]


def _at_once(ask: Any, threads: int) -> None:
    with ThreadPoolExecutor(threads) as running:
        for ended in [running.submit(ask, thread) for thread in range(threads)]:
            ended.result()


def _room_for(texts: int, words: int) -> Texts:
    return Texts(
        words=np.empty(words, np.int32),
        bounds=np.zeros(texts + 1, np.int64),
        sizes=np.empty(texts, np.int32),
        spare=np.empty(texts, np.int32),
        marks=np.empty((MARKS, texts), np.uint64),
    )


def _with_room(texts: Texts, count: int, words: int) -> Texts:
    """Return the same texts with room for so many in all, and for their words."""
    rooms = len(texts.sizes), len(texts.words)
    wanted = _room(rooms[0], count), _room(rooms[1], words)
    if wanted == rooms:
        return texts
    grown = _room_for(*wanted)
    for new, old in zip(grown, texts, strict=True):
        new[..., : old.shape[-1]] = old
    return grown


def _room(there: int, wanted: int) -> int:
    # By half, so that texts are moved twice on average, however they come.
    return there if wanted <= there else max(wanted, there * 3 // 2)
