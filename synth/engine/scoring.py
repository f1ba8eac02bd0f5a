"""Which tokens of a scored text are its continuation, by text alone.

Servers tell tokens by their text, and not quite: one character may be spread over tokens that show
as U+FFFD, a tokenizer may swallow spaces, the first token may be unknown. So tokens are laid onto
the text from its end, where the continuation is, with just that much tolerance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synth.engine.base import TokenLogprobs
from synth.engine.openai_wire import as_list, as_object
from synth.errors import CallFailed

Scored = Sequence[tuple[str, float | None]]
"""All tokens of a text, in order; the first has no log-probability: nothing stands before it."""

_OPAQUE = re.compile(r"<0x[0-9A-Fa-f]{2}>|bytes:.*", re.DOTALL)
_PIECE = "\ufffd"
_LOWEST = -9999.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to ask a server for the log-probabilities of a text."""

    asks: Mapping[str, Any]
    """What a request body holds beside model and prompt."""
    read: Callable[[Mapping[str, Any], str], Scored | None]
    """The reply's first choice and the text → tokens; None if the server ignored what was asked."""


def _by_prompt_logprobs(choice: Mapping[str, Any], _text: str) -> Scored | None:
    places = choice.get("prompt_logprobs")
    if not isinstance(places, list):
        return None
    return [_of_place(as_object(place)) for place in as_list(places)]


def _of_place(place: Mapping[str, Any]) -> tuple[str, float | None]:
    for token in place.values():
        told = as_object(token)
        return str(told.get("decoded_token") or ""), _number(told.get("logprob"))
    return "", None


def _by_echo(choice: Mapping[str, Any], text: str) -> Scored | None:
    # llama.cpp takes `echo` without a word and reports on what it generated.
    if text not in str(choice.get("text")):
        return None
    logprobs = as_object(choice.get("logprobs"))
    tokens, values = as_list(logprobs.get("tokens")), as_list(logprobs.get("token_logprobs"))
    if not tokens or len(tokens) != len(values):
        return None
    return [(str(token), _number(value)) for token, value in zip(tokens, values, strict=True)]


def _number(value: Any) -> float | None:
    """Return a log-probability within -9999 and 0: servers write the impossible in various ways."""
    return max(_LOWEST, min(0.0, float(value))) if isinstance(value, int | float) else None


WAYS = (
    Way({"max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}, _by_prompt_logprobs),
    Way({"max_tokens": 0, "echo": True, "logprobs": 1}, _by_echo),
)
"""vLLM's own, then that of OpenAI's completions, which others copied."""


def continuation(
    scored: Scored, text: str, border: int, *, cut_at: int | None = None
) -> TokenLogprobs:
    """Return the tokens of `text[border:]`; one that straddles the border is among them.

    A token without a log-probability (the very first of a text) is left out, and so is what comes
    after the first `cut_at` tokens of the text. Raises CallFailed if the tokens are not those of
    `text`.
    """
    first = _first_after([token for token, _ in scored], text, border)
    kept = [(token, value) for token, value in scored[first:cut_at] if value is not None]
    tokens, values = (token for token, _ in kept), (value for _, value in kept)
    return TokenLogprobs(tuple(tokens), tuple(values), first)


def _first_after(tokens: Sequence[str], text: str, border: int) -> int:
    end, hidden = len(text), 0
    for number in range(len(tokens) - 1, -1, -1):
        # vLLM shows a character with the last of its tokens, and nothing with those before.
        if end <= border and tokens[number]:
            return number + 1
        span = _span(tokens[number].replace("\u2581", " "), text[:end], hidden)
        if span is None:
            hidden += 1
            continue
        start, stop = span
        if stop <= border:
            return number + 1
        end, hidden = start, _PIECE in tokens[number]
    if len(text[border:end].strip()) > 0 and not hidden:
        raise _misaligned(text[border:end])
    return 0


def _span(token: str, text: str, hidden: int) -> tuple[int, int] | None:
    """Return where `token` lies at the end of `text`, before `hidden` pieces of characters.

    None if the token shows no character of its own.
    """
    if token and not hidden and text.endswith(token):
        return len(text) - len(token), len(text)
    core = "" if _OPAQUE.fullmatch(token) else token.strip(_PIECE)
    core = core.strip() or core
    if not core:
        return None
    start = text.rfind(core)
    stop = start + len(core)
    skipped = "".join(text[stop:].split())
    if start >= 0 and len(skipped) <= hidden + token.count(_PIECE):
        return start, stop
    if core.isspace():
        return None
    raise _misaligned(token)


def _misaligned(what: str) -> CallFailed:
    return CallFailed(
        f"misaligned_tokens: wanted the tokens of the given text, none fits at {what[:40]!r}"
    )
