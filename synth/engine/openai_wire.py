"""The OpenAI wire format: questions become request bodies, replies become completions. No I/O.

Replies are read strictly where something is needed and leniently elsewhere: servers differ in what
they add, leave out or set to null. What cannot be read raises UnreadableError: an outage.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from synth.engine.base import Chat, Completion, Prompted, Sampling, Text
from synth.engine.reply import FinishReason, TopLogprobs, Usage
from synth.record import Message, canonical, whole_text

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SENT_AS_THEY_ARE = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "max_tokens",
    "stop",
    "stop_token_ids",
    "logit_bias",
)
_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_BROKEN_OFF = frozenset({"abort", "error"})


class UnreadableError(ValueError):
    """A reply that is no completion; the message says what was wanted."""


def constant_part(model: str, sampling: Sampling, extra: Mapping[str, Any], *, chat: bool) -> str:
    """Return a request body without prompt, seed and closing brace: what most calls have in common.

    What is None or empty in `sampling` is not sent; `extra` has the last word. Raises ValueError
    for tools with raw text.
    """
    asked: dict[str, Any] = {"model": model}
    for name in _SENT_AS_THEY_ARE:
        value = getattr(sampling, name)
        if value is not None and value != ():
            asked[name] = value
    if sampling.json_schema is not None:
        form = {"name": "reply", "schema": sampling.json_schema, "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    asked |= _only_in_chats(sampling) if chat else _only_in_texts(sampling)
    return canonical({**asked, **extra})[:-1]


def _only_in_chats(sampling: Sampling) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if sampling.top_logprobs is not None:
        asked |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
    if sampling.tools:
        asked["tools"] = sampling.tools
    if sampling.prefill is not None:
        asked |= {"continue_final_message": True, "add_generation_prompt": False}
    return asked


def _only_in_texts(sampling: Sampling) -> dict[str, Any]:
    if sampling.tools:
        raise ValueError("tools_need_a_chat: raw text cannot call tools; ask a chat instead")
    return {} if sampling.top_logprobs is None else {"logprobs": sampling.top_logprobs}


def body(constant: str, prompt: Prompted, sampling: Sampling, *, send_seed: bool = True) -> bytes:
    """Return the request body for `prompt`. Raises ValueError for a prefill after token ids."""
    seed = f',"seed":{sampling.seed}' if send_seed and sampling.seed is not None else ""
    if isinstance(prompt, Chat):
        messages = sendable(prompt.messages)
        if sampling.prefill is not None:
            messages = [*messages, Message(role="assistant", content=sampling.prefill)]
        return f'{constant}{seed},"messages":{canonical(messages)}}}'.encode()
    special = "" if prompt.add_special_tokens else ',"add_special_tokens":false'
    text = canonical(_with_prefill(prompt, sampling.prefill))
    return f'{constant}{seed}{special},"prompt":{text}}}'.encode()


def _with_prefill(prompt: Text, prefill: str | None) -> str | tuple[int, ...]:
    if not prefill:
        return prompt.text
    if isinstance(prompt.text, str):
        return prompt.text + prefill
    raise ValueError("prefill_after_ids: wanted a prompt as text before a prefill, got ids")


def sendable(messages: Sequence[Message]) -> Sequence[Message]:
    """Return `messages` without past reasoning, which servers refuse or ignore in a question."""
    if not any("reasoning" in message for message in messages):
        return messages
    return [
        {name: value for name, value in message.items() if name != "reasoning"}  # pyright: ignore[reportReturnType]
        for message in messages
    ]


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return `value` as a JSON request body."""
    return canonical(value).encode()


def decoded(raw: bytes) -> Any:
    """Return the JSON value that was received, as valid Unicode: U+FFFD for what is not.

    Raises UnreadableError if it is no JSON.
    """
    with suppress(ValueError):
        return orjson.loads(raw)
    text = raw.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("not_json: wanted a JSON object") from error
    return _valid(value) if _ESCAPED_SURROGATE.search(text) else value


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [_valid(item) for item in as_list(value)]
    if isinstance(value, dict):
        return {_valid(name): _valid(item) for name, item in as_object(value).items()}
    return value


