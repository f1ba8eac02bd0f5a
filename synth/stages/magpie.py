"""Let an aligned model write the instruction itself, from nothing but its template."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from synth.engine.base import Chat, Completion, Sampling, Text
from synth.errors import CallFailed, EngineRefused
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.replies import failed_child
from synth.stages.parts.shipped import shipped_prompts

_EARLY = ("assistant", "\n")
_USER_TURN = "SYNTH USER TURN"
_SYSTEM_TURN = "SYNTH SYSTEM TURN"


@dataclass(frozen=True, slots=True)
class PreQuery:
    """What stands before a user turn in a model's template, and what ends the turn."""

    before: str
    """The text up to the user's words, the default system turn included."""
    end: str
    """The token that ends the turn; empty if the template has none."""


class Magpie(Stage):
    """Make `n` children of a record, each with user turns that the model itself wrote.

    The prompt is the model's own chat template up to where the user's words begin, so that the
    model goes on as a user would; generation ends at the template's end-of-turn token. With
    `system_prompt` the model is steered to a domain; the system turn is not kept unless
    `keep_system`. With `turns` above 1 the same model replies, and then goes on as the user again,
    under the system turn `turn_prompt`, which is never kept; the conversation ends with the user.
    Add `respond` for the last reply.

    A child whose turn is no good is dropped with what was said before: `empty_instruction`,
    `cut_off_instruction`, and between turns `empty_reply`, `cut_off_reply`.

    `mode: paper` ends a user turn at the template's end-of-turn token alone. `mode: reference` ends
    it as the authors' script does unless told otherwise, also at the first line break and at the
    word "assistant": shorter turns without what a leaking template adds, but no task of several
    lines, and none with that word in it.

    Method: Xu et al., "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with
    Nothing" (2024), section 2, step 1, and its multi-turn variant (Magpie-MT).
    """

    name: ClassVar[str] = "magpie"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("magpie")

    engine: str
    """Name of an engine of the recipe; it must continue raw text and show its chat template."""
    mode: Literal["paper", "reference"] = "paper"
    """Where a user turn ends."""
    n: int = Field(default=1, ge=1)
    """Conversations for each record."""
    turns: int = Field(default=1, ge=1, le=16)
    """User turns of a conversation; the paper's multi-turn data has 2."""
    sampling: Sampling = Sampling(temperature=1.0, top_p=1.0, max_tokens=2048)
    """How user turns are drawn."""
    settings: tuple[tuple[float, float], ...] = ()
    """Pairs (temperature, top_p) that the `n` children take in turn, instead of those of
    `sampling`; the paper mixes (1.0, 1.0), (1.1, 0.995), (1.2, 0.995) and (1.25, 0.99)."""
    reply_sampling: Sampling = Sampling(temperature=0.0, max_tokens=4096)
    """How the replies between user turns are drawn."""
    system_prompt: str | None = None
    """A Jinja file beside the recipe with the text of a system turn that steers the model."""
    turn_prompt: str | None = None
    """A Jinja file with the system turn under which user turns after the first are written."""
    keep_system: bool = False
    """Whether the system turn stays in the conversation."""

    @field_validator("settings")
    @classmethod
    def _can_be_drawn_with(
        cls, settings: tuple[tuple[float, float], ...]
    ) -> tuple[tuple[float, float], ...]:
        for temperature, top_p in settings:
            if temperature < 0 or not 0 < top_p <= 1:
                raise ValueError(
                    "wants pairs (temperature of at least 0, top_p above 0 and at most 1)"
                )
        return settings

    def needs(self, engine: str) -> frozenset[str]:
        """Return that the engine must continue raw text, show its template, and perhaps chat."""
        needed = {"text", "chat_text"}
        return frozenset(needed | {"chat"} if self.turns > 1 else needed)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        system = rendered("system_prompt", record, services)
        query = await services.resource(
            f"pre-query|{self.engine}|{system is not None}",
            lambda: pre_query(self.engine, services, steered=system is not None),
        )
        async with asyncio.TaskGroup() as tasks:
            children = [
                tasks.create_task(
                    _Conversation(self, record, services, system, query).child(sample)
                )
                for sample in range(self.n)
            ]
        return [child.result() for child in children]

    def drawn(self, end: str, sample: int) -> Sampling:
        """Return how a user turn of child `sample` is drawn; `end` ends it."""
        early = _EARLY if self.mode == "reference" else ()
        stop = tuple(dict.fromkeys(filter(None, (*self.sampling.stop, *early, end))))
        changed: dict[str, object] = {"stop": stop}
        if self.settings:
            temperature, top_p = self.settings[sample % len(self.settings)]
            changed |= {"temperature": temperature, "top_p": top_p}
        return self.sampling.model_copy(update=changed)


