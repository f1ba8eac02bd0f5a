"""What a sampling says in vLLM's words, and what vLLM answers in ours. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synth.engine.base import Completion, Sampling, TokenLogprobs
from synth.engine.reply import FinishReason, TopLogprobs, Usage
from synth.errors import Outage

SCORING: Mapping[str, Any] = {"max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}
"""Asks for the log-probabilities of a prompt's own tokens; one token must be drawn after it."""
_SAME_NAME = {
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "max_tokens",
    "seed",
}
_FINISH_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
_BROKEN_OFF = {None, "abort", "error"}
_LOWEST = -9999.0


def asked(sampling: Sampling) -> dict[str, Any]:
    """Return what `sampling` says, in vLLM's words."""
    given = sampling.model_dump(include=_SAME_NAME, exclude_none=True)
    if sampling.stop:
        given["stop"] = list(sampling.stop)
    if sampling.stop_token_ids:
        given["stop_token_ids"] = list(sampling.stop_token_ids)
    if sampling.logit_bias:
        given["logit_bias"] = {int(token): by for token, by in sampling.logit_bias.items()}
    if sampling.top_logprobs:
        given["logprobs"] = sampling.top_logprobs
    if sampling.json_schema is not None:
        given["json_schema"] = sampling.json_schema
    return given


def completion(output: Any, sampling: Sampling) -> Completion:
    """Return a final output as a completion, prefill included. Raises Outage if it broke off."""
    drawn = output.outputs[0]
    if drawn.finish_reason in _BROKEN_OFF:
        raise Outage(f"broken_off: vLLM ended the reply with {drawn.finish_reason!r}")
    return Completion(
        text=(sampling.prefill or "") + drawn.text,
        finish_reason=_FINISH_REASONS.get(drawn.finish_reason, "unknown"),
        top_logprobs=_top_logprobs(drawn.logprobs, sampling.top_logprobs),
        usage=Usage(len(output.prompt_token_ids), len(drawn.token_ids)),
    )


def _top_logprobs(places: Any, wanted: int | None) -> TopLogprobs | None:
    """Return the likeliest `wanted` of each place; vLLM adds the drawn token if it is not one."""
    if not wanted or places is None:
        return None
    ranked = [sorted(place.values(), key=lambda one: -one.logprob)[:wanted] for place in places]
    return tuple(
        tuple((one.decoded_token or "", float(one.logprob)) for one in place) for place in ranked
    )


def scored(output: Any, tokens: Sequence[int], first: int) -> TokenLogprobs:
    """Return the log-probabilities of `tokens[first:]` in the output for a prompt of `tokens`."""
    places = zip(tokens[first:], output.prompt_logprobs[first:], strict=True)
    told = [place[token] for token, place in places if place is not None]
    return TokenLogprobs(
        tuple(one.decoded_token or "" for one in told),
        tuple(max(_LOWEST, min(0.0, float(one.logprob))) for one in told),
        first,
    )
