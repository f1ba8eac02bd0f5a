"""Replies from a script, for tests, replays, dry runs: by stage, step and place, or by prompt."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import PrivateAttr

from synth.engine.base import (
    Completion,
    Engine,
    EngineIdentity,
    Origin,
    Prompted,
    Sampling,
    Text,
    TokenLogprobs,
)
from synth.errors import CallFailed, InputError
from synth.frozen import RecipeFile
from synth.record import Message, canonical

Reply = str | Completion
Script = Callable[[Prompted, Sampling, Origin], Reply | Awaitable[Reply]]


class ScriptedEngine(Engine):
    """An engine that reads its lines.

    `replies` is JSON Lines. Each line has `reply` (text, or an object with `text`, `finish_reason`,
    `reasoning`, `tool_calls`) and says what it answers: `stage`, `step` (default "reply"),
    `ordinal` (the seed's number from 0, or a whole position such as "3.1") and `sample` (default
    0); or `prompt`: the exact text of the last message or of the raw prompt. A call without a line
    is a failed call.

    In Python, `ScriptedEngine(function)` asks `function(prompt, sampling, origin)`, which may be
    async and may raise.
    """

    name: ClassVar[str] = "scripted"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"chat", "text", "logprobs", "chat_text", "classify", "embed"}
    )

    model: str = "scripted"
    """What the calls table shows as the model."""
    replies: RecipeFile | None = None
    """The JSON Lines file, relative to the recipe."""

    _script: Script | None = PrivateAttr(None)
    _lines: dict[tuple[str, ...], Any] = PrivateAttr(default_factory=dict[tuple[str, ...], Any])
    _calls: int = PrivateAttr(0)

    def __init__(self, script: Script | None = None, /, **options: Any) -> None:
        """Take a function, or options as a recipe gives them."""
        super().__init__(**options)
        self._script = script

    # Else pydantic would make it from a recipe through `__init__`, which does not know the folder.
    __init__.__pydantic_base_init__ = True  # pyright: ignore[reportFunctionMemberAccess]

    @property
    def calls(self) -> int:
        """How many calls came here (and were not served from a store)."""
        return self._calls

    async def start(self) -> None:
        """Read the replies. Raises InputError, with the line, for what is no reply."""
        if self.replies is None and self._script is None:
            raise InputError("the scripted engine needs `replies:`, a JSON Lines file")
        if self.replies is None:
            return
        self._lines.clear()
        # Not splitlines(): JSON text may hold line separators that end no line of the file.
        for number, line in enumerate(self.replies.read_text("utf-8-sig").split("\n"), 1):
            if line.strip():
                self._read(line, f"{self.replies.name}, line {number}")

    def _read(self, line: str, place: str) -> None:
        try:
            entry: dict[str, Any] = json.loads(line)
            address, reply = _address_of(entry), _checked(entry["reply"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{place}: wanted an object with `reply` (text, or an object with `text`) and "
                f"either `prompt` or `stage` and `ordinal`, found {line[:80]!r}"
            ) from error
        if address in self._lines:
            raise InputError(f"{place}: an earlier line answers {' '.join(address)!r}; keep one")
        self._lines[address] = reply

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return the scripted reply. Raises CallFailed where the script has none."""
        return _completion(await self._reply(prompt, sampling, origin))

    async def _reply(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Any:
        self._calls += 1
        if self._script is None:
            return self._line(prompt, origin)
        reply = self._script(prompt, sampling, origin)
        return await reply if inspect.isawaitable(reply) else reply

    def _line(self, prompt: Prompted, origin: Origin) -> Any:
        place = ".".join(str(step) for step in origin.position)
        sample = str(origin.sample)
        for ordinal in (place, place.partition(".")[0]):
            address = (origin.stage, origin.step, ordinal, sample)
            if address in self._lines:
                return self._lines[address]
        if (address := ("prompt", _last_text(prompt))) in self._lines:
            return self._lines[address]
        raise CallFailed(
            f"no_scripted_reply: nothing for stage {origin.stage!r}, step {origin.step!r}, "
            f"ordinal {place}, sample {sample}, nor for its prompt"
        )

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return what the script has there, as JSON text: `{"tokens": […], "logprobs": […]}`.

        Also `before`, 1 if it is not said. The script itself sees to `cut_at`.
        """
        reply = _completion(await self._reply(prompt, Sampling(), origin))
        given = json.loads(reply.text)
        tokens, logprobs = tuple(given["tokens"]), tuple(given["logprobs"])
        return TokenLogprobs(tokens, logprobs, given.get("before", 1))

    async def classify(self, prompt: Prompted, origin: Origin) -> tuple[float, ...]:
        """Return what the script has there: a JSON list of numbers."""
        reply = _completion(await self._reply(prompt, Sampling(), origin))
        return tuple(json.loads(reply.text))

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return what the script has for each text: a JSON list of numbers."""
        said = [_completion(await self._reply(Text(text), Sampling(), origin)) for text in texts]
        return [json.loads(reply.text) for reply in said]

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` in ChatML, the template of a model that does not exist."""
        written = "".join(_turn(message) for message in messages)
        return written + ("<|im_start|>assistant\n" if reply_next else "")

    @property
    def identity(self) -> EngineIdentity:
        """The model's name and the content of the script file."""
        settings = self.model_dump(mode="json", include={"replies"})
        return EngineIdentity(self.name, self.model, canonical(settings))


def _turn(message: Message) -> str:
    return f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"


def _address_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if "prompt" in entry:
        return ("prompt", str(entry["prompt"]))
    step, sample = entry.get("step", "reply"), entry.get("sample", 0)
    return (entry["stage"], step, str(entry["ordinal"]), str(sample))


def _checked(reply: Any) -> str | dict[str, Any]:
    """Return a reply that can become a completion. Raises ValueError, TypeError or KeyError."""
    if not isinstance(reply, str | dict):
        raise TypeError(f"wanted text or an object, got {reply!r}")
    _completion(reply)
    return cast("str | dict[str, Any]", reply)


def _last_text(prompt: Prompted) -> str:
    messages = getattr(prompt, "messages", None)
    return messages[-1]["content"] if messages else str(getattr(prompt, "text", ""))


def _completion(reply: Any) -> Completion:
    """Return a reply as a completion; tokens are counted as words."""
    if isinstance(reply, Completion):
        return reply
    given: dict[str, Any] = {"text": reply} if isinstance(reply, str) else dict(reply)
    given.setdefault("finish_reason", "stop")
    given.setdefault("usage", {"completion_tokens": len(str(given.get("text", "")).split())})
    return Completion.from_json(given)
