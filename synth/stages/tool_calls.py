"""Conversations with tools: a user's request, calls with arguments, results, an answer.

What is to happen is drawn before anything is asked, so that each reply can be held against it: also
the call that should not be made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.frozen import RecipeFile
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.reasoning import split, turn_of
from synth.stages.parts.replies import (
    MalformedError,
    answer_in,
    failed_child,
    malformed_child,
)
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.tool_checks import (
    Call,
    check_calls,
    native_calls,
    raw_reply,
    result_in,
    words_in,
    written_calls,
)
from synth.stages.parts.tool_draws import KINDS, Kind, Plan, drawn_kind, drawn_plan, impossible
from synth.stages.parts.tool_specs import Tool, read_tools, tools_in
from synth.stages.parts.tool_words import shown, told


class ToolCalls(Stage):
    """Make `n` conversations of a record in which an assistant with tools is asked for something.

    The tools are those of the file `tools`, else of the record's own field `tools`. For each child
    the kind of request is drawn evenly from `kinds`, then the tools shown and those wanted:
    `single` (one tool shown, one call), `multiple` (several shown, one call), `parallel` (`calls`
    calls at once, of one tool or of several), `sequential` (`calls` tools one after the other, each
    call resting on the result before), `none` (no tool fits: no call; the request is for a tool
    that is not shown, if there is one), `missing` (a required argument is not given: the assistant
    must ask). The record's instruction, if any, is what the request has to do with; its system
    turns stay.

    The engine writes the request, the calls, the results as if it were the tools, and the answer.
    With `how: json` the calls are a JSON list that the model writes, which any model can; with
    `how: native` the server is given the tools and reads the calls. Children carry the fields
    `tools` (those shown), `tool_kind`, `tools_wanted` and `missing_argument`. Calls have the ids
    `call_1`, `call_2`, …, never the server's, and their arguments as JSON text with sorted keys.

    Dropped, with the raw reply: `not_json`, `bad_call`, `unknown_tool`, `missing_argument`,
    `invalid_arguments` (by the tool's JSON Schema, with the place), `unknown_argument`,
    `duplicate_call`, `call_not_wanted`, `no_call`, `too_few_calls`, `too_many_calls`, `wrong_tool`,
    `result_not_json`, `call_in_words` (an answer that is a call), `unfinished_reasoning`, and
    `empty_…` or `cut_off_…` with `request`, `calls`, `result` or `answer`. A record whose own tools
    cannot serve the kind drawn is dropped as `too_few_tools` or `no_required_argument`.
    Whether the values are the right ones is for a judge in a stage `verify`.

    Method: after Liu et al., "APIGen: Automated Pipeline for Generating Verifiable and Diverse
    Function-Calling Datasets" (2024): kinds of request and the check of the format; its execution
    of calls is simulated here. `none` and `missing`: Ross et al., "When2Call: When (not) to Call
    Tools" (2025).
    """

    name: ClassVar[str] = "tool_calls"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("tool_calls")

    engine: str
    """Name of the engine that is the assistant."""
    user_engine: str | None = None
    """Name of the engine that writes requests and plays the tools; by default `engine`."""
    tools: RecipeFile | None = None
    """JSON or JSON Lines beside the recipe: functions in the OpenAI form, or bare ones."""
    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)
    """Kinds of request to draw from."""
    shown: tuple[int, int] = (3, 6)
    """Least and greatest number of tools offered, as far as there are so many; drawn evenly."""
    calls: int = Field(default=2, ge=2, le=5)
    """Calls that a parallel or sequential request needs; no more in a row than there are tools."""
    how: Literal["json", "native"] = "json"
    """Whether the model writes calls as JSON, or the server is given the tools."""
    end: Literal["answer", "calls"] = "answer"
    """Whether a conversation ends with an answer in words, or with its last calls."""
    n: int = Field(default=1, ge=1)
    """Conversations for each record."""
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=2048)
    """How calls and answers are drawn."""
    user_sampling: Sampling = Sampling(temperature=1.0, max_tokens=1024)
    """How requests and results are drawn."""
    request_prompt: str | None = None
    """A Jinja file beside the recipe; it gets `kind`, `tools`, `wanted`, `hidden`, `about`,
    `missing`."""
    calls_prompt: str | None = None
    """A Jinja file beside the recipe, for `how: json`; it gets `tools`, `conversation`."""
    result_prompt: str | None = None
    """A Jinja file beside the recipe; it gets `tool`, `arguments`, `conversation`."""
    answer_prompt: str | None = None
    """A Jinja file beside the recipe, for `how: json`; it gets `tools`, `conversation`."""

    @cached_property
    def offered(self) -> tuple[Tool, ...]:
        """The tools of the file; empty without one."""
        return read_tools(self.tools) if self.tools else ()

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if not 1 <= self.shown[0] <= self.shown[1]:
            raise ValueError("`shown` wants two whole numbers from 1 in rising order")
        if self.sampling.tools or self.user_sampling.tools:
            raise ValueError("`tools` of a sampling is set by this stage; name a file in `tools`")
        for kind in self.kinds if self.offered else ():
            if wrong := impossible(kind, self.offered):
                raise ValueError(f"`kinds`: {wrong}")
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines it asks."""
        return tuple(dict.fromkeys((self.engine, self.user_engine or self.engine)))

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts that this way of calling asks with."""
        own = ("request_prompt", "result_prompt")
        return own if self.how == "native" else (*own, "calls_prompt", "answer_prompt")

    def lacks(self, record: Record) -> str:
        """Return what a record needs: a field `tools` if the stage has none."""
        return "" if self.tools or record.fields.get("tools") else "a field `tools`, or the option"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` conversations."""
        try:
            tools = self.offered or tools_in(record.fields.get("tools"))
        except ValueError as error:
            return [record.drop("filter", by=services.label, reason=f"bad_tools: {error}")]
        async with asyncio.TaskGroup() as group:
            children = [
                group.create_task(self._child(record, services, number, tools))
                for number in range(self.n)
            ]
        return [child.result() for child in children]

    async def _child(
        self, record: Record, services: Services, number: int, tools: tuple[Tool, ...]
    ) -> Record:
        rng = services.rng(record, "tools", str(number))
        kind = drawn_kind(self.kinds, rng)
        if wrong := impossible(kind, tools):
            child = record.child(services.label, number, fields={"tool_kind": kind})
            return child.drop("filter", by=services.label, reason=wrong)
        plan = drawn_plan(kind, tools, rng, shown=self.shown, calls=self.calls)
        system = [turn for turn in record.messages if turn["role"] == "system"]
        return await _Talk(self, record, services, number, plan, system).child()


@dataclass(slots=True)
class _Talk:
    """One conversation on its way: child `number` of a record."""

    stage: ToolCalls
    record: Record
    services: Services
    number: int
    plan: Plan
    messages: list[Message]
    """What was said so far."""
    called: int = 0
    """How many calls were made so far."""

    async def child(self) -> Record:
        """Return the conversation, dropped where it went wrong with what was said before."""
        record, services, number = self.record, self.services, self.number
        fields = self.plan.fields()
        try:
            await self._held()
        except CallFailed as failed:
            return failed_child(record, services, number, failed, messages=self.messages)
        except MalformedError as wrong:
            return malformed_child(
                record, services, number, wrong.raw, wrong, messages=self.messages, fields=fields
            )
        return record.child(services.label, number, messages=self.messages, fields=fields)

    async def _held(self) -> None:
        self.messages.append(Message(role="user", content=await self._request()))
        for turn, wanted in enumerate(self.plan.turns):
            calls = await self._calls(turn, wanted)
            if self.stage.end == "calls" and turn + 1 == len(self.plan.turns):
                return
            await self._results(turn, calls)
        if not self.plan.turns and self.stage.how == "json":
            await self._calls(0, ())
        await self._answer()

    async def _request(self) -> str:
        plan = self.plan
        said = await self._simulated(
            "request",
            "request",
            kind=plan.kind,
            wanted=plan.wanted,
            hidden=shown([plan.hidden]) if plan.hidden else "",
            about=plan.about,
            missing=plan.missing,
        )
        return answer_in(said, "request")

    async def _calls(self, turn: int, wanted: Sequence[str]) -> list[Call]:
        """Return the calls of a turn, which joins the conversation if there are any."""
        said = await self._assistant(f"calls_{turn}", "calls_prompt")
        try:
            calls = native_calls(said) if self.stage.how == "native" else written_calls(said)
            check_calls(calls, wanted, self.plan.shown)
        except MalformedError as wrong:
            raise MalformedError(str(wrong), raw=raw_reply(said)) from wrong
        if calls:
            self._add_calls(said, calls)
        return calls

    def _add_calls(self, said: Completion, calls: Sequence[Call]) -> None:
        thought = split(said.text)
        words = thought.answer if self.stage.how == "native" else ""
        turn = turn_of(words, said.reasoning or thought.reasoning)
        turn["tool_calls"] = [
            call.message(number) for number, call in enumerate(calls, start=self.called + 1)
        ]
        self.called += len(calls)
        self.messages.append(turn)

    async def _results(self, turn: int, calls: Sequence[Call]) -> None:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(self._result(f"result_{turn}_{place}", call))
                for place, call in enumerate(calls)
            ]
        first = self.called - len(calls) + 1
        for number, task in enumerate(asked, start=first):
            found = task.result()
            if not isinstance(found, str):
                raise found
            answer = Message(role="tool", content=found, tool_call_id=f"call_{number}")
            self.messages.append(answer)

    async def _result(self, step: str, call: Call) -> str | CallFailed | MalformedError:
        """Return a tool's result as JSON text; what went wrong as a value, for the first counts."""
        tool = next(tool for tool in self.plan.shown if tool.name == call.name)
        try:
            said = await self._simulated(step, "result", tool=shown([tool]), arguments=call.text)
            return result_in(said)
        except (CallFailed, MalformedError) as wrong:
            return wrong

    async def _answer(self) -> None:
        said = await self._assistant("answer", "answer_prompt")
        self.messages.append(turn_of(*words_in(said)))

    async def _assistant(self, step: str, prompt: str) -> Completion:
        """Return what the assistant says next, natively or to one of the stage's prompts."""
        stage, sampling = self.stage, self.stage.sampling
        asked = tuple(self.messages)
        if stage.how == "native":
            specs = tuple(tool.spec for tool in self.plan.shown)
            sampling = sampling.model_copy(update={"tools": specs})
        else:
            asked = self._rendered(prompt)
        return await self.services.complete(
            stage.engine, Chat(asked), sampling, self.record, step=step, sample=self.number
        )

    async def _simulated(self, step: str, prompt: str, **names: Any) -> Completion:
        """Return what the user or a tool says."""
        stage = self.stage
        asked = Chat(self._rendered(f"{prompt}_prompt", **names))
        engine = stage.user_engine or stage.engine
        return await self.services.complete(
            engine, asked, stage.user_sampling, self.record, step=step, sample=self.number
        )

    def _rendered(self, prompt: str, **names: Any) -> tuple[Message, ...]:
        given = {"tools": shown(self.plan.shown), "conversation": told(self.messages), **names}
        return self.services.prompts[prompt].render(names_of(self.record, **given))
