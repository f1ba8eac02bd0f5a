"""One example on its way, and what was said about it.

A record is frozen: a stage passes it on, drops it, or makes children. Its id is a digest of where
it came from, so the same recipe and the same replies give the same ids at any speed and in any
order.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal, NotRequired, TypedDict

import orjson

State = Literal["live", "parent", "dropped", "held"]
Of = Literal["instruction", "reply", "all"]
"""Which text of a record: its instruction, its reply, or every message, a blank line between."""
DropKind = Literal["verdict", "error", "filter"]
Outcome = Literal["pass", "fail", "abstain", "error"]
JsonObject = Mapping[str, Any]

_encode_slowly = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class Message(TypedDict):
    """One turn of a conversation, in the shape that every trainer reads. Never changed in place."""

    role: str
    content: str
    name: NotRequired[str]
    reasoning: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_text(text: str) -> str:
    """Return `text` with each lone surrogate as U+FFFD, so that it can be written as UTF-8."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def canonical(value: object) -> str:
    """Return `value` as JSON text with sorted keys: equal values, equal text.

    Raises ValueError for NaN and infinities, TypeError for what JSON cannot hold.
    """
    try:
        encoded = orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # Whole numbers of more than 64 bits, lone surrogates, and what JSON cannot hold at all.
        return whole_text(_encode_slowly(value))
    if b"null" in encoded:
        # orjson writes NaN as null. The slow encoder refuses it, and is asked only where it may be.
        _encode_slowly(value)
    return encoded.decode()


def digest(*parts: str) -> str:
    """Return 16 hexadecimal digits that identify `parts`; a border between parts counts."""
    sized = "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(sized.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says about one record."""

    outcome: Outcome
    """`pass`, `fail`, or `abstain` when it cannot know. `error` is the framework's: a verifier
    broke."""
    reason: str = ""
    """A stable code, a colon and a sentence that a person can act on: `too_short: 3 words, wants
    10`."""
    score: float | None = None
    """A finite number whose meaning the verifier documents, or None."""
    evidence: JsonObject | None = None
    """What the verdict rests on, as JSON: counts, spans, neighbours."""

    def __post_init__(self) -> None:
        """Refuse a score that is no finite number: NaN for "not judged" makes metrics drift."""
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError(f"a verdict's score must be finite, got {self.score!r}")
        if not self.reason.isascii():
            object.__setattr__(self, "reason", whole_text(self.reason))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by position."""
        return Verdict, (self.outcome, self.reason, self.score, self.evidence)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values: the constructor's arguments, without what is absent."""
        kept: dict[str, Any] = {"outcome": self.outcome}
        if self.reason:
            kept["reason"] = self.reason
        if self.score is not None:
            kept["score"] = self.score
        if self.evidence is not None:
            kept["evidence"] = self.evidence
        return kept

    @classmethod
    def passed(cls, *, score: float | None = None, evidence: JsonObject | None = None) -> Verdict:
        """Return a verdict that the record meets the criterion."""
        return cls("pass", "", score, evidence)

    @classmethod
    def failed(
        cls,
        code: str,
        sentence: str = "",
        *,
        score: float | None = None,
        evidence: JsonObject | None = None,
    ) -> Verdict:
        """Return a verdict that the record does not meet the criterion, and why."""
        return cls("fail", f"{code}: {sentence}" if sentence else code, score, evidence)

    @classmethod
    def abstained(cls, code: str, sentence: str = "") -> Verdict:
        """Return a verdict that this verifier cannot judge this record, and why."""
        return cls("abstain", f"{code}: {sentence}" if sentence else code)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with who gave it and where."""

    stage: str
    """Label of the verify stage."""
    label: str
    """What the recipe calls the verifier there (`as`, by default its name)."""
    verifier: str
    """The verifier's own name."""
    version: str
    verdict: Verdict

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by position."""
        return Judgement, (self.stage, self.label, self.verifier, self.version, self.verdict)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a record left the flow."""

    kind: DropKind
    """`verdict`: a verifier failed it; `filter`: a stage's own published filter; `error`:
    something broke."""
    by: str
    """The label of the verifier or the stage that dropped it."""
    reason: str
    """A stable code, a colon and a sentence."""

    def __post_init__(self) -> None:
        """Keep the reason writable: it may quote text that is no valid UTF-8."""
        object.__setattr__(self, "reason", whole_text(self.reason))


