"""Have models talk with themselves: from a question, or a persona with a goal, to a conversation.

The two roles never mix: what a reply says for the other role is cut off, and what is then left of
nothing is a drop. A conversation always ends with the assistant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import Field

from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.dialogue_roles import (
    Role,
    drawn,
    exchanges,
    own_words,
    speaks_like_an_assistant,
    tidied,
    without_politeness,
)
from synth.stages.parts.reasoning import split
from synth.stages.parts.replies import MalformedError, failed_child, malformed_child
from synth.stages.parts.shipped import shipped_prompts

_ROLES: tuple[Role, Role] = ("user", "assistant")


class Dialogue(Stage):
    """Make `n` conversations of a record, `turns` exchanges long; each ends with the assistant.

    `how: alternate` lets two roles speak in turns. The user's side (`user_engine`, by default
    `engine`) sees persona, goal and the conversation; the assistant's side sees the conversation
    alone, below the record's system turn if it has one. The record's instruction opens it;
    with `opening: user`, or where there is none, the user's side does. `how: transcript` lets one
    call write all of it, with at most `turns` exchanges kept. Excess politeness is taken away from
    two roles' messages, and a talk ends early, before a user who does nothing but thank.

    Persona and goal are the record's fields of that name, else drawn evenly from `personas` and
    `goals`. Children carry them as fields, with `turns`, the exchanges that they have, and
    `cut_turns`, the numbers of messages (the first of the talk is 0) of which words in the other
    role's name were cut. A transcript ends with such an exchange: its author mixed the roles there.

    Dropped, with the raw reply and the messages before it: `role_leak` (the other role's words),
    `role_confusion` (the user's side speaks like an assistant), `empty_turn`, `cut_off` (at
    `max_tokens`), `unfinished_reasoning`, and `no_dialogue` (without `least_turns` well
    formed exchanges). Conversations are split at a number of tokens by the stage `clean_chats`.

    `mode: reference` matters for transcripts alone. As the authors' code does, it always loses the
    last piece, a good last exchange too, and knows no tags but `[Human]` and `[AI]` as written.
    `mode: paper` loses the last exchange only if the reply was cut off in it, and reads these tags
    in any case and with marks around them.

    Method: `transcript`: Xu et al., "Baize: An Open-Source Chat Model with Parameter-Efficient
    Tuning on Self-Chat Data" (2023), section 3.1; `alternate`: Ding et al., "Enhancing Chat
    Language Models by Scaling High-quality Instructional Conversations" (2023), UltraChat.
    """

    name: ClassVar[str] = "dialogue"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("dialogue")

    engine: str
    """Name of an engine of the recipe: the assistant's side, or the transcript's writer."""
    user_engine: str | None = None
    """Name of the engine of the user's side; by default `engine`."""
    how: Literal["alternate", "transcript"] = "alternate"
    """Two roles in turns (UltraChat), or one call for all (Baize)."""
    mode: Literal["paper", "reference"] = "paper"
    """As the paper means it, or as the authors' code does it."""
    turns: int = Field(default=4, ge=2, le=8)
    """Exchanges, each a user's message and the assistant's; for a transcript the most."""
    least_turns: int = Field(default=1, ge=1, le=8)
    """Exchanges that a conversation must have."""
    politeness: bool = False
    """Whether sentences stay that are nothing but the user's thanks, the assistant's "welcome"."""
    n: int = Field(default=1, ge=1)
    """Conversations for each record."""
    opening: Literal["record", "user"] = "record"
    """Whether the record's instruction is the first message, or what the user's side is told."""
    personas: tuple[str, ...] = ()
    """Who the user may be; one is drawn for each conversation of a record without `persona`."""
    goals: tuple[str, ...] = ()
    """What the user may want; one is drawn for each conversation of a record without `goal`."""
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=2048)
    """How the assistant's messages, or the transcript, are drawn."""
    user_sampling: Sampling = Sampling(temperature=1.0, max_tokens=512)
    """How the user's messages are drawn."""
    user_prompt: str | None = None
    """A Jinja file beside the recipe; it gets `persona`, `goal`, `topic`. Ends with a user turn."""
    transcript_prompt: str | None = None
    """A Jinja file beside the recipe; it is given `persona`, `goal`, `topic` and `turns`."""

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines it asks."""
        if self.how == "transcript" or self.user_engine is None:
            return (self.engine,)
        return tuple(dict.fromkeys((self.engine, self.user_engine)))

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` conversations."""
        casts = [self._cast(record, services, number) for number in range(self.n)]
        if not (record.instruction or casts[0]["goal"]):
            raise ValueError("nothing_to_ask: the record has neither an instruction nor a goal")
        talk = self._alternating if self.how == "alternate" else self._written
        async with asyncio.TaskGroup() as tasks:
            children = [
                tasks.create_task(talk(_Talk(record, services, number, cast)))
                for number, cast in enumerate(casts)
            ]
        return [child.result() for child in children]

    def _cast(self, record: Record, services: Services, number: int) -> dict[str, str]:
        """Return persona and goal of one conversation; empty where there is none."""
        chosen: dict[str, str] = {}
        for name, options in (("persona", self.personas), ("goal", self.goals)):
            own = record.fields.get(name)
            other = drawn(options, services.rng(record, name, str(number)))
            chosen[name] = own if isinstance(own, str) and own else other
        return chosen

    async def _alternating(self, talk: _Talk) -> Record:
        opener = talk.record.instruction if self.opening == "record" else ""
        for turn in range(self.turns):
            for role in _ROLES:
                if turn == 0 and role == "user" and opener:
                    talk.turns.append(Message(role="user", content=opener))
                elif ended := await self._speak(talk, role, turn):
                    return ended
        return talk.whole()

    async def _speak(self, talk: _Talk, role: Role, turn: int) -> Record | None:
        """Add the next message to `talk`; return the child, whole or dropped, if it ends here."""
        of_user = role == "user"
        engine = (self.user_engine or self.engine) if of_user else self.engine
        asked = talk.seen_by_user() if of_user else talk.seen_by_assistant()
        sampling = self.user_sampling if of_user else self.sampling
        step, services = f"{role}_{turn}", talk.services
        try:
            completion = await services.complete(
                engine, Chat(asked), sampling, talk.record, step=step, sample=talk.number
            )
        except CallFailed as failed:
            return failed_child(
                talk.record, services, talk.number, failed, messages=talk.conversation()
            )
        try:
            if talk.add(role, completion, polite=self.politeness):
                return None
        except MalformedError as wrong:
            return talk.malformed(completion.text, wrong)
        return talk.ended(completion.text, self.least_turns)

    async def _written(self, talk: _Talk) -> Record:
        names = talk.names(turns=self.turns)
        asked = talk.services.prompts["transcript_prompt"].render(names)
        try:
            completion = await talk.services.complete(
                self.engine,
                Chat(asked),
                self.sampling,
                talk.record,
                step="transcript",
                sample=talk.number,
            )
        except CallFailed as failed:
            return failed_child(talk.record, talk.services, talk.number, failed, messages=())
        found = self._exchanges(completion)[: self.turns]
        for asked_for, said in found:
            if not self._keep(talk, asked_for, said):
                break
        return talk.ended(completion.text, self.least_turns)

    def _exchanges(self, completion: Completion) -> list[tuple[str, str]]:
        whole = self.mode == "paper" and completion.finish_reason != "length"
        thought = split(completion.text)
        text = tidied(thought.answer) if self.mode == "paper" else thought.answer
        return exchanges(text, keep_last=whole) if thought.finished else []

    def _keep(self, talk: _Talk, asked: str, said: str) -> bool:
        """Add one exchange to `talk`; return whether the next one may follow."""
        if self.mode == "reference":
            own, heard, cut = asked, said, False
        else:
            try:
                (own, leaks), (heard, cut) = own_words(asked, "user"), own_words(said, "assistant")
            except MalformedError:
                return False
            if leaks:
                return False
        if cut:
            talk.cut.append(len(talk.turns) + 1)
        talk.turns.append(Message(role="user", content=own))
        talk.turns.append(Message(role="assistant", content=heard))
        return not cut


