"""Have records judged, and do with the verdicts what the recipe says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
)

from synth.errors import SynthError
from synth.frozen import Frozen, content_digest
from synth.plugins import VerifierSpec, find
from synth.recipe import MisfitError, Wrong, described, label_of, named_options
from synth.record import Judgement, Record, Verdict, canonical
from synth.services import Services
from synth.stage import Stage
from synth.verification import ModelVerifier, Verifier

_POLICIES = ("as", "on_fail", "on_abstain", "on_error")


class Use(Frozen):
    """One verifier of a verify stage: which, called what, and what follows from its verdicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    label: str = Field(alias="as")
    """What reasons and exports call it; by default its name."""
    on_fail: Literal["drop", "keep"] = "drop"
    on_abstain: Literal["keep", "drop", "hold"] = "keep"
    on_error: Literal["hold", "drop"] = "hold"
    spec: VerifierSpec
    """How to make the verifier."""
    source: str
    """Name and version of the distribution that brings it."""

    @cached_property
    def verifier(self) -> Verifier | ModelVerifier:
        """The verifier, made in this process."""
        return self.spec.make()

    @cached_property
    def key(self) -> str:
        """What its verdicts depend on beside the record: who it is, its options and its files."""
        made = self.verifier
        options = made.model_dump(mode="json")
        files = [content_digest(Path(self.spec.folder) / file) for file in made.files()]
        return canonical([made.name, made.version, self.source, options, files])

    @property
    def identity(self) -> str:
        """What the stage's outcome depends on."""
        return canonical([self.key, self.label, self.on_fail, self.on_abstain, self.on_error])


def _use(written: Any, info: ValidationInfo) -> Any:
    """Return a Use from `name` or `{name: {options and policies}}`. Raises MisfitError."""
    if isinstance(written, Use):
        return written
    try:
        named = named_options(written)
    except ValueError as error:
        raise MisfitError([((), str(error))]) from error
    ((name, given),) = named.items()
    context: dict[str, Path] = info.context or {}
    return _made(name, given, context.get("folder", Path()))


def _made(name: str, given: Mapping[str, Any], folder: Path) -> Use:
    """Return the Use that a recipe spells. Raises MisfitError with all that is wrong about it."""
    policies = {policy: given[policy] for policy in _POLICIES if policy in given}
    options = {option: value for option, value in given.items() if option not in _POLICIES}
    spec = VerifierSpec(name, json.dumps(options, sort_keys=True), str(folder))
    try:
        found = find("verifiers", name, folder=folder)
    except SynthError as error:
        raise MisfitError([((name,), str(error))]) from error
    label = label_of({name: policies})
    as_written = {"as": label, **policies, "spec": spec, "source": found.source}
    wrong = [
        *_wrong(Use, lambda: Use.model_validate(as_written)),
        *_wrong(found.cls, spec.make),
    ]
    if wrong:
        raise MisfitError([((name, *at), message) for at, message in wrong])
    return Use.model_validate(as_written)


def _wrong(cls: type[Frozen], make: Callable[[], object]) -> list[Wrong]:
    try:
        make()
    except ValidationError as error:
        return described(error, cls, also=_POLICIES)
    return []


class Verify(Stage):
    """Judge each record by `verifiers`, in the order written; one that drops it ends its way.

    For each verifier: `as` (its label), `on_fail: drop | keep`, `on_abstain: keep | drop | hold`,
    `on_error: hold | drop`. A verifier that breaks is never a fail: its record is held.
    """

    name: ClassVar[str] = "verify"
    batch: ClassVar[int] = 256

    verifiers: tuple[Annotated[Use, BeforeValidator(_use)], ...] = Field(min_length=1)
    """Names, or `{name: {options}}`, in the order in which they judge."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Longest time that a CPU verifier may take for one record, in seconds."""
    memory_mb: int = Field(default=2048, ge=64)
    """What a worker process may allocate, in MiB."""

    @property
    def in_order(self) -> bool:
        """Whether one of the verifiers must see records by position."""
        return any(use.verifier.in_order for use in self.verifiers)

    def engines(self) -> tuple[str, ...]:
        """Return the engines that its verifiers ask."""
        names = [name for use in self.verifiers for name in use.verifier.engines()]
        return tuple(dict.fromkeys(names))

    def needs(self, engine: str) -> frozenset[str]:
        """Return nothing: what a verifier asks of an engine is its own affair."""
        return frozenset()

    @property
    def identity(self) -> str:
        """What its outcome depends on: the verifiers and the policies, not the limits."""
        return canonical([use.identity for use in self.verifiers])

    async def apply_batch(
        self, records: Sequence[Record], services: Services
    ) -> Sequence[Sequence[Record]]:
        """Return each record, judged, with what follows from the verdicts."""
        judged = list(records)
        for use in self.verifiers:
            alive = [place for place, record in enumerate(judged) if record.state == "live"]
            if not alive:
                break
            verdicts = await services.judge(use, [judged[place] for place in alive], services)
            for place, verdict in zip(alive, verdicts, strict=True):
                judged[place] = _followed(judged[place], use, verdict, services.label)
        return [[record] for record in judged]


def judging_in(stage: Stage) -> Verify | None:
    """Return what judges in a stage: the stage itself, or its option `verifiers`."""
    inside = getattr(stage, "verifiers", None)
    return next((one for one in (stage, inside) if isinstance(one, Verify)), None)


def _followed(record: Record, use: Use, verdict: Verdict, stage: str) -> Record:
    made = use.verifier
    record = record.judged(Judgement(stage, use.label, made.name, made.version, verdict))
    reason = verdict.reason or verdict.outcome
    match verdict.outcome:
        case "fail" if use.on_fail == "drop":
            return record.drop("verdict", by=use.label, reason=reason)
        case "abstain" if use.on_abstain == "drop":
            return record.drop("filter", by=use.label, reason=reason)
        case "abstain" if use.on_abstain == "hold":
            return record.hold(by=use.label, reason=reason, kind="filter")
        case "error" if use.on_error == "drop":
            return record.drop("error", by=use.label, reason=reason)
        case "error":
            return record.hold(by=use.label, reason=reason)
        case _:
            return record


async def judged(records: Sequence[Record], by: Verify, services: Services) -> list[Record]:
    """Return records, the live ones judged inside another stage."""
    live = [record for record in records if record.state == "live"]
    outcomes = await by.apply_batch(live, services)
    after = {outcome.id: outcome for (outcome,) in outcomes}
    return [after.get(record.id, record) for record in records]


def _as_verify(written: Any) -> Any:
    if isinstance(written, list | tuple):
        return {"verifiers": cast("Sequence[Any]", written)}
    return written


def _out_of_order(verify: Verify | None) -> Verify | None:
    if verify and verify.in_order:
        raise ValueError("`verifiers` must not hold one that judges records in order")
    return verify


def _as_identity(verify: Verify | None) -> str | None:
    return verify.identity if verify else None


Judges = Annotated[
    Verify | None,
    BeforeValidator(_as_verify),
    AfterValidator(_out_of_order),
    PlainSerializer(_as_identity),
]
"""Verifiers inside another stage: a list as in `verify`, or all options of `verify`. Dumped as its
identity, so a stage that holds it depends on what the verifiers are."""
