"""llama.cpp inside this process, and the one way to speak to it.

It opens a loopback port with a key that nobody else has. Asking over that port keeps the event loop
free, and a call that is cancelled hangs up: llama.cpp then stops computing it.
"""
# xllamacpp has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.engine.http_connection import Connections
from synth.engine.openai_wire import UnreadableError, decoded, encoded, sendable
from synth.errors import CallFailed, InputError, Outage
from synth.record import Message

_SILENT = -1
_CONTEXT_EXCEEDED = "exceed_context_size_error"


class Llama:
    """A loaded model. Made by `loaded`; must be closed in the event loop that made it."""

    def __init__(self, server: Any, key: str, timeout_s: float) -> None:
        self._server = server
        self._connections = Connections(
            server.listening_address,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
            timeout_s=timeout_s,
            # It drops idle connections at its own pace: a new one is cheaper than that race.
            keep_s=0.0,
        )
        self._first_text = ""

    @classmethod
    async def loaded(
        cls, weights: Path, *, context_tokens: int, slots: int, threads: int, timeout_s: float
    ) -> Llama:
        """Return a model with `slots` contexts of `context_tokens` each, computed together.

        Raises InputError when the package is missing or the file is no model that llama.cpp knows.
        """
        key = secrets.token_hex()
        server = await asyncio.to_thread(_serve, weights, key, (context_tokens, slots, threads))
        llama = cls(server, key, timeout_s)
        llama._first_text = await llama._added_text()
        return llama

    async def close(self) -> None:
        """Break off what is in flight and free the model."""
        await self._connections.close()
        self._server = None

    async def ask(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return its answer. Raises CallFailed for what it refuses, Outage when it is gone."""
        reply = await self._connections.post(path, encoded(asked))
        try:
            answer = decoded(reply.body)
        except UnreadableError as error:
            raise Outage(f"no_answer: llama.cpp broke off: {error}") from error
        if "error" in answer:
            raise _failure(answer["error"])
        return answer

    async def tokens(self, text: str) -> list[int]:
        """Return the token ids of `text`, special tokens recognised and none added."""
        answer = await self.ask("/tokenize", {"content": text, "add_special": False})
        return answer["tokens"]

    async def text_of(self, token: int) -> str:
        """Return the text of one token, special or not."""
        return (await self.ask("/detokenize", {"tokens": [token]}))["content"]

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them, its first token included."""
        asked = {"messages": sendable(messages), "add_generation_prompt": reply_next}
        text: str = (await self.ask("/apply-template", asked))["prompt"]
        return text if text.startswith(self._first_text) else self._first_text + text

    async def _added_text(self) -> str:
        """Return what the tokenizer puts first: llama.cpp cuts it off what the template wrote."""
        asked = {"content": "", "add_special": True, "with_pieces": False}
        added: list[int] = (await self.ask("/tokenize", asked))["tokens"]
        return await self.text_of(added[0]) if added else ""


def _serve(weights: Path, key: str, sizes: tuple[int, int, int]) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise InputError(
            "the engine 'local' wants the package xllamacpp, found none; "
            "install it: pip install 'expertsynth[local]'"
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.api_keys = [key]
    _set_sizes(params, sizes)
    _set_habits(params)
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise InputError(
            f"wanted a GGUF model, llama.cpp cannot load {weights.name!r}: {error}"
        ) from error


def _set_sizes(params: Any, sizes: tuple[int, int, int]) -> None:
    context_tokens, slots, threads = sizes
    params.n_ctx = context_tokens * slots
    params.n_parallel = slots
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads


def _set_habits(params: Any) -> None:
    params.verbosity = _SILENT
    params.warmup = False
    params.ui = False
    params.endpoint_slots = False
    # One context shared by all slots would let calls in flight change each other's numbers.
    params.kv_unified = False
    # The slots keep their last prompts, exact and for free; not a second time, in up to 8 GB.
    params.cache_ram_mib = 0
    # An assistant's last turn is a turn like any other; only `prefill` makes a reply go on from it.
    params.prefill_assistant = False


def _failure(error: Mapping[str, Any]) -> CallFailed:
    said = str(error.get("message", error))
    if error.get("type") == _CONTEXT_EXCEEDED:
        return CallFailed(f"prompt_too_long: {said}; raise `context_tokens` or shorten the prompt")
    if int(error.get("code", 500)) >= 500:
        return Outage(f"server_error: llama.cpp failed: {said}")
    return CallFailed(f"refused: llama.cpp does not take the request: {said}")
