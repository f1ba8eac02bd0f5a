# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Passages that suit a question: by the words that they share (BM25), or by their embeddings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Protocol

from synth.engine.base import Asks, Origin
from synth.stages.parts.passages import UNSPACED, Passage

_TERM = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_EMBEDDED_AT_ONCE = 64


class Retrieval(Protocol):
    """Finds passages of a collection."""

    async def ranked(self, question: str, most: int, origin: Origin) -> list[Passage]:
        """Return at most `most` passages that suit a question, the best first.

        Of equally good ones the earlier comes first. `origin` is the address of the call, if one is
        made.
        """
        ...


class Bm25:
    """Ranks passages by the words that they share with a question, rare words before common ones.

    A passage without any word of the question is never found. Method: Robertson and Zaragoza, "The
    Probabilistic Relevance Framework: BM25 and Beyond" (2009), as Lucene computes it, by the
    library bm25s.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        corpus = [terms(f"{passage.heading}\n{passage.text}") for passage in passages]
        self._index = _indexed(corpus) if any(corpus) else None

    async def ranked(self, question: str, most: int, origin: Origin) -> list[Passage]:
        """Return at most `most` passages that share words with the question; asks no engine."""
        asked = terms(question)
        if self._index is None or not asked or not most:
            return []
        scores = await asyncio.to_thread(self._index.get_scores, asked)
        return [self._passages[place] for place in _best(scores, most) if scores[place] > 0]


class Embeddings:
    """Ranks passages by the cosine of the angle between their embeddings and the question's."""

    def __init__(
        self, passages: Sequence[Passage], vectors: Sequence[Sequence[float]], engine: Asks
    ) -> None:
        self._passages = passages
        self._vectors = _unit(vectors)
        self._engine = engine

    @classmethod
    async def made(
        cls, passages: Sequence[Passage], engine: Asks, origin: Callable[[int], Origin]
    ) -> Embeddings:
        """Return the index of `passages`; `origin` gives the address of each call by its number."""
        texts = [f"{passage.heading}\n{passage.text}".strip() for passage in passages]
        starts = range(0, len(texts), _EMBEDDED_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(
                    engine.embed(texts[start : start + _EMBEDDED_AT_ONCE], origin(number))
                )
                for number, start in enumerate(starts)
            ]
        return cls(passages, [vector for part in parts for vector in part.result()], engine)

    async def ranked(self, question: str, most: int, origin: Origin) -> list[Passage]:
        """Return the `most` passages whose embeddings are nearest to the question's."""
        if not (self._passages and most):
            return []
        asked = _unit(await self._engine.embed([question], origin))[0]
        scores = await asyncio.to_thread(self._vectors.dot, asked)
        return [self._passages[place] for place in _best(scores, most)]


def terms(text: str) -> list[str]:
    """Return what BM25 compares: words without case; where none are spaced apart, pairs of letters.

    A run of a script without spaces gives each of its characters and each two that stand together.
    """
    found: list[str] = []
    for run in _TERM.findall(text.casefold()):
        found += [*run, *map("".join, pairwise(run))] if _UNSPACED.match(run) else [run]
    return found


def _indexed(corpus: list[list[str]]) -> Any:
    # Loaded here: with numpy and scipy it takes a third of a second, and most recipes do without.
    from bm25s import BM25

    index = BM25(method="lucene")
    index.index(corpus, show_progress=False)
    return index


def _best(scores: Any, most: int) -> list[int]:
    return [int(place) for place in (-scores).argsort(kind="stable")[:most]]


def _unit(vectors: Sequence[Sequence[float]]) -> Any:
    """Return vectors of length 1, as an array (vectors, dimensions); zeros stay zeros."""
    import numpy

    array = numpy.asarray(vectors, dtype="float32")
    lengths = numpy.linalg.norm(array, axis=-1, keepdims=True)
    return array / numpy.where(lengths == 0, 1, lengths)
