"""What comes back from an engine: a completion, or the log-probabilities of a given text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost, in tokens; 0 where the engine does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


TopLogprobs = tuple[tuple[tuple[str, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back."""

    text: str
    finish_reason: FinishReason = "stop"
    """`length`: cut off at `max_tokens`; a state, not an error."""
    reasoning: str | None = None
    """The model's thinking, where the server tells it apart."""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    top_logprobs: TopLogprobs | None = None
    """(tokens, alternatives): text and natural log-probability, likeliest first."""
    usage: Usage = field(default_factory=Usage)
    seconds: float = field(default=0.0, compare=False)
    """From sending to receiving. Lives in the store only: nothing that is exported depends on
    it."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what is absent."""
        usage = {
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
        }
        kept: dict[str, Any] = {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "usage": usage,
        }
        if self.reasoning is not None:
            kept["reasoning"] = self.reasoning
        if self.tool_calls:
            kept["tool_calls"] = list(self.tool_calls)
        if self.top_logprobs is not None:
            kept["top_logprobs"] = self.top_logprobs
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Completion:
        """Return what `as_json` was given."""
        top = kept.get("top_logprobs")
        return cls(
            text=kept["text"],
            finish_reason=kept["finish_reason"],
            reasoning=kept.get("reasoning"),
            tool_calls=tuple(kept.get("tool_calls", ())),
            top_logprobs=None
            if top is None
            else tuple(tuple((token, logprob) for token, logprob in place) for place in top),
            usage=Usage(**kept["usage"]),
        )


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Natural log-probabilities of a continuation's tokens, each given all text before it."""

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]
    """(tokens,): same length as `tokens`; all are at most 0."""
    before: int = 0
    """Tokens of the text that stand before the continuation's first one, special ones included.

    0: the continuation's first token has nothing before it, and so is not among `tokens`."""
