"""Asking the sandbox whether uses exist: each question once in the life of a process."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from synth import Sandbox

from . import api_resolver
from .api_uses import Use

Answer = dict[str, Any]
_MOST_KEPT = 100_000


class Query(NamedTuple):
    """A use without its line."""

    module: str
    steps: tuple[str, ...]
    keywords: tuple[str, ...]
    positional: int | None

    @property
    def top(self) -> str:
        """The module's first name."""
        return self.module.partition(".")[0]

    def as_json(self) -> dict[str, Any]:
        """Return it as `api_resolver.resolve` reads it."""
        return {**self._asdict(), "steps": [*self.steps], "keywords": [*self.keywords]}

    @classmethod
    def of(cls, use: Use) -> Query:
        """Return what is asked about a use."""
        return cls(*use.path, use.keywords, use.positional)


class Answers:
    """What is known of the packages in a sandbox's environment; nothing is imported here."""

    def __init__(self, sandbox: Sandbox, packages: Sequence[str]) -> None:
        self._sandbox = sandbox
        self._packages = list(packages)
        self._resolver = inspect.getsource(api_resolver)
        self._known: dict[Query, Answer] = {}

    def to(self, asked: Iterable[Use]) -> list[Answer]:
        """Return the answer to each use, as `api_resolver.resolve` gives it.

        Raises ValueError if a package that the recipe names cannot be imported there.
        """
        queries = [Query.of(use) for use in asked]
        new = sorted({*queries} - {*self._known}, key=repr)
        self._known |= zip(new, self._resolved(new), strict=True)
        answers = [self._known[query] for query in queries]
        if len(self._known) > _MOST_KEPT:
            self._known.clear()
        return answers

    def _resolved(self, queries: Sequence[Query]) -> list[Answer]:
        """Ask about all at once; if that ends the process, about each package of its own."""
        if not queries:
            return []
        call = Sandbox.Call(args=([query.as_json() for query in queries], self._packages))
        [result] = self._sandbox.call(self._resolver, "resolve", [call]).results
        if result.outcome == "returned":
            return cast("list[Answer]", result.value)
        if result.outcome == "error":
            raise ValueError(_unusable(result.message))
        tops = {query.top for query in queries}
        if len(tops) == 1:
            return _unresolved(queries, tops.pop(), f"{result.outcome} {result.message}")
        return self._one_by_one(queries, tops)

    def _one_by_one(self, queries: Sequence[Query], tops: Iterable[str]) -> list[Answer]:
        apart = {top: [query for query in queries if query.top == top] for top in sorted(tops)}
        answers = {
            query: answer
            for some in apart.values()
            for query, answer in zip(some, self._resolved(some), strict=True)
        }
        return [answers[query] for query in queries]


def said(answer: Answer) -> str:
    """Return, as a sentence, what an answer found missing, and what has nearly that name."""
    holder = answer["holder"].removeprefix("builtins.")
    name, near = answer["name"], " or ".join(map(repr, answer["near"]))
    sentence = {
        "missing_module": f"{holder!r} has no module {name!r}",
        "missing_attribute": f"{holder!r} has no {name!r}",
        "unknown_keyword": f"{holder!r} takes no keyword argument {name!r}",
        "too_many_arguments": "{!r} takes at most {} arguments by position, got {}".format(
            holder, answer.get("most"), answer.get("given")
        ),
    }[answer["status"]]
    return f"{sentence}; did you mean {near}?" if near else sentence


def _unresolved(queries: Sequence[Query], top: str, why: str) -> list[Answer]:
    """Return that nothing is known of a package whose import ends the process.

    Raises ValueError if the recipe names it: its limits are too narrow, and all would be skipped.
    """
    if top not in sys.stdlib_module_names:
        raise ValueError(_unusable(f"{top!r} ends the process that imports it: {why}"))
    return [{"status": "unknown"} for _ in queries]


def _unusable(why: str) -> str:
    return (
        f"a package that the recipe names cannot be used: {why}. Install it in the sandbox's "
        "`environment`, raise the sandbox's limits, or take it from `packages`"
    )
