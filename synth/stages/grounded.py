"""Ask about documents, and answer from their passages alone, which stay on the record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth import seed
from synth.engine.base import Sampling
from synth.errors import CallFailed, SeedError
from synth.frozen import RecipeFile
from synth.record import Record
from synth.services import Services
from synth.stage import Leave, Stage
from synth.stages.parts.answering import Asking, Question
from synth.stages.parts.grounding import grounded_in
from synth.stages.parts.passages import Passage, passages_of
from synth.stages.parts.retrieval import Bm25, Embeddings, Retrieval
from synth.stages.parts.shipped import shipped_prompts


class Grounded(Stage):
    """Make questions and answers from documents: each answer rests on passages that stay with it.

    A record is a document: plain text or Markdown in its field `text`. It is cut into passages, a
    child each; the model writes up to `questions` questions about each passage, and answers each
    from that passage and the `retrieved` others that suit the question best, in an order drawn at
    random. Each question is a child of its passage, with the fields `question`, `answerable`, and
    `passages`: the evidence, as a list of `document`, `passage` (its number), `heading` and `text`.
    Its field `text` is the passage that it was made from, no longer the document.

    With the chance `unanswerable`, a question is one that the passage seems to answer and does not:
    the reply to it says so, and its field `answerable` is false.

    With `corpus` the records are no documents but instructions: each is answered from the
    `retrieved` passages of the corpus that suit it best, and is the parent of that one child.

    Dropped: documents without words as `no_text`; passages without a question as `nothing_to_ask`;
    questions as `empty_questions`, `no_list`, `cut_off_question`, `empty_question`,
    `duplicate_question` (within a document); answers as `empty_answer`, `cut_off_answer`,
    `unanswerable` (the model finds no answer in the passages), `answerable` (it finds one to a
    question that was to have none); both as `unfinished_reasoning`; with `corpus`,
    `nothing_retrieved`. Of more questions than were asked for, the first count.

    Method: Sudalairaj et al., "LAB: Large-Scale Alignment for ChatBots" (2024), with
    passages of about 1,000 words and greedy calls as in the authors' code; unlike there, answers
    are calls of their own, so that they can be given retrieved passages. Retrieval in the reply's
    prompt: Kang et al., "Self-Specialization: Uncovering Latent Expertise within Large Language
    Models" (2023).
    """

    name: ClassVar[str] = "grounded"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("grounded")

    engine: str
    """Name of the engine that asks and answers."""
    text: str = "text"
    """The field that holds a document."""
    passage_words: int = Field(default=1000, ge=20)
    """Longest passage; a character of a script without spaces counts as a word."""
    overlap_words: int = Field(default=0, ge=0)
    """How many words, in whole sentences, a passage may repeat of the one before it."""
    questions: int = Field(default=3, ge=1, le=100)
    """Questions for each passage at most."""
    unanswerable: float = Field(default=0.1, ge=0, le=1)
    """The chance of each question to be one that the passage does not answer."""
    similarity_threshold: float = Field(default=1.0, ge=0, le=1)
    """Highest ROUGE-L F1 of two questions of a document; at 1, as published, only those repeat each
    other that have the same letters."""
    retrieved: int = Field(default=3, ge=0)
    """Further passages that an answer may rest on."""
    scope: Literal["document", "all"] = "document"
    """Where they come from: the record's own document, or all documents, which must then all have
    come in before the first question."""
    corpus: RecipeFile | None = None
    """Documents to answer the records' own instructions from: a file or folder, as for seeds."""
    retrieval: Literal["bm25", "embeddings"] = "bm25"
    """What suits a question: passages that share its rare words, or whose embeddings are near."""
    embedder: str | None = None
    """Name of the engine that embeds, for `retrieval: embeddings`."""
    context: Literal["passages", "question"] = "passages"
    """What stands before the reply in the dataset: a system turn with the passages and a user turn
    with the question, or the question alone."""
    sampling: Sampling = Sampling(temperature=0.0, max_tokens=2048)
    """How answers are drawn."""
    question_sampling: Sampling = Sampling(temperature=0.0, max_tokens=2048)
    """How questions are drawn."""
    question_prompt: str | None = None
    """A Jinja file beside the recipe that asks for a numbered list of `count` questions about
    `passage` (its `text` and `heading`) of a document with a `title`."""
    unanswerable_prompt: str | None = None
    """A Jinja file: the same for questions that the passage does not answer."""
    answer_prompt: str | None = None
    """A Jinja file that asks to answer `question` from `passages`, or else to write `mark`."""
    decline_prompt: str | None = None
    """A Jinja file that asks to say that `passages` do not answer `question`, or for `mark`."""
    context_prompt: str | None = None
    """A Jinja file with the turns that show `passages` and `question` in the dataset."""

    @model_validator(mode="after")
    def _options_suit_each_other(self) -> Self:
        if (self.retrieval == "embeddings") != (self.embedder is not None):
            raise ValueError("`retrieval: embeddings` and `embedder` want each other")
        if self.overlap_words * 2 > self.passage_words:
            raise ValueError("`overlap_words` may be half of `passage_words` at most")
        if self.corpus is not None:
            if self.scope == "all" or "unanswerable" in self.model_fields_set:
                raise ValueError("`corpus` suits neither `scope: all` nor `unanswerable`")
            if not self.retrieved:
                raise ValueError("`corpus` wants `retrieved` to be at least 1")
            if not self._read(self.corpus):
                raise ValueError(f"`corpus` holds no document with a field {self.text!r}")
        elif self.unanswerable and self.context == "question":
            raise ValueError(
                "`context: question` wants `unanswerable: 0`: without the passages, nothing tells "
                "why there is no answer"
            )
        return self

    @property
    def sees_all(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it needs all documents before it begins."""
        return self.scope == "all"

    def engines(self) -> tuple[str, ...]:
        """Return the engine that asks and answers, and the one that embeds."""
        return tuple(dict.fromkeys(filter(None, (self.engine, self.embedder))))

    def needs(self, engine: str) -> frozenset[str]:
        """Return that one must chat, and the other embed."""
        found: frozenset[str] = super().needs(engine) if engine == self.engine else frozenset()
        return found | {"embed"} if engine == self.embedder else found

    def lacks(self, record: Record) -> str:
        """Return what a record needs: a document, or with `corpus` an instruction."""
        if self.corpus is not None:
            return "" if record.instruction.strip() else "an instruction to answer"
        return "" if isinstance(record.fields.get(self.text), str) else f"a field {self.text!r}"

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts that these options ask with."""
        asked = () if self.corpus else ("question_prompt",)
        refused = ("unanswerable_prompt", "decline_prompt") if self._refuses else ()
        shown = ("context_prompt",) if self.context == "passages" else ()
        return (*asked, "answer_prompt", *refused, *shown)

    @property
    def _refuses(self) -> bool:
        return self.unanswerable > 0 and not self.corpus

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the passages of a document and their questions; or the answer from `corpus`."""
        if (corpus := self.corpus) is not None:
            retrieval = await services.resource(
                f"corpus|{services.label}",
                lambda: self._index(self._read(corpus), record, services),
            )
            return [await self._from_corpus(record, retrieval, services)]
        passages = await asyncio.to_thread(self._passages, record)
        if not passages:
            return [self._without_text(record, services)]
        retrieval = await self._index(passages, record, services)
        return await grounded_in(record, passages, retrieval, self, services)

    async def apply_all(self, records: Sequence[Record], services: Services, leave: Leave) -> None:
        """Let each document leave with its questions, answered from all documents."""
        cut = [await asyncio.to_thread(self._passages, record) for record in records]
        passages = [passage for found in cut for passage in found]
        leave(
            [
                self._without_text(record, services)
                for record, found in zip(records, cut, strict=True)
                if not found
            ]
        )
        if not passages:
            return
        retrieval = await self._index(passages, records[0], services)

        async def one(record: Record, found: list[Passage]) -> None:
            leave(await grounded_in(record, found, retrieval, self, services))

        async with asyncio.TaskGroup() as group:
            for record, found in zip(records, cut, strict=True):
                if found:
                    group.create_task(one(record, found))

    async def _from_corpus(
        self, record: Record, retrieval: Retrieval, services: Services
    ) -> Record:
        if not record.instruction:
            raise ValueError("nothing_to_answer: the record has no instruction")
        asking = Asking(self, services, record)
        question = Question(0, record.instruction, answerable=True)
        origin = services.origin(record, "embed question", 0)
        try:
            evidence = await retrieval.ranked(question.text, self.retrieved, origin)
        except CallFailed as failed:
            return record.drop("error", by=services.label, reason=failed.reason)
        if not evidence:
            reason = "nothing_retrieved: no passage of the corpus shares a word with it"
            return asking.child(question).drop("filter", by=services.label, reason=reason)
        return await asking.answered(question, evidence)

    def _passages(self, record: Record) -> list[Passage]:
        text, names = record.fields.get(self.text), (record.fields.get("document"), record.id)
        if not isinstance(text, str):
            return []
        return passages_of(
            text,
            document=next(name for name in names if isinstance(name, str) and name),
            most_words=self.passage_words,
            overlap_words=self.overlap_words,
        )

    def _read(self, corpus: Path) -> list[Passage]:
        """Return the passages of the documents of a file or folder."""
        try:
            found = list(seed.records(seed.resolve([str(corpus.resolve())], Path())))
        except SeedError as error:
            raise ValueError(str(error)) from error
        return [passage for record in found for passage in self._passages(record)]

    async def _index(
        self, passages: Sequence[Passage], record: Record, services: Services
    ) -> Retrieval:
        if self.embedder is None:
            return await asyncio.to_thread(Bm25, passages)
        return await Embeddings.made(
            passages,
            services.engine(self.embedder),
            lambda number: services.origin(record, "embed passages", number),
        )

    def _without_text(self, record: Record, services: Services) -> Record:
        reason = f"no_text: its field {self.text!r} holds no text to cut into passages"
        return record.drop("filter", by=services.label, reason=reason)
