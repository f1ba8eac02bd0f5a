"""Texts that say in other words what an earlier one said: the first is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, model_validator

from synth import Record, Verdict, Verifier
from synth.similarity.embedding import MINILM, EmbeddingModel

from .text_of import Of, nothing_to_judge, text_of

if TYPE_CHECKING:
    from synth.similarity.bert import Floats
    from synth.similarity.nearest import Near

_CALIBRATED = {"minilm": (0.69, 0.87)}
"""Thresholds for texts in other words, and with a word replaced, from benchmarks/semantic.py."""
_COMPARED = 2000
"""Characters that are compared word by word: about as far as the model reads."""
_LOOKED_AT = 64
"""Near neighbours that are compared word by word, nearest first."""


class SemanticDuplicates(Verifier):
    """The text does not say what an earlier, kept record says, be it in other words.

    Two texts are duplicates when the cosine of their embeddings is at least `threshold` and, with
    `tell_apart`, their words do not say otherwise. The first is kept; later ones are compared with
    what was kept.

    Embeddings hardly see what small words change, so near pairs are looked at word by word: they
    are no duplicates if each names a number that the other does not, if nearly the same words are
    denied by one of them only, if two of the same words have changed places ("from Vienna to
    Budapest"), or if one word stands for another and the cosine is below `replaced_threshold`.

    Calibrated on 400 pairs of English requests, written for it, of which 200 ask for the same; the
    others differ by little (a number, a denial, a direction, a name). Thresholds for minilm were
    chosen on one half. On the other: precision 0.88, recall 0.69, F1 0.78 (cosine alone: 0.45,
    0.72, 0.55), and of 80,000 chance pairs 2 were joined. With `threshold: 0.6` and
    `replaced_threshold: 0.82` F1 is 0.84 (0.84, 0.84), but 8 chance pairs are joined: right for
    some hundred rows. The larger the set, the more chance pairs: for 100,000 rows and more raise
    the threshold to 0.8 (1 pair in 200,000 joined, recall 0.4) or 0.9. The rules about words were
    written with these pairs in view; on 32 pairs written later precision was 0.86 and recall 0.75.
    `static` finds hardly more than repeats (F1 0.58 at its best, with 69 chance pairs): it has no
    threshold of its own.

    With `vectors: embedding` the vectors are those that the stage `embed` had an engine make, and
    `threshold` is yours to find: nothing is calibrated for them. `no_vector`: the field holds no
    list of numbers of the first one's length.

    Evidence: the id of the earlier record (`of`) and the `cosine`; of a text that passes, the
    nearest that was told apart (`near`), its cosine and the `difference`. `not_understood`: the
    model knows too few of the text's words (minilm and static know English). minilm reads the first
    256 tokens, so long texts that begin alike are the same to it; word by word the first 2,000
    characters are compared, of more than 64 near texts with the nearest 64.

    `index: exact` misses nothing, and a row costs 2 × dimensions × kept rows operations (all of
    200,000 rows: 3 minutes); `hnsw` (package usearch) takes 0.3 ms a row at any size, and may miss
    some. Memory for each kept row: 4 bytes a dimension (minilm 1.5 KB), its text, 200 bytes; with
    hnsw as much again for the graph. Raise `memory_mb` of the verify stage for large sets.
    """

    name: ClassVar[str] = "semantic_duplicates"
    version: ClassVar[str] = "1"
    in_order: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = (
        "semantic_duplicate",
        "nothing_to_judge",
        "not_understood",
        "no_vector",
    )

    of: Of = "instruction"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    embedding: EmbeddingModel = MINILM
    """`minilm`, `static`, `model2vec:FOLDER` or `sentence-transformers:FOLDER` (or a hub name)."""
    vectors: str | None = None
    """A field with a list of numbers that is taken instead, such as the stage `embed` writes."""
    threshold: float | None = Field(None, gt=0, le=1)
    """From this cosine on, a text is a duplicate; minilm has one of its own."""
    replaced_threshold: float | None = Field(None, gt=0, le=1)
    """The same for texts of nearly the same words, of which one stands for another."""
    tell_apart: bool = True
    """Whether near texts are compared word by word; if not, the cosine alone decides."""
    index: Literal["exact", "hnsw"] = "exact"
    """How near texts are found: all are looked at, or a graph leads to the likely ones."""

    _state: _Kept | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _thresholds_are_known(self) -> Self:
        if self.threshold is None and self.vectors is not None:
            raise ValueError(
                f"wants `threshold` with `vectors: {self.vectors}`: what is near depends on the "
                "model that made them"
            )
        if self.threshold is None and self.embedding.kind not in _CALIBRATED:
            raise ValueError(
                f"wants `threshold` for the embedding {self.embedding.kind!r}: only "
                f"{' and '.join(_CALIBRATED)} comes with one"
            )
        return self

    def ready(self) -> None:
        """Raise PluginError if a package is missing; distil the static model if it is not there."""
        from synth.similarity.nearest import want_index

        if self.vectors is None:
            self.embedding.ready()
        want_index(self.index)

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record, given all that this very object judged before."""
        if self._state is None:
            self._state = _Kept(self)
        texts = [text_of(record, self.of) or "" for record in records]
        verdicts = [nothing_to_judge(self.of)] * len(records)
        asked = [place for place, text in enumerate(texts) if text.strip()]
        given = self._state.verdicts([(records[at], texts[at]) for at in asked])
        for place, verdict in zip(asked, given, strict=True):
            verdicts[place] = verdict
        return verdicts

    @property
    def thresholds(self) -> tuple[float, float]:
        """The cosines from which on a text in other words, and one with a word replaced, count."""
        kind = "" if self.vectors else self.embedding.kind
        own, own_replaced = _CALIBRATED.get(kind, (self.threshold or 1.0, 0.0))
        threshold = own if self.threshold is None else self.threshold
        return threshold, max(threshold, self.replaced_threshold or own_replaced)


class _Found(NamedTuple):
    """An earlier text that is near, and what tells it apart, if anything does."""

    id: str
    cosine: float
    difference: str | None


class _Kept:
    """The texts that were kept, with their vectors."""

    def __init__(self, options: SemanticDuplicates) -> None:
        from synth.similarity.nearest import nearest

        self._options = options
        self._threshold, self._replaced = options.thresholds
        self._nearest = nearest(options.index, self._threshold)
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._dims = 0

    def verdicts(self, asked: Sequence[tuple[Record, str]]) -> list[Verdict]:
        """Return one verdict for each record and its text, in order; keep those that pass."""
        from synth.similarity.nearest import readable

        vectors = self._vectors(asked)
        read = readable(vectors)
        given = [self._unread() for _ in asked]

        def take(row: int, near: Sequence[Near]) -> bool:
            place = read[row]
            given[place] = self._verdict(asked[place][1], near)
            return given[place].outcome == "pass" and self._keep(*asked[place])

        self._nearest.walk(vectors[read], take)
        return given

    def _vectors(self, asked: Sequence[tuple[Record, str]]) -> Floats:
        """Return one vector for each record; zeros where there is none."""
        field = self._options.vectors
        if field is None:
            return self._options.embedding.embed([text for _, text in asked])
        from synth.similarity.nearest import unit_vectors

        vectors = unit_vectors([record.fields.get(field) for record, _ in asked], self._dims)
        self._dims = vectors.shape[1]
        return vectors

    def _unread(self) -> Verdict:
        if field := self._options.vectors:
            wanted = f"{self._dims} numbers" if self._dims else "numbers"
            said = f"the field {field!r} holds no list of {wanted}, or only zeros"
            return Verdict.abstained("no_vector", said)
        said = "the embedding model knows too few of the text's words"
        return Verdict.abstained("not_understood", said)

    def _keep(self, record: Record, text: str) -> bool:
        self._ids.append(record.id)
        self._texts.append(text[:_COMPARED])
        return True

    def _verdict(self, text: str, near: Sequence[Near]) -> Verdict:
        found = [self._compared(text, *one) for one in near[:_LOOKED_AT]]
        same = next((one for one in found if one.difference is None), None)
        if same is not None:
            return _duplicate(same, self._threshold)
        if not found:
            return Verdict.passed()
        nearest = found[0]
        evidence = {"near": nearest.id, "cosine": nearest.cosine, "difference": nearest.difference}
        return Verdict.passed(evidence=evidence)

    def _compared(self, text: str, number: int, cosine: float) -> _Found:
        from synth.similarity.differences import difference

        told = None
        if self._options.tell_apart:
            told = difference(text[:_COMPARED], self._texts[number])
        if told == "replaced" and cosine >= self._replaced:
            told = None
        return _Found(self._ids[number], round(cosine, 4), told)


def _duplicate(found: _Found, threshold: float) -> Verdict:
    return Verdict.failed(
        "semantic_duplicate",
        f"it says what the earlier record {found.id} says: cosine {found.cosine:.2f}, below "
        f"{threshold:.2f} is let pass",
        score=found.cosine,
        evidence={"of": found.id, "cosine": found.cosine},
    )
