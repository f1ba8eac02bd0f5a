"""How tools, and a conversation that calls them, are told in a prompt's words."""

from __future__ import annotations

from collections.abc import Sequence

from synth.record import Message, canonical
from synth.stages.parts.tool_specs import Tool


def shown(tools: Sequence[Tool]) -> str:
    """Return the tools' specifications as JSON, one a line."""
    return "\n".join(canonical(tool.spec["function"]) for tool in tools)


def told(messages: Sequence[Message]) -> str:
    """Return a conversation as text, a turn a paragraph; calls are JSON."""
    return "\n\n".join(f"{turn['role']}: {_said(turn)}" for turn in messages)


def _said(turn: Message) -> str:
    calls = turn.get("tool_calls")
    return "\n".join([turn["content"], canonical(calls)]).strip() if calls else turn["content"]
