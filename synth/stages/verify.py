"""Have records judged, and do with the verdicts what the recipe says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from synth.errors import SynthError, did_you_mean
from synth.frozen import Frozen
from synth.plugins import VerifierSpec, find
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
        """What its verdicts depend on, beside the record: name, version, distribution, options, files."""
        made = self.verifier
        return canonical([made.name, made.version, self.source, made.model_dump(mode="json")])

    @property
    def identity(self) -> str:
        """What the stage's outcome depends on."""
        return canonical([self.key, self.label, self.on_fail, self.on_abstain, self.on_error])


def _use(written: Any, info: ValidationInfo) -> Any:
    """Return a Use from `name` or `{name: {options and policies}}`; errors name what is wrong inside."""
    if isinstance(written, Use):
        return written
    if isinstance(written, str):
        written = {written: {}}
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError("wants a verifier's name, or {name: {options}}")
    name, given = next(iter(written.items()))
    folder: Path = (info.context or {}).get("folder", Path())
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"{name}: wants options, `{name}: {{option: value}}`")
    return _made(str(name), dict(given or {}), folder)


def _made(name: str, given: dict[str, Any], folder: Path) -> dict[str, Any]:
    policies = {policy: given.pop(policy) for policy in _POLICIES if policy in given}
    policies.setdefault("as", name.rpartition(":")[2])
    spec = VerifierSpec(name, json.dumps(given, sort_keys=True), str(folder))
    try:
        found = find("verifiers", name, folder=folder)
        spec.make()
    except SynthError as error:
        raise ValueError(str(error)) from error
    except ValidationError as error:
        raise ValueError(_said(error, name, found.cls)) from error
    return {**policies, "spec": spec, "source": found.source}


def _said(error: ValidationError, name: str, cls: type[Frozen]) -> str:
    said: list[str] = []
    for found in error.errors(include_url=False):
        option = ".".join(str(step) for step in found["loc"])
        if found["type"] == "extra_forbidden":
            said.append(f"no option {option!r}. {did_you_mean(option, [*cls.model_fields, *_POLICIES])}")
        else:
            message = found["msg"].removeprefix("Value error, ")
            said.append(f"{option}: {message}" if option else message)
    return f"{name}: {'; '.join(said)}"


class Verify(Stage):
    """Judge each record by `verifiers`, in the order written; one that drops it ends its way.

    For each verifier: `as` (its label), `on_fail: drop | keep`, `on_abstain: keep | drop | hold`,
    `on_error: hold | drop`. A verifier that breaks is never a fail: its record is held.
    """

    name: ClassVar[str] = "verify"
    batch: ClassVar[int] = 256

    verifiers: tuple[Annotated[Use, BeforeValidator(_use)], ...] = Field(min_length=1)
    """Names, or `{name: {options}}`, in the order in which they judge."""
    timeout_s: float = Field(60.0, gt=0)
    """Longest time that a CPU verifier may take for one record, in seconds."""
    memory_mb: int = Field(2048, ge=64)
    """What a worker process may allocate, in MiB."""

    @property
    def in_order(self) -> bool:
        """Whether one of the verifiers must see records by position."""
        return any(use.verifier.in_order for use in self.verifiers)

    def engines(self) -> tuple[str, ...]:
        """Return the engines that its verifiers ask."""
        names = [name for use in self.verifiers for name in use.verifier.engines()]
        return tuple(dict.fromkeys(names))

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