def as_object(value: Any) -> dict[str, Any]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def as_list(value: Any) -> list[Any]:
    """Return `value` if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def choice(reply: Any) -> dict[str, Any]:
    """Return the first choice of a reply. Raises UnreadableError if there is none."""
    choices = as_list(as_object(reply).get("choices"))
    if not choices or not as_object(choices[0]):
        raise UnreadableError("no_choices: wanted an object with `choices`")
    return choices[0]


def completion(reply: Any, sampling: Sampling, *, chat: bool, seconds: float = 0.0) -> Completion:
    """Return the completion in a decoded reply; its text begins with the prefill.

    Raises UnreadableError for what is no completion, or one that the server broke off.
    """
    chosen = choice(reply)
    finish_reason = str(chosen.get("finish_reason"))
    if finish_reason in _BROKEN_OFF:
        raise UnreadableError(f"broken_off: the server ended the reply with {finish_reason!r}")
    said = as_object(chosen.get("message")) if chat else chosen
    usage = as_object(as_object(reply).get("usage"))
    return Completion(
        text=(sampling.prefill or "") + _text(said, chat=chat),
        finish_reason=_FINISH_REASONS.get(finish_reason, "unknown"),
        reasoning=_first_text(said, ("reasoning_content", "reasoning")) or None,
        tool_calls=tuple(as_list(said.get("tool_calls"))),
        top_logprobs=None
        if sampling.top_logprobs is None
        else _top_logprobs(chosen.get("logprobs"), chat=chat),
        usage=Usage(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")),
        seconds=seconds,
    )


def _text(said: Mapping[str, Any], *, chat: bool) -> str:
    text = _first_text(said, ("content", "refusal") if chat else ("text",))
    # A reply that is all tool calls or reasoning has no content; without a role it is no reply.
    if text is None and not (chat and "role" in said):
        raise UnreadableError(f"no_text: wanted a choice with {'a message' if chat else 'text'}")
    return text or ""


def _first_text(said: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((said[name] for name in names if isinstance(said.get(name), str)), None)


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def _top_logprobs(given: Any, *, chat: bool) -> TopLogprobs | None:
    """Return the likeliest tokens at each place; None of a server that ignores the question."""
    if not isinstance(given, dict):
        return None
    logprobs = as_object(given)
    if chat:
        content = [as_object(place) for place in as_list(logprobs.get("content"))]
        listed = [as_list(place.get("top_logprobs")) for place in content]
        places = [[_pair(as_object(one)) for one in place] for place in listed]
    else:
        named = [as_object(place) for place in as_list(logprobs.get("top_logprobs"))]
        places = [[(token, float(value)) for token, value in place.items()] for place in named]
    return tuple(tuple(sorted(place, key=lambda pair: -pair[1])) for place in places)


def _pair(alternative: Mapping[str, Any]) -> tuple[str, float]:
    token, logprob = alternative.get("token"), alternative.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        raise UnreadableError("no_logprobs: wanted `token` and `logprob` at each place")
    return token, float(logprob)


def vectors(reply: Any, count: int) -> list[list[float]]:
    """Return `count` embeddings, in the order asked. Raises UnreadableError for anything else."""
    entries = [as_object(entry) for entry in as_list(as_object(reply).get("data"))]
    entries.sort(key=lambda entry: _count(entry, "index"))
    found = [as_list(entry.get("embedding")) for entry in entries]
    if len(found) != count or not all(map(_is_vector, found)):
        raise UnreadableError(f"no_vectors: wanted `data` with {count} embeddings, finite numbers")
    return found


def _is_vector(values: list[Any]) -> bool:
    try:
        return bool(values) and all(map(math.isfinite, values))
    except (TypeError, OverflowError):
        return False


def error_message(raw: bytes) -> str:
    """Return an error reply's message, or its body; on one line, at most 200 characters."""
    try:
        said = as_object(decoded(raw))
    except UnreadableError:
        said = {}
    error = said.get("error")
    candidates = (as_object(error).get("message"), error, said.get("message"), said.get("detail"))
    found = next((value for value in candidates if isinstance(value, str) and value), None)
    return " ".join((found or raw.decode("utf-8", "replace")).split())[:200]