def rendered(option: str, record: Record, services: Services) -> str | None:
    """Return the text of a prompt that is one system turn, or None where there is none."""
    if option not in services.prompts:
        return None
    return services.prompts[option].render(names_of(record))[0]["content"]


class _Conversation:
    """One child of a record, turn by turn."""

    def __init__(
        self,
        stage: Magpie,
        record: Record,
        services: Services,
        system: str | None,
        query: PreQuery,
    ) -> None:
        self._stage = stage
        self._record = record
        self._services = services
        self._system = () if system is None else (_system_turn(system),)
        self._query = query
        self._said: list[Message] = []

    async def child(self, sample: int) -> Record:
        """Return the conversation as child `sample`, dropped if one of its turns is no good."""
        services = self._services
        try:
            wrong = await self._user_turn(1, sample)
            for turn in range(2, self._stage.turns + 1):
                wrong = wrong or await self._reply(turn, sample)
                wrong = wrong or await self._user_turn(turn, sample)
        except CallFailed as failed:
            kept = self._kept if self._said else None
            return failed_child(self._record, services, sample, failed, messages=kept)
        child = self._record.child(services.label, sample, messages=self._kept)
        return child.drop("filter", by=services.label, reason=wrong) if wrong else child

    @property
    def _kept(self) -> tuple[Message, ...]:
        system = self._system if self._stage.keep_system else ()
        return (*system, *self._said)

    async def _user_turn(self, turn: int, sample: int) -> str:
        """Let the model go on as the user; return why that is no good, or ""."""
        completion = await self._services.complete(
            self._stage.engine,
            Text(await self._before(), add_special_tokens=False),
            self._stage.drawn(self._query.end, sample),
            self._record,
            step="instruction" if turn == 1 else f"instruction {turn}",
            sample=sample,
        )
        self._said.append(Message(role="user", content=completion.text.strip()))
        return _unusable(completion, "instruction", "user turn")

    async def _before(self) -> str:
        """Return what stands before the next user turn in the model's template."""
        if not self._said:
            before = self._query.before
            return (
                before.replace(_SYSTEM_TURN, self._system[0]["content"]) if self._system else before
            )
        steering = rendered("turn_prompt", self._record, self._services) or ""
        turns = [_system_turn(steering), *self._said, Message(role="user", content=_USER_TURN)]
        engine = self._services.engine(self._stage.engine)
        return (await engine.chat_text(turns, reply_next=False)).rpartition(_USER_TURN)[0]

    async def _reply(self, turn: int, sample: int) -> str:
        """Let the model reply, before user turn `turn`; return why that is no good, or ""."""
        completion = await self._services.complete(
            self._stage.engine,
            Chat((*self._system, *self._said)),
            self._stage.reply_sampling,
            self._record,
            step=f"reply {turn - 1}",
            sample=sample,
        )
        self._said.append(Message(role="assistant", content=completion.text.strip()))
        return _unusable(completion, "reply", "reply")


def _system_turn(text: str) -> Message:
    return Message(role="system", content=text)


def _unusable(completion: Completion, code: str, what: str) -> str:
    if not completion.text.strip():
        return f"empty_{code}: the model ended the {what} at once"
    if completion.finish_reason == "length":
        return f"cut_off_{code}: the {what} did not end within `max_tokens`"
    return ""


async def pre_query(engine: str, services: Services, *, steered: bool) -> PreQuery:
    """Return what the template puts around a user turn; `steered` leaves room for a system turn.

    Raises EngineRefused if the template does not show a user's words as they are.
    """
    turns = [Message(role="user", content=_USER_TURN)]
    if steered:
        turns.insert(0, _system_turn(_SYSTEM_TURN))
    template = services.engine(engine)
    written = await template.chat_text(turns, reply_next=False)
    before, found, after = written.partition(_USER_TURN)
    if not found or (steered and _SYSTEM_TURN not in before):
        what = "a system turn" if found else "the user turn"
        raise EngineRefused(
            f"the chat template of engine {engine!r} does not show {what} as it is; "
            "Magpie cannot use this model so"
        )
    if not after.strip():
        # A template without an end-of-turn token: the user's turn ends where the reply's begins.
        after = (await template.chat_text(turns, reply_next=True)).partition(_USER_TURN)[2]
    return PreQuery(before, _first_line(after))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
