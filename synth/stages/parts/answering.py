"""A question answered from passages, which stay on the record as evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stages.parts.passages import Passage
from synth.stages.parts.reasoning import turn_of
from synth.stages.parts.replies import MalformedError, whole_reply

if TYPE_CHECKING:
    from synth.stages.grounded import Grounded


@dataclass(frozen=True, slots=True)
class Question:
    """A question on its way to a record."""

    number: int
    """The number of its child."""
    text: str
    answerable: bool
    """Whether it was made to be answered by its passage."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the engine of a stage about one record, and makes that record's children."""

    stage: Grounded
    services: Services
    record: Record
    above: tuple[Record, ...] = ()
    """What the record itself was made from in this stage."""

    async def said(self, option: str, sampling: Sampling, sample: int, **names: Any) -> Completion:
        """Return the reply to one of the stage's prompts. Raises CallFailed."""
        asked = Chat(self._rendered(option, **names))
        step = option.removesuffix("_prompt")
        return await self.services.complete(
            self.stage.engine, asked, sampling, self.record, step=step, sample=sample
        )

    async def answered(self, question: Question, evidence: Sequence[Passage]) -> Record:
        """Return the child that holds a question, its evidence and a reply, or why it has none."""
        shown = {"question": question.text, "passages": evidence}
        kept: tuple[Message, ...] = ()
        try:
            kept = self._turns(question.text, shown)
            reply = await self._reply(question, shown)
        except CallFailed as failed:
            child = self.child(question, messages=kept, passages=evidence)
            return child.drop("error", by=self.services.label, reason=failed.reason)
        except MalformedError as wrong:
            child = self.child(question, messages=kept, passages=evidence, raw=wrong.raw)
            return child.drop("filter", by=self.services.label, reason=str(wrong))
        return self.child(question, messages=(*kept, reply), passages=evidence)

    def child(
        self,
        question: Question,
        *,
        messages: Sequence[Message] = (),
        passages: Sequence[Passage] = (),
        raw: str | None = None,
    ) -> Record:
        """Return the child of a question, with the `raw` reply where that is what was wrong."""
        fields: dict[str, Any] = {"question": question.text, "answerable": question.answerable}
        fields["passages"] = [passage.as_json() for passage in passages]
        return self.record.child(
            self.services.label,
            question.number,
            messages=messages,
            fields=fields | ({} if raw is None else {"raw_reply": raw}),
            parents=self.above,
        )

    async def _reply(self, question: Question, shown: dict[str, Any]) -> Message:
        """Return the assistant's turn.

        Raises MalformedError for one that cannot be used, or whose mark says that the question is
        of the other kind.
        """
        option, mark = ("answer", "UNANSWERABLE")
        if not question.answerable:
            option, mark = ("decline", "ANSWERABLE")
        said = await self.said(
            f"{option}_prompt", self.stage.sampling, question.number, mark=mark, **shown
        )
        text, reasoning = whole_reply(said, "answer")
        if re.search(rf"\A\W*{mark}\b|^\W*{mark}\W*\Z", text, re.MULTILINE):
            code, finds = (
                ("unanswerable", "do not hold the answer")
                if question.answerable
                else ("answerable", "hold the answer after all")
            )
            raise MalformedError(f"{code}: the passages {finds}, says the model", raw=said.text)
        return turn_of(text, reasoning)

    def _turns(self, question: str, shown: dict[str, Any]) -> tuple[Message, ...]:
        """Return what stands before the reply in the dataset."""
        if self.stage.context == "question":
            return (Message(role="user", content=question),)
        return self._rendered("context_prompt", **shown)

    def _rendered(self, option: str, **names: Any) -> tuple[Message, ...]:
        """Return the messages of a prompt.

        Raises CallFailed if it cannot be filled in: that is one record's error even where the stage
        was given the whole set.
        """
        try:
            return self.services.prompts[option].render(names_of(self.record, **names))
        except ValueError as error:
            raise CallFailed(f"prompt_not_filled: {error}") from error