@dataclass(slots=True)
class _Talk:
    """One conversation as it grows."""

    record: Record
    services: Services
    number: int
    cast: dict[str, str]
    turns: list[Message] = field(default_factory=list[Message])
    cut: list[int] = field(default_factory=list[int])

    def names(self, **more: object) -> dict[str, object]:
        """Return what a prompt may use; `topic` is the record's instruction."""
        return names_of(self.record, **self.cast, topic=self.record.instruction, **more)

    def seen_by_assistant(self) -> tuple[Message, ...]:
        """Return the conversation without thoughts; persona and goal are no part of it."""
        return tuple(
            Message(role=turn["role"], content=turn["content"]) for turn in self.conversation()
        )

    def seen_by_user(self) -> tuple[Message, ...]:
        """Return what the user's side is told, then the conversation as seen from there."""
        other = {"user": "assistant", "assistant": "user"}
        told = self.services.prompts["user_prompt"].render(self.names())
        seen = (Message(role=other[turn["role"]], content=turn["content"]) for turn in self.turns)
        return (*told, *seen)

    def add(self, role: Role, completion: Completion, *, polite: bool) -> bool:
        """Add a reply's own words; return False if these of the user are nothing but thanks.

        With `polite`, thanks stay. Raises MalformedError for a reply that cannot be a turn.
        """
        thought = split(completion.text)
        if not thought.finished:
            raise MalformedError("unfinished_reasoning: the model was still thinking at its end")
        if completion.finish_reason == "length":
            raise MalformedError(f"cut_off: the {role}'s message ended at max_tokens")
        own, cut = own_words(thought.answer, role)
        if role == "user" and speaks_like_an_assistant(own):
            raise MalformedError("role_confusion: the user's side speaks like an assistant")
        said = own if polite else without_politeness(own, role)
        if role == "user" and not said:
            return False
        if cut:
            self.cut.append(len(self.turns))
        message = Message(role=role, content=said or own)
        if role == "assistant" and (reasoning := completion.reasoning or thought.reasoning):
            message["reasoning"] = reasoning
        self.turns.append(message)
        return True

    def conversation(self) -> tuple[Message, ...]:
        """Return the record's system turn, if any, and what was said so far."""
        system = (turn for turn in self.record.messages if turn["role"] == "system")
        return (*system, *self.turns)

    def whole(self) -> Record:
        """Return the child that holds the conversation."""
        return self.record.child(
            self.services.label, self.number, messages=self.conversation(), fields=self._fields()
        )

    def ended(self, raw: str, least: int) -> Record:
        """Return the child, dropped if it has fewer than `least` exchanges."""
        found = len(self.turns) // 2
        if found >= least:
            return self.whole()
        wrong = f"no_dialogue: wanted {least} or more well formed exchanges, found {found}"
        return self.malformed(raw, wrong)

    def malformed(self, raw: str, wrong: str | MalformedError) -> Record:
        """Return the dropped child, with the messages before the one that is wrong."""
        return malformed_child(
            self.record,
            self.services,
            self.number,
            raw,
            wrong,
            messages=self.conversation(),
            fields=self._fields(),
        )

    def _fields(self) -> dict[str, object]:
        said = {name: value for name, value in self.cast.items() if value}
        cut = {"cut_turns": self.cut} if self.cut else {}
        return {**said, **cut, "turns": len(self.turns) // 2}
