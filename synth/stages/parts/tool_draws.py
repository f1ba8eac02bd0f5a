"""What a conversation with tools is to be: which tools are shown, and which calls are wanted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from synth.stages.parts.tool_specs import Tool

Kind = Literal["single", "multiple", "parallel", "sequential", "none", "missing"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was drawn for one conversation."""

    kind: Kind
    shown: tuple[Tool, ...]
    turns: tuple[tuple[str, ...], ...] = ()
    """(turns, calls): the names of the tools that each turn must call; empty for no call."""
    hidden: Tool | None = None
    """For `none`: a tool that would fit, and is not shown."""
    about: str = ""
    """For `missing`: the tool that the user wants."""
    missing: str = ""
    """For `missing`: its required argument that the user does not give."""

    @property
    def wanted(self) -> list[str]:
        """The names of all tools to call, in order."""
        return [name for turn in self.turns for name in turn]

    def fields(self) -> dict[str, Any]:
        """Return what a record keeps of it."""
        kept = {
            "tools": [tool.spec for tool in self.shown],
            "tool_kind": self.kind,
            "tools_wanted": self.wanted,
        }
        return {**kept, "missing_argument": self.missing} if self.missing else kept


def impossible(kind: Kind, tools: Sequence[Tool]) -> str:
    """Return why no request of this kind can be made with `tools`, as `code: sentence`, or ""."""
    if kind in {"multiple", "sequential"} and len(tools) < 2:
        return f"too_few_tools: {kind!r} wants two tools, found {len(tools)}"
    if kind == "missing" and not any(tool.required for tool in tools):
        return "no_required_argument: 'missing' wants a tool with `required`, found none"
    return ""


def drawn_kind(kinds: Sequence[Kind], rng: random.Random) -> Kind:
    """Return one of the kinds, each as likely as any other."""
    return rng.choice(kinds)


def drawn_plan(
    kind: Kind, tools: Sequence[Tool], rng: random.Random, *, shown: tuple[int, int], calls: int
) -> Plan:
    """Return the plan of one conversation.

    `shown`: least and greatest number of tools offered, as far as there are so many; `calls`: how
    many a parallel or sequential request needs.
    """
    size = min(len(tools), rng.randint(*shown))
    if kind == "none":
        order = rng.sample(tools, len(tools))
        hidden = order[size] if size < len(order) else None
        return Plan(kind, tuple(order[:size]), hidden=hidden)
    if kind == "missing":
        tool = rng.choice([tool for tool in tools if tool.required])
        missing = rng.choice(tool.required)
        offered = _offered([tool], tools, size, rng)
        return Plan(kind, offered, about=tool.name, missing=missing)
    needed = _needed(kind, tools, rng, calls)
    size = 1 if kind == "single" else max(2, size) if kind == "multiple" else size
    names = tuple(tool.name for tool in needed)
    turns = tuple((name,) for name in names) if kind == "sequential" else (names,)
    return Plan(kind, _offered(needed, tools, size, rng), turns)


def _needed(kind: Kind, tools: Sequence[Tool], rng: random.Random, calls: int) -> list[Tool]:
    if kind == "parallel":
        return [rng.choice(tools) for _ in range(calls)]
    return rng.sample(tools, min(calls, len(tools)) if kind == "sequential" else 1)


def _offered(
    needed: Sequence[Tool], tools: Sequence[Tool], size: int, rng: random.Random
) -> tuple[Tool, ...]:
    """Return `size` tools with the needed ones among them, in an order that tells nothing."""
    names = {tool.name for tool in needed}
    first = [tool for tool in tools if tool.name in names]
    others = [tool for tool in tools if tool.name not in names]
    offered = [*first, *rng.sample(others, max(0, min(len(others), size - len(first))))]
    return tuple(rng.sample(offered, len(offered)))
