"""The ways in which `decontaminate` looks for test items: each tells how much of which a text has.

All give 0 for what is not there and 1 for what is there whole, and what counts is above `above`.
"""
# numpy's arrays come from untyped kernels.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from synth.similarity.embedding import Embedding

from .benchmarks import Item
from .code_stream import stream

_ANCHOR = 8
_S1 = 8
_QUOTE = 12
"""Fewer words of a solution are anybody's."""
_WHOLE = 1 - 1e-9


class Hit(NamedTuple):
    """An item, by its number, how much of it there is (0 to 1), or how near, and which part."""

    item: int
    score: float
    part: str


class Looking(Protocol):
    """A way to look."""

    items: Sequence[Item]
    above: float
    """An item counts whose score is above."""
    how: ClassVar[str]
    """What is compared: `text` or `code`."""

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, Hit]]:
        """Yield the place of a text and what it holds something of, by place."""
        ...


class _Parts:
    """Items by their parts: each of an item's texts is looked for by itself."""

    how: ClassVar[str] = "text"

    def __init__(self, items: Sequence[Item], texts: Iterable[Sequence[str]]) -> None:
        self.items = items
        parts = [(number, text) for number, some in enumerate(texts) for text in some]
        self._item_of = [number for number, _ in parts]
        self._texts = [text for _, text in parts]

    def _hit(self, part: int, score: float) -> Hit:
        return Hit(self._item_of[part], score, self._texts[part])


class Coverage(_Parts):
    """By the share of an item's words in n-grams that a text has, too."""

    def __init__(self, items: Sequence[Item], n: int, above: float, *, least: int) -> None:
        super().__init__(items, (item.texts for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        self.above = above
        self._parts = Parts(self._texts, Reading(ngram=n), least=least)

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, Hit]]:
        """Yield the parts that count, and in any case the one of which a text has the most."""
        for place, shared in self._parts.shared(texts):
            few = shared.above(self.above)
            pairs = zip(few.parts.tolist(), few.coverages.tolist(), strict=True)
            yield from ((place, self._hit(part, coverage)) for part, coverage in pairs)


class InCode(Coverage):
    """The same in code, by tokens; what is shorter than an n-gram belongs to nobody."""

    how: ClassVar[str] = "code"

    def __init__(self, items: Sequence[Item], n: int, above: float) -> None:
        _Parts.__init__(self, items, (item.codes for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        reading = Reading(ngram=n, ignore_case=False, ignore_punctuation=False, normal_form=None)
        self.above = above
        languages = [items[number].language for number in self._item_of]
        self._parts = Parts(list(map(stream, self._texts, languages)), reading, least=n)


class Substring(_Parts):
    """By a part of an item that stands in a text whole, word for word."""

    above = 0.0

    def __init__(self, items: Sequence[Item], *, least: int) -> None:
        super().__init__(items, ((*item.texts, *item.quotes) for item in items))
        from synth.similarity.reading import Reading

        from .overlap import Parts

        self._reading = Reading(ngram=_ANCHOR)
        plain = [self._reading.plain(text) for text in self._texts]
        wanted = [
            least if number < len(item.texts) else max(least, _QUOTE)
            for item in items
            for number in range(len(item.texts) + len(item.quotes))
        ]
        long = [len(one.split()) >= few for one, few in zip(plain, wanted, strict=True)]
        self._plain = [f" {one} " if kept else "" for one, kept in zip(plain, long, strict=True)]
        # Whoever holds a part holds how it begins: that is looked for first.
        begins = [" ".join(one.split()[:_ANCHOR]) for one in self._plain]
        self._parts = Parts(begins, self._reading, least=1)

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, Hit]]:
        """Yield the parts that a text holds whole."""
        for place, shared in self._parts.shared(texts):
            plain = f" {self._reading.plain(texts[place])} "
            begun = shared.above(_WHOLE).parts.tolist()
            whole = [part for part in begun if self._plain[part] in plain]
            yield from ((place, self._hit(part, 1.0)) for part in whole)


class AnyEight(_Parts):
    """By any 8 words in a row, between white space, without case: as published for s1.

    Kernels read words otherwise, so they only tell which texts may have one: those that have the
    first eight units (words and marks) of an eight in a row.
    """

    above = 0.0

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(items, (item.texts for item in items))
        from synth.similarity.ngrams import Ngrams
        from synth.similarity.reading import Reading

        self._parts_of: dict[str, list[int]] = {}
        for part, text in enumerate(self._texts):
            for eight in sorted(_eights(text)):
                self._parts_of.setdefault(eight, []).append(part)
        # With marks as units, what stands between white space is one unit at least.
        reading = Reading(ngram=_ANCHOR, ignore_punctuation=False)
        read = [reading.plain(eight).split() for eight in self._parts_of]
        begins = sorted({" ".join(units[:_ANCHOR]) for units in read})
        self._ngrams = Ngrams(begins, reading, [_ANCHOR])

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, Hit]]:
        """Yield the parts of which a text has 8 words in a row."""
        for place in sorted(set(self._ngrams.found_in(texts).texts.tolist())):
            held = _eights(texts[int(place)]) & self._parts_of.keys()
            parts = {part for eight in held for part in self._parts_of[eight]}
            yield from ((place, self._hit(part, 1.0)) for part in sorted(parts))


class Nearness(_Parts):
    """By the cosine of the embeddings of a text and of a part."""

    def __init__(self, items: Sequence[Item], embedding: Embedding, above: float) -> None:
        super().__init__(items, (item.texts for item in items))
        self.above = above
        from synth.similarity.kept_vectors import kept_vectors

        self._embedding = embedding
        self._vectors: Any = kept_vectors(embedding, self._texts)

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, Hit]]:
        """Yield the parts that are too near, and the nearest in any case."""
        if not self._texts:
            return
        cosines: Any = self._embedding.embed(texts) @ self._vectors.T
        for place, row in enumerate(cosines):
            near = {int(row.argmax()), *(row > self.above).nonzero()[0].tolist()}
            yield from ((place, self._hit(part, float(row[part]))) for part in sorted(near))


def _eights(text: str) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[at : at + _S1]) for at in range(len(words) - _S1 + 1)}
