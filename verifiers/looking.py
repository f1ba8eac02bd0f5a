"""The ways in which `decontaminate` looks for test items: each names what a text holds most."""
# numpy's arrays come from untyped kernels.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from synth.similarity.embedding import Embedding

from .benchmarks import Item
from .code_stream import stream

_ANCHOR = 8
_S1 = 8


class Hit(NamedTuple):
    """An item, by its number, and how much of it there is (0 to 1), or how near."""

    item: int
    score: float


class Looking(Protocol):
    """A way to look."""

    items: Sequence[Item]
    how: ClassVar[str]
    """What is compared: `text` or `code`."""

    def worst(self, records: Sequence[Sequence[str]]) -> list[Hit | None]:
        """Return for each record (some texts) the item that it holds most, the first of equals."""
        ...


class _Parts:
    """Items by their parts: each of an item's texts is looked for by itself."""

    def __init__(self, items: Sequence[Item], texts: Iterable[Sequence[str]]) -> None:
        self.items = items
        parts = [(number, text) for number, some in enumerate(texts) for text in some]
        self._item_of = [number for number, _ in parts]
        self._texts = [text for _, text in parts]


class Coverage(_Parts):
    """By the share of an item's words in n-grams that a text has, too."""

    how: ClassVar[str] = "text"

    def __init__(self, items: Sequence[Item], n: int, min_coverage: float, *, least: int) -> None:
        super().__init__(items, (item.texts for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        self._min_coverage = min_coverage
        self._parts = Parts(self._texts, Reading(ngram=n), least=least)

    def worst(self, records: Sequence[Sequence[str]]) -> list[Hit | None]:
        """Return the item that is covered most, by any one text of a record."""
        row_of = [row for row, texts in enumerate(records) for _ in texts]
        found: list[Hit | None] = [None] * len(records)
        shared = self._parts.shared([text for texts in records for text in texts])
        for row, parts in zip(row_of, shared, strict=True):
            for part, coverage in parts:
                if coverage > self._min_coverage:
                    found[row] = _worse(found[row], Hit(self._item_of[part], coverage))
        return found


class InCode(Coverage):
    """The same in code, by tokens; what is shorter than an n-gram belongs to nobody."""

    how: ClassVar[str] = "code"

    def __init__(self, items: Sequence[Item], n: int, min_coverage: float) -> None:
        _Parts.__init__(self, items, ([stream(item.code)] for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        reading = Reading(ngram=n, ignore_case=False, ignore_punctuation=False, normal_form=None)
        self._min_coverage = min_coverage
        self._parts = Parts(self._texts, reading, least=n)


class Substring(_Parts):
    """By a part of an item that stands in a text whole, word for word."""

    how: ClassVar[str] = "text"

    def __init__(self, items: Sequence[Item], *, least: int) -> None:
        super().__init__(items, (item.texts for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        self._reading = Reading(ngram=_ANCHOR)
        self._plain = [f" {self._reading.plain(text)} " for text in self._texts]
        # Whoever holds a part holds how it begins: that is looked for first.
        begins = [" ".join(plain.split()[:_ANCHOR]) for plain in self._plain]
        least = min(least, _ANCHOR)
        self._long = [len(plain.split()) >= least for plain in self._plain]
        self._parts = Parts(begins, self._reading, least=least)

    def worst(self, records: Sequence[Sequence[str]]) -> list[Hit | None]:
        """Return the first item that a record holds whole."""
        texts = [text for some in records for text in some]
        row_of = [row for row, some in enumerate(records) for _ in some]
        found: list[Hit | None] = [None] * len(records)
        for row, text, parts in zip(row_of, texts, self._parts.shared(texts), strict=True):
            plain = f" {self._reading.plain(text)} " if parts else ""
            for part, coverage in parts:
                if coverage == 1 and self._long[part] and self._plain[part] in plain:
                    found[row] = _worse(found[row], Hit(self._item_of[part], 1.0))
        return found


class AnyEight(_Parts):
    """By any 8 words in a row, between white space, without case: as published for s1."""

    how: ClassVar[str] = "text"

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(items, (item.texts for item in items))
        self._items_of: dict[str, int] = {}
        for part, text in enumerate(self._texts):
            for gram in _eights(text):
                self._items_of.setdefault(gram, self._item_of[part])

    def worst(self, records: Sequence[Sequence[str]]) -> list[Hit | None]:
        """Return the first item of which a record has 8 words in a row."""
        return [self._first(texts) for texts in records]

    def _first(self, texts: Sequence[str]) -> Hit | None:
        eights = {one for text in texts for one in _eights(text)}
        held = [self._items_of[one] for one in eights if one in self._items_of]
        return Hit(min(held), 1.0) if held else None


class Nearness:
    """By the cosine of embeddings."""

    how: ClassVar[str] = "text"

    def __init__(self, items: Sequence[Item], embedding: Embedding, max_cosine: float) -> None:
        self.items = items
        self._embedding, self._max_cosine = embedding, max_cosine
        self._vectors: Any = embedding.embed(["\n".join(item.texts) for item in items])

    def worst(self, records: Sequence[Sequence[str]]) -> list[Hit | None]:
        """Return the nearest item, if it is too near."""
        vectors = self._embedding.embed(["\n".join(texts) for texts in records])
        cosines: Any = vectors @ self._vectors.T
        nearest = cosines.argmax(axis=1).tolist()
        found = [Hit(item, float(cosines[row, item])) for row, item in enumerate(nearest)]
        return [hit if hit.score > self._max_cosine else None for hit in found]


def _eights(text: str) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[at : at + _S1]) for at in range(len(words) - _S1 + 1)}


def _worse(before: Hit | None, hit: Hit) -> Hit:
    if before is None or (hit.score, -hit.item) > (before.score, -before.item):
        return hit
    return before
