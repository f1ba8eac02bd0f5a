"""Ask a model for replies: the step from a prompt to something that can be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.replies import failed_child


class Respond(Stage):
    """Make `n` children of a record, each with one reply of the model.

    The model is asked the record's conversation (a last assistant turn is answered anew), else its
    instruction as one user turn; or what `prompt` renders. An empty reply is a dropped child
    `empty_reply`; a reply cut off at `max_tokens` stays, with the field `finish_reason: length`.
    """

    name: ClassVar[str] = "respond"

    engine: str
    """Name of an engine of the recipe."""
    n: int = Field(default=1, ge=1)
    """Replies for each record; every one is a call of its own."""
    sampling: Sampling = Sampling()
    prompt: str | None = None
    """A Jinja file beside the recipe, with what the model is asked."""
    conversation: Literal["record", "prompt"] = "record"
    """What the reply is joined to: the record's conversation, if any, or the rendered prompt."""

    def needs(self) -> frozenset[str]:
        """Return that the engine must chat."""
        return frozenset({"chat"})

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        own = _question(record)
        asked = own
        if "prompt" in services.prompts:
            asked = services.prompts["prompt"].render(names_of(record))
        if not asked:
            raise ValueError("nothing_to_ask: the record has no words, and the stage no `prompt`")
        kept = asked if self.conversation == "prompt" or not own else own
        if self.n == 1:
            return [await self._child(record, asked, kept, 0, services)]
        return await asyncio.gather(
            *(self._child(record, asked, kept, sample, services) for sample in range(self.n))
        )

    async def _child(
        self,
        record: Record,
        asked: tuple[Message, ...],
        kept: tuple[Message, ...],
        sample: int,
        services: Services,
    ) -> Record:
        try:
            completion = await services.complete(
                self.engine, Chat(asked), self.sampling, record, sample=sample
            )
        except CallFailed as failed:
            return failed_child(record, services, sample, failed, messages=kept)
        return _answered(record, kept, completion, sample, services.label)


def _question(record: Record) -> tuple[Message, ...]:
    messages = record.messages
    if messages and messages[-1]["role"] == "assistant":
        messages = messages[:-1]
    asked = any(message["role"] == "user" for message in messages)
    if not asked and record.instruction:
        return (*messages, Message(role="user", content=record.instruction))
    return messages


def _answered(
    record: Record, kept: tuple[Message, ...], completion: Completion, sample: int, label: str
) -> Record:
    reply = Message(role="assistant", content=completion.text.strip())
    if completion.reasoning:
        reply["reasoning"] = completion.reasoning
    if completion.tool_calls:
        reply["tool_calls"] = [dict(call) for call in completion.tool_calls]
    cut = {"finish_reason": "length"} if completion.finish_reason == "length" else None
    child = record.child(label, sample, messages=(*kept, reply), fields=cut)
    if not reply["content"] and not completion.tool_calls:
        return child.drop("filter", by=label, reason="empty_reply: the model returned no text")
    return child
