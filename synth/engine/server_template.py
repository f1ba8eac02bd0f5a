"""The chat template as a server shows it: vLLM by its tokenizer, llama.cpp by rendering.

vLLM: POST /tokenize of the messages, then /detokenize, so special tokens are in the text.
llama.cpp: POST /apply-template. Both live at the server's root, beside /v1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from synth.engine import openai_wire as wire
from synth.engine.http_servers import NotHereError, Servers
from synth.errors import CallFailed, EngineRefused, Outage
from synth.record import Message

T = TypeVar("T")


class ServerTemplate:
    """What the servers of `model` tell of its chat template and tokens."""

    def __init__(self, servers: Servers, model: str) -> None:
        self._servers = servers
        self._model = model
        self._proven = False

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as text. Raises EngineRefused if the server tells in no way we know.

        Once it told anything, what it refuses is a CallFailed: a conversation that the template
        forbids.
        """
        asked = {"messages": messages, "add_generation_prompt": reply_next}
        text, refusal = None, ""
        for told in (self._told_by_vllm, self._told_by_llama_cpp):
            try:
                text = await told(asked)
            except Outage:
                raise
            except CallFailed as failed:
                if self._proven:
                    raise
                refusal = f" ({failed})"
            if text is not None:
                self._proven = True
                return text
        raise EngineRefused(
            f"the server of {self._model!r} does not show its chat template, neither by /tokenize "
            f"nor by /apply-template{refusal}; "
            f"give `chat_template:`, a Jinja file or a tokenizer's folder"
        )

    async def detokenized(self, ids: Sequence[int]) -> str:
        """Return the text of token ids. Raises EngineRefused if the server does not tell."""
        asked = {"model": self._model, "tokens": list(ids)}
        text = await self._asked("/detokenize", asked, lambda reply: _string(reply, "prompt"))
        if text is None:
            raise EngineRefused(
                f"the server of {self._model!r} has no /detokenize; give the prompt as text"
            )
        return text

    async def _told_by_vllm(self, asked: Mapping[str, Any]) -> str | None:
        request = {"model": self._model, "add_special_tokens": False, **asked}
        ids = await self._asked("/tokenize", request, _ids)
        return None if ids is None else await self.detokenized(ids)

    async def _told_by_llama_cpp(self, asked: Mapping[str, Any]) -> str | None:
        return await self._asked("/apply-template", asked, lambda reply: _string(reply, "prompt"))

    async def _asked(
        self, path: str, request: Mapping[str, Any], read: Callable[[Any], T | None]
    ) -> T | None:
        try:
            return await self._servers.post(path, wire.encoded(request), read)
        except NotHereError:
            return None


def _ids(reply: Any) -> list[int] | None:
    """Return vLLM's tokens; llama.cpp's endpoint of that name knows no messages, has no count."""
    told = wire.as_object(reply)
    return wire.as_list(told.get("tokens")) if told.get("count") else None


def _string(reply: Any, name: str) -> str | None:
    value = wire.as_object(reply).get(name)
    return value if isinstance(value, str) else None
