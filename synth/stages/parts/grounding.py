"""One document at work: its passages are asked about, and the questions answered from passages.

A document's questions are all there before the first is answered, so that none is paid for that
repeats another; documents do not wait for each other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth.errors import CallFailed
from synth.record import DropKind, Record
from synth.services import Services
from synth.stages.parts.answering import Asking, Question
from synth.stages.parts.passages import Passage
from synth.stages.parts.question_lists import Heard, Listed, questions_in
from synth.stages.parts.replies import MalformedError
from synth.stages.parts.retrieval import Retrieval

if TYPE_CHECKING:
    from synth.stages.grounded import Grounded


async def grounded_in(
    record: Record,
    passages: Sequence[Passage],
    retrieval: Retrieval,
    stage: Grounded,
    services: Services,
) -> list[Record]:
    """Return what becomes of a document: a child for each passage, and its questions below it."""
    parts = [Part(record, passage, stage, services) for passage in passages]
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(part.ask())
    await asyncio.to_thread(_drop_repeats, parts, Heard(stage.similarity_threshold))
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(part.answer(retrieval))
    return [row for part in parts for row in part.rows()]


def unanswerable_of(questions: int, share: float, rng: random.Random) -> int:
    """Return how many of `questions` are to be unanswerable, each with the chance `share`."""
    return sum(rng.random() < share for _ in range(questions))


class Part:
    """One passage of a document, its questions, and what became of them."""

    def __init__(
        self, document: Record, passage: Passage, stage: Grounded, services: Services
    ) -> None:
        fields = {**passage.as_json(), stage.text: passage.text}
        self._record = document.child(services.label, passage.number, messages=(), fields=fields)
        self._asking = Asking(stage, services, self._record, (document,))
        self._passage = passage
        self._stage = stage
        self._services = services
        self._outcomes: dict[int, Record] = {}
        self.open: list[Question] = []
        """The questions that are to be answered."""

    async def ask(self) -> None:
        """Have questions listed, those with an answer in the passage first."""
        questions = self._stage.questions
        rng = self._services.rng(self._record, "unanswerable")
        answerable = questions - unanswerable_of(questions, self._stage.unanswerable, rng)
        async with asyncio.TaskGroup() as group:
            if answerable:
                group.create_task(self._ask_for(answerable, 0, answerable=True))
            if answerable < questions:
                group.create_task(
                    self._ask_for(questions - answerable, answerable, answerable=False)
                )
        self.open.sort(key=lambda question: question.number)

    async def _ask_for(self, count: int, first: int, *, answerable: bool) -> None:
        """Have `count` questions of one kind listed, numbered from `first`."""
        option = "question_prompt" if answerable else "unanswerable_prompt"
        sampling = self._stage.question_sampling
        title = self._record.fields.get("title")
        names = {"passage": self._passage, "title": title or "", "count": count}
        nothing = Question(first, "", answerable)
        try:
            said = await self._asking.said(option, sampling, 0, **names)
            for place, found in enumerate(questions_in(said, count), start=first):
                self._take(Question(place, found.text, answerable), found, said.text)
        except CallFailed as failed:
            self._dropped(nothing, failed.reason, kind="error")
        except MalformedError as wrong:
            self._dropped(nothing, str(wrong), raw=wrong.raw)

    def _take(self, question: Question, found: Listed, raw: str) -> None:
        if found.wrong:
            self._dropped(question, found.wrong, raw=raw)
        else:
            self.open.append(question)

    def drop_repeats(self, heard: Heard) -> None:
        """Drop each question that repeats one of the document before it."""
        for question in self.open:
            if earlier := heard.earlier(question.text):
                self._dropped(question, f"duplicate_question: it repeats {earlier!r}")
        self.open = [question for question in self.open if question.number not in self._outcomes]

    async def answer(self, retrieval: Retrieval) -> None:
        """Have the questions answered that are still open."""
        async with asyncio.TaskGroup() as group:
            for question in self.open:
                group.create_task(self._answer(question, retrieval))

    async def _answer(self, question: Question, retrieval: Retrieval) -> None:
        most, number = self._stage.retrieved, question.number
        origin = self._services.origin(self._record, "embed question", number)
        try:
            found = await retrieval.ranked(question.text, most + 1, origin) if most else []
        except CallFailed as failed:
            return self._dropped(question, failed.reason, kind="error")
        others = [passage for passage in found if passage != self._passage][:most]
        evidence = [self._passage, *others]
        # In a fixed place the right passage could be told by its place.
        self._services.rng(self._record, "order", str(number)).shuffle(evidence)
        self._outcomes[number] = await self._asking.answered(question, evidence)
        return None

    def rows(self) -> list[Record]:
        """Return the passage's record and, below it, those of its questions."""
        if not self._outcomes:
            reason = "nothing_to_ask: the model finds no question in this passage"
            return [self._record.drop("filter", by=self._services.label, reason=reason)]
        return [self._record.as_parent(), *(self._outcomes[n] for n in sorted(self._outcomes))]

    def _dropped(
        self, question: Question, reason: str, *, kind: DropKind = "filter", raw: str | None = None
    ) -> None:
        child = self._asking.child(question, passages=[self._passage], raw=raw)
        by = self._services.label
        self._outcomes[question.number] = child.drop(kind, by=by, reason=reason)


def _drop_repeats(parts: Sequence[Part], heard: Heard) -> None:
    for part in parts:
        part.drop_repeats(heard)
