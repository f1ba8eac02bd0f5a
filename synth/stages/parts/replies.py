"""What stages make of replies: their parts, or a dropped child that says what was wrong.

A reply that is not what was asked for is data, like any other: it becomes a child with the raw text
in its field `raw_reply`, never a score of 0 or -1, and never the end of its siblings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from synth.engine.base import Completion
from synth.errors import CallFailed
from synth.record import JsonObject, Message, Record
from synth.services import Services
from synth.stages.parts.reasoning import split

_ITEM = re.compile(r"^[ \t]*(?:\d{1,3}[.):]|[-*•])[ \t]+(?=\S)", re.MULTILINE)
_FENCED = re.compile(r"^```[\w-]*[ \t]*\n((?:(?!```).*\n)*)```[ \t]*$", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:\.\d+)?(?![\w%]|[.,]\d)")


class MalformedError(ValueError):
    """A reply that is not what was asked for; its message is the reason, as `code: sentence`."""

    def __init__(self, reason: str, *, raw: str = "") -> None:
        super().__init__(reason)
        self.raw = raw
        """The reply, where whoever catches this does not have it."""


def failed_child(
    record: Record,
    services: Services,
    number: int,
    failed: CallFailed,
    *,
    messages: Sequence[Message] | None = None,
) -> Record:
    """Return child `number` of `record`, dropped because its call failed."""
    child = record.child(services.label, number, messages=messages)
    return child.drop("error", by=services.label, reason=failed.reason)


def malformed_child(  # noqa: PLR0913 (a child's address, and what is wrong with it)
    record: Record,
    services: Services,
    number: int,
    raw: str,
    wrong: str | MalformedError,
    *,
    messages: Sequence[Message] | None = None,
    fields: JsonObject | None = None,
) -> Record:
    """Return child `number` of `record`, dropped by a filter of the stage, with the `raw` reply."""
    kept = {**(fields or {}), "raw_reply": raw}
    child = record.child(services.label, number, messages=messages, fields=kept)
    return child.drop("filter", by=services.label, reason=str(wrong))


def passed_over(child: Record, last: Record) -> Record:
    """Return a live child that a later one, `last`, replaced as its parent; any other as it is."""
    return child if child is last or child.state != "live" else child.as_parent()


def whole_reply(said: Completion, what: str) -> tuple[str, str]:
    """Return a reply's words and its thinking, white space at their ends removed.

    Raises MalformedError, with the raw reply, if they are not all there: `unfinished_reasoning`, or
    for `what` it should have been (one word) `cut_off_…` and `empty_…`.
    """
    thought = split(said.text)
    if not thought.finished:
        wrong = "unfinished_reasoning: the model was still thinking when it stopped"
        raise MalformedError(wrong, raw=said.text)
    if said.finish_reason == "length":
        wrong = f"cut_off_{what}: the text did not end within `max_tokens`"
        raise MalformedError(wrong, raw=said.text)
    if not thought.answer:
        raise MalformedError(f"empty_{what}: the model returned no text", raw=said.text)
    return thought.answer, said.reasoning or thought.reasoning


def answer_in(said: Completion, what: str) -> str:
    """Return a reply's words without its thinking. Raises MalformedError as `whole_reply` does."""
    return whole_reply(said, what)[0]


@contextmanager
def reading(said: str) -> Generator[None]:
    """Let a MalformedError that is raised inside tell the reply, if it tells none yet."""
    try:
        yield
    except MalformedError as wrong:
        wrong.raw = wrong.raw or said
        raise


def quoted(text: str) -> str:
    """Return a text in quotation marks for a reason, cut after 80 characters."""
    return repr(text if len(text) <= 80 else text[:79] + "…")