@dataclass(frozen=True, slots=True)
class Record:
    """One example on its way: lineage, seed fields, messages, state. Frozen.

    Make new ones by methods.
    """

    id: str
    """16 hexadecimal digits: a digest of the parents' ids and the step, or of a seed's content."""
    parents: tuple[str, ...]
    """Ids of the records that it was made from; empty for a seed."""
    family: str
    """The id of the seed it descends from: a family never straddles train and test."""
    position: tuple[int, ...]
    """Its place in the run: the seed's number, then the child's number at each step. Sorts as a
    tuple."""
    fields: JsonObject
    """Columns of the seed and what stages added, JSON values only."""
    messages: tuple[Message, ...] = ()
    state: State = "live"
    dropped: Drop | None = None
    """Why, when `state` is `dropped` or `held`."""
    judgements: tuple[Judgement, ...] = ()
    """Every verdict given on this very record so far, in the order given."""
    _content: str = field(default="", compare=False, repr=False)
    """Digest of fields and messages, once somebody asked for it; copies take it along."""

    @classmethod
    def seed(
        cls,
        fields: JsonObject,
        messages: Sequence[Message] = (),
        *,
        number: int = 0,
        occurrence: int = 0,
    ) -> Record:
        """Return a seed's record: its `number` in the run, its `occurrence` among equal seeds."""
        identity = digest("seed", canonical([fields, messages]), str(occurrence))
        return cls(identity, (), identity, (number,), fields, tuple(messages))

    @property
    def content(self) -> str:
        """Digest of fields and messages: equal content, equal verdicts."""
        if not self._content:
            found = digest(canonical(self.fields), canonical(self.messages))
            object.__setattr__(self, "_content", found)
        return self._content

    @property
    def instruction(self) -> str:
        """The last user turn; else the field `instruction`, `prompt` or `question`; else empty."""
        for message in reversed(self.messages):
            if message["role"] == "user":
                return message["content"]
        for name in ("instruction", "prompt", "question"):
            if isinstance(value := self.fields.get(name), str):
                return value
        return ""

    @property
    def reply(self) -> str:
        """The last message if the assistant wrote it, else empty."""
        if self.messages and self.messages[-1]["role"] == "assistant":
            return self.messages[-1]["content"]
        return ""

    def child(
        self,
        label: str,
        number: int,
        *,
        messages: Sequence[Message] | None = None,
        fields: JsonObject | None = None,
        parents: Sequence[Record] = (),
    ) -> Record:
        """Return the `number`th record that stage `label` makes from this one (and from `parents`).

        What is not given is inherited; `fields` are added to the inherited ones.
        """
        ids = (self.id, *(parent.id for parent in parents))
        return Record(
            id=digest("child", label, str(number), *ids),
            parents=ids,
            family=self.family,
            position=(*self.position, number),
            fields={**self.fields, **fields} if fields else self.fields,
            messages=self.messages if messages is None else tuple(messages),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by position: records cross to worker processes by the million."""
        return Record, self._values()

    def _values(self) -> tuple[Any, ...]:
        return (
            self.id,
            self.parents,
            self.family,
            self.position,
            self.fields,
            self.messages,
            self.state,
            self.dropped,
            self.judgements,
            self._content,
        )

    def adding(self, fields: JsonObject) -> Record:
        """Return this record with more fields."""
        return replace(self, fields={**self.fields, **fields}, _content="")

    def as_parent(self) -> Record:
        """Return this record as replaced by its children."""
        return Record(*self._values()[:6], state="parent", judgements=self.judgements)

    def drop(self, kind: DropKind, *, by: str, reason: str) -> Record:
        """Return this record as dropped, with its reason."""
        return replace(self, state="dropped", dropped=Drop(kind, by, reason))

    def hold(self, *, by: str, reason: str, kind: DropKind = "error") -> Record:
        """Return this record as judged by nobody for sure: not exported, nor used as rejected."""
        return replace(self, state="held", dropped=Drop(kind, by, reason))

    def judged(self, judgement: Judgement) -> Record:
        """Return this record with one more judgement on it."""
        # By position: dataclasses.replace is slow, and this is done for every verdict.
        values: Any = (*self._values()[:8], (*self.judgements, judgement), self._content)
        return Record(*values)
