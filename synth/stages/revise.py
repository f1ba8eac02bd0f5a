"""Make replies better by what is wrong with them: criticised, fed back, or failed by a verifier.

All three ways are one loop. A step looks at the last reply that could be used and makes one child,
with the better reply or with the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.frozen import spelled
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.code_field import code_after
from synth.stages.parts.criticism import Turn, finds_right
from synth.stages.parts.principles import Principles, chosen_principles, drawn_principle
from synth.stages.parts.reasoning import turn_of
from synth.stages.parts.replies import MalformedError, answer_in, passed_over, whole_reply
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.verify import Judges, judged

_PROMPTS = {
    "principles": ("critique_prompt", "revision_prompt"),
    "refine": ("feedback_prompt", "rewrite_prompt"),
    "repair": ("repair_prompt",),
}
_CRITICISM = {
    "principles": Sampling(temperature=1.0, max_tokens=1024),
    "refine": Sampling(temperature=0.7, max_tokens=600),
}


class Revise(Stage):
    """Replace a record's reply by a better one, in at most `revisions` steps.

    `how: principles`: each step draws one of `principles` evenly, has the reply criticised by it,
    and rewritten. `how: refine`: the model says what is wrong with its reply and rewrites it, until
    it says that the reply is right; each turn is shown to the next ones. `how: repair`: a record
    that a verifier in `failed_by` failed (its policy: `on_fail: keep`) is tried again with the
    verdict's reason; with `verifiers` each attempt is judged, and the first that none of them fails
    ends it; without them there is one attempt. Records that were not failed go through unchanged.

    Each step makes a child with the fields `revision` (from 1), and `principle` and `critique`
    where there are any. Its record becomes a parent, unless refining found it right at once. With
    `keep: all` every revision goes on, with `keep: last` only the last that could be used; the
    ones between are parents. A field `code` that stood in the reply becomes that of the new one. A
    step without a usable reply makes a dropped child, and the next step tries again with the reply
    as it was.

    Dropped: `empty_revision`, `cut_off_revision`; `empty_critique`, `cut_off_critique`;
    `unfinished_reasoning`; `no_verdict` (feedback that says neither right nor wrong);
    `unchanged_revision` (a repair that says what had failed; else a reply that stays as it was is a
    revision too, as published). Attempts that `verifiers` fail or hold: as their policies say.

    Methods: Bai et al., "Constitutional AI: Harmlessness from AI Feedback" (2022), section 3;
    Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback" (2023), section 2; Chen et
    al., "Teaching Large Language Models to Self-Debug" (2023), section 3.
    """

    name: ClassVar[str] = "revise"
    takes: ClassVar = "reply"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("revise")

    engine: str
    """Name of the engine that criticises and rewrites."""
    how: Literal["principles", "refine", "repair"] = "principles"
    """What shows the model what to better."""
    revisions: int = Field(default=4, ge=1)
    """Most steps for a record (k); by default 10 for a repair with `verifiers` (Self-Debug)."""
    keep: Literal["all", "last"] | None = None
    """Which revisions go on; by default all with `principles`, as published, else the last."""
    principles: Principles | None = None
    """Sentences, or a file beside the recipe with one a line; by default those of the stage."""
    failed_by: tuple[str, ...] = ()
    """Labels of the verifiers whose fails are repaired."""
    verifiers: Judges = None
    """What judges a repair, spelled as in the stage `verify`."""
    sampling: Sampling = Sampling(temperature=0.0, max_tokens=2048)
    """How revisions are drawn."""
    critique_sampling: Sampling | None = None
    """How criticism is drawn; by default at temperature 1.0 for principles, 0.7 for refining."""
    critique_prompt: str | None = None
    """A Jinja file beside the recipe: shows `reply` and `principle`, asks for what offends it."""
    revision_prompt: str | None = None
    """A Jinja file beside the recipe: shows `principle` and `critique`, asks for a new reply."""
    feedback_prompt: str | None = None
    """A Jinja file beside the recipe: shows `history`, asks for a line `Verdict: right` or
    `Verdict: wrong`."""
    rewrite_prompt: str | None = None
    """A Jinja file beside the recipe: shows `critique` and `history`, asks for a new reply."""
    repair_prompt: str | None = None
    """A Jinja file beside the recipe: shows `reasons`, asks for a new reply."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, written: Any) -> Any:
        if (given := spelled(written)) is None:
            return written
        judged_repair = given.get("how") == "repair" and given.get("verifiers")
        return {"revisions": 10, **given} if judged_repair else given

    @model_validator(mode="after")
    def _options_suit_each_other(self) -> Self:
        chosen_principles(self.principles)
        if self.principles is not None and self.how != "principles":
            raise ValueError("`principles` belongs to `how: principles`")
        repairs = self.how == "repair"
        if repairs != bool(self.failed_by) or (self.verifiers and not repairs):
            raise ValueError("`how: repair` wants `failed_by`; it and `verifiers` suit no other")
        if repairs and not self.verifiers and "revisions" in self.model_fields_set:
            raise ValueError("`revisions` wants `verifiers`: unjudged, one attempt is all there is")
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the engine that writes, and those that the verifiers ask."""
        asked = self.verifiers.engines() if self.verifiers else ()
        return tuple(dict.fromkeys((self.engine, *asked)))

    def needs(self, engine: str) -> frozenset[str]:
        """Return that the engine that writes must chat."""
        return super().needs(engine) if engine == self.engine else frozenset()

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts that this way of revising asks with."""
        return _PROMPTS[self.how]

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the revisions, or the record if there was nothing to better."""
        if self.how == "repair" and not _fails(record, self.failed_by):
            return [record]
        if not record.reply:
            raise ValueError("nothing_to_revise: the record does not end with a reply")
        if record.messages[-1].get("tool_calls"):
            raise ValueError("nothing_to_revise: the reply calls tools, which no text replaces")
        principles = await services.resource(
            f"principles|{services.label}", lambda: chosen_principles(self.principles)
        )
        revising = Revising(self, record, services, principles)
        made = await revising.children()
        if not made:
            return [record]
        if (self.keep or ("all" if self.how == "principles" else "last")) == "all":
            return made
        return [passed_over(one, revising.current) for one in made]


class Revising:
    """The steps of one record; `current` is the last one whose reply can be used."""

    def __init__(
        self, stage: Revise, record: Record, services: Services, principles: tuple[str, ...]
    ) -> None:
        self.stage = stage
        self.record = record
        self.current = record
        self.services = services
        self._principles = principles
        self._history: list[Turn] = []

    async def children(self) -> list[Record]:
        """Return one child for each step that was taken."""
        made: list[Record] = []
        single = self.stage.how == "repair" and not self.stage.verifiers
        for number in range(1, 2 if single else self.stage.revisions + 1):
            child = await self._step(number)
            if child is None:
                break
            made.append(child)
            if _usable(child):
                self.current = child
                if self._settled(child):
                    break
        return made

    def _settled(self, child: Record) -> bool:
        return self.stage.how == "repair" and not _fails(child)

    async def _step(self, number: int) -> Record | None:
        """Return the child of a step; None if the model finds the reply right."""
        step = Step(self, number)
        try:
            match self.stage.how:
                case "principles":
                    return await self._by_principle(step)
                case "refine":
                    return await self._by_feedback(step)
                case "repair":
                    return await self._by_verdict(step)
        except CallFailed as failed:
            return step.child().drop("error", by=self.services.label, reason=failed.reason)
        except MalformedError as wrong:
            child = step.child(raw_reply=wrong.raw)
            return child.drop("filter", by=self.services.label, reason=str(wrong))

    async def _by_principle(self, step: Step) -> Record:
        rng = self.services.rng(self.record, f"principle {step.number}")
        step.found["principle"] = drawn_principle(self._principles, rng)
        step.found["critique"] = await self._asked("critique", step)
        return await self._rewritten("revision", step)

    async def _by_feedback(self, step: Step) -> Record | None:
        feedback = await self._asked("feedback", step, history=self._history)
        if finds_right(feedback):
            return None
        step.found["critique"] = feedback
        child = await self._rewritten("rewrite", step, history=self._history)
        if child.state == "live":
            self._history.append(Turn(self.current.reply, feedback, child.reply))
        return child

    async def _by_verdict(self, step: Step) -> Record:
        labels = self.stage.failed_by if self.current is self.record else ()
        reasons = _fails(self.current, labels)
        child = await self._rewritten("repair", step, reasons=reasons)
        if not self.stage.verifiers:
            return child
        return (await judged([child], self.stage.verifiers, self.services))[0]

    async def _rewritten(self, kind: str, step: Step, **shown: Any) -> Record:
        said = await self._said(kind, step, self.stage.sampling, shown)
        text, reasoning = whole_reply(said, "revision")
        if kind == "repair" and text.split() == self.current.reply.split():
            raise MalformedError("unchanged_revision: the reply is the one before", raw=said.text)
        return step.child((*self.record.messages[:-1], turn_of(text, reasoning)))

    async def _asked(self, kind: str, step: Step, **shown: Any) -> str:
        sampling = self.stage.critique_sampling or _CRITICISM[self.stage.how]
        return answer_in(await self._said(kind, step, sampling, shown), "critique")

    async def _said(
        self, kind: str, step: Step, sampling: Sampling, shown: dict[str, Any]
    ) -> Completion:
        names = names_of(self.current, **{**step.found, **shown})
        asked = Chat(self.services.prompts[f"{kind}_prompt"].render(names))
        call = f"{kind} {step.number}"
        return await self.services.complete(
            self.stage.engine, asked, sampling, self.record, step=call
        )


class Step:
    """One step: its number, from 1, and what was found so far, which its child's fields tell."""

    def __init__(self, revising: Revising, number: int) -> None:
        self.number = number
        self.found: dict[str, str] = {}
        self._record, self._before = revising.record, revising.current
        self._label = revising.services.label

    def child(self, messages: Sequence[Message] | None = None, **fields: str) -> Record:
        """Return the child of this step, with the reply before it where there are no `messages`."""
        above = () if self._before is self._record else (self._before,)
        if messages is not None and "finish_reason" in self._record.fields:
            fields = {"finish_reason": "stop", **fields}  # the old reply's is not the new one's
        if messages is not None:
            fields = {**code_after(self._record, messages[-1]["content"]), **fields}
        return self._record.child(
            self._label,
            self.number,
            messages=self._before.messages if messages is None else messages,
            fields={"revision": self.number, **self.found, **fields},
            parents=above,
        )


def _fails(record: Record, labels: Sequence[str] = ()) -> list[str]:
    """Return why verifiers (of these labels, if any are given) failed a record."""
    return [
        given.verdict.reason or f"failed: {given.label} failed it"
        for given in record.judgements
        if given.verdict.outcome == "fail" and (not labels or given.label in labels)
    ]


def _usable(child: Record) -> bool:
    """Return whether there is a new reply: one that a verifier failed can be repaired further."""
    return not child.dropped or child.dropped.kind == "verdict"