def listed(text: str) -> list[str]:
    """Return the items of a list with numbers or bullets, white space at their ends removed.

    What stands before the first item is left out; an item may have several lines. Raises
    MalformedError if there is no list.
    """
    starts = list(_ITEM.finditer(text))
    if not starts:
        raise MalformedError("no_list: wanted a list with numbers, found none")
    ends = [later.start() for later in starts[1:]] + [len(text)]
    items = [text[start.end() : end].strip() for start, end in zip(starts, ends, strict=True)]
    return [item for item in items if item]


def sections(text: str, names: Sequence[str]) -> dict[str, str]:
    """Return what stands after each of the labels `names` (`Question: …`), in any case.

    A label begins a line; marks of emphasis or a heading around it do not count. Of a label that
    comes twice the first counts. Raises MalformedError, naming the label, if one is missing, out of
    order, or followed by nothing.
    """
    found: dict[str, str] = {}
    label, rest = "", text
    for name in names:
        pattern = rf"^[ \t]*(?:[#*_]+[ \t]*)?{re.escape(name)}[ \t]*(?:[*_]+[ \t]*)?:[ \t]*[*_]*"
        begins = re.search(pattern, rest, re.MULTILINE | re.IGNORECASE)
        if begins is None:
            raise MalformedError(f"missing_section: wanted a line that begins with '{name}:'")
        if label:
            found[label] = rest[: begins.start()].strip()
        label, rest = name, rest[begins.end() :]
    found[label] = rest.strip()
    if empty := next((name for name, said in found.items() if not said), ""):
        raise MalformedError(f"empty_section: nothing stands after '{empty}:'")
    return found


def tagged(text: str, tag: str) -> list[str]:
    """Return what stands between each `<tag>` and `</tag>`, white space at the ends removed.

    Raises MalformedError if there is none.
    """
    found = re.findall(rf"<{re.escape(tag)}>(.*?)</{re.escape(tag)}>", text, re.DOTALL)
    if not found:
        raise MalformedError(f"missing_tag: wanted <{tag}>…</{tag}>, found none")
    return [said.strip() for said in found]


def json_in(text: str) -> Any:
    """Return the JSON value that a reply is, or holds in a fenced block, or ends or begins with.

    Raises MalformedError if there is none, or one that holds NaN or infinity.
    """
    for candidate in (text, *_FENCED.findall(text), *_from_brackets(text)):
        try:
            return json.loads(candidate, parse_constant=_no_number)
        except (ValueError, RecursionError):
            continue
    raise MalformedError("not_json: wanted a JSON value, found none")


def _from_brackets(text: str) -> list[str]:
    """Return what lies between the first opening bracket and the last closing one of its kind."""
    found: list[tuple[int, str]] = []
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            found.append((start, text[start : end + 1]))
    return [part for _, part in sorted(found)]


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def number_in(text: str, least: float, most: float) -> float:
    """Return the one number of a reply such as `4`, `Rating: 4` or `4/5`.

    Raises MalformedError if there is none, if there are several, or if it is not between `least`
    and `most`.
    """
    found = {float(number) for number in _NUMBER.findall(_without_out_of(text, most))}
    if len(found) != 1:
        some = "none" if not found else f"{len(found)} different ones"
        raise MalformedError(f"no_number: wanted one number, found {some}")
    number = found.pop()
    if not least <= number <= most:
        raise MalformedError(f"out_of_range: wanted {least:g} to {most:g}, found {number:g}")
    return number


def _without_out_of(text: str, most: float) -> str:
    return re.sub(rf"(?<!\s)\s*(?:/|out of)\s*{most:g}\b", " ", text)


def choice_in(text: str, options: Sequence[str]) -> str:
    """Return the one of `options` that a reply names as a word of its own, in any case.

    Raises MalformedError if it names none, or several.
    """
    named = [
        option
        for option in options
        if re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE)
    ]
    # `not science` must not be hidden by `science`, which it contains.
    named = [one for one in named if not any(one != other and one in other for other in named)]
    if len(named) != 1:
        some = " and ".join(map(repr, named)) if named else "none of them"
        raise MalformedError(f"no_choice: wanted one of {', '.join(options)}; found {some}")
    return named[0]
