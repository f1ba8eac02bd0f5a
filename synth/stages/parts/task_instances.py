"""Instances of a task, an input and its output each, as Self-Instruct's two templates give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stages.parts.replies import MalformedError, choice_in, failed_child, malformed_child
from synth.stages.parts.task_pool import CUT_OFF, Written, fields_of, messages_of

if TYPE_CHECKING:
    from synth.stages.self_instruct import SelfInstruct

_YES = (["Yes"], ["yes"], ["YES"])

_LABEL = "Class label:"
_EXAMPLE = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:")
_INPUT = re.compile(r"Input\s*\d*\s*:")


@dataclass(frozen=True, slots=True)
class Instance:
    """One input, perhaps empty, and its output."""

    input: str
    output: str


def labelled(text: str) -> list[Instance]:
    """Return the instances of an output-first reply: a class label, then an input it fits.

    Raises MalformedError where there is no label.
    """
    parts = text.split(_LABEL)[1:]
    if not parts:
        raise MalformedError(f"no_instance: wanted a line that begins with '{_LABEL}'")
    lines = (part.strip().partition("\n") for part in parts)
    return [Instance(rest.strip(), label.strip()) for label, _, rest in lines]


def exemplified(text: str) -> list[Instance]:
    """Return the instances of an input-first reply: numbered examples, or one output alone.

    Raises MalformedError where there is neither.
    """
    if _EXAMPLE.search(text):
        parts = [part.strip() for part in _EXAMPLE.split(text)]
        return [_instance(part) for part in parts if part]
    if _OUTPUT.search(text):
        return [_instance(text.strip())]
    raise MalformedError("no_instance: wanted a line that begins with 'Example' or 'Output:'")


def _instance(text: str) -> Instance:
    before, *outputs = _OUTPUT.split(text)
    if not outputs:
        before, outputs = "", [text]
    # The model sometimes begins a further instance without a number.
    output = _INPUT.split(outputs[0])[0]
    given = before.strip()
    begins = _INPUT.match(given)
    return Instance(given[begins.end() if begins else 0 :].strip(), output.strip())


def wrong_instances(instances: Sequence[Instance]) -> list[str]:
    """Return for each instance why it is not kept, as `code: sentence`, or ""."""
    wrong = [_wrong(instance) for instance in instances]
    left = [instance for instance, why in zip(instances, wrong, strict=True) if not why]
    if _contradict(left):
        return [why or "contradiction: one input has two outputs here" for why in wrong]
    seen: set[Instance] = set()
    for place, instance in enumerate(instances):
        if not wrong[place] and instance in seen:
            wrong[place] = "duplicate: the task has this instance already"
        seen.add(instance)
    return wrong


def _wrong(instance: Instance) -> str:
    if instance.input == instance.output:
        return "output_is_input: the output repeats the input"
    if not instance.output:
        return "empty_output: the instance has no output"
    if instance.input.endswith(":") or instance.output.endswith(":"):
        return "incomplete: input or output ends with a colon"
    return ""


def _contradict(instances: Sequence[Instance]) -> bool:
    outputs: dict[str, str] = {}
    return any(
        instance.input and outputs.setdefault(instance.input, instance.output) != instance.output
        for instance in instances
    )


async def with_instances(record: Record, stage: SelfInstruct, services: Services) -> list[Record]:
    """Return the instances of an instruction as its children, kept or dropped."""
    try:
        is_classification = await _classified(record, stage, services)
        which = "output_first_prompt" if is_classification else "input_first_prompt"
        completion = await services.complete(
            stage.engine,
            stage.asked(which, services, **names_of(record)),
            stage.instance_sampling,
            record,
            step="instances",
        )
    except CallFailed as failed:
        return [failed_child(record, services, 0, failed)]
    except MalformedError as wrong:
        return [malformed_child(record, services, 0, wrong.raw, wrong)]
    try:
        found = (labelled if is_classification else exemplified)(completion.text)
    except MalformedError as wrong:
        return [malformed_child(record, services, 0, completion.text, wrong)]
    reasons = wrong_instances(found)
    if completion.finish_reason == "length":
        reasons[-1] = CUT_OFF
    return _children(record, found, _not_too_many(record, reasons, stage, services), services)


async def _classified(record: Record, stage: SelfInstruct, services: Services) -> bool:
    """Return whether it is a classification task. Raises MalformedError, CallFailed."""
    completion = await services.complete(
        stage.engine,
        stage.asked("classification_prompt", services, **names_of(record)),
        stage.classification_sampling,
        record,
        step="classification",
    )
    if stage.mode == "reference":
        return completion.text.split()[:1] in _YES
    try:
        return choice_in(completion.text, ("yes", "no")) == "yes"
    except MalformedError as wrong:
        raise MalformedError(str(wrong), raw=completion.text) from wrong


def _not_too_many(
    record: Record, reasons: Sequence[str], stage: SelfInstruct, services: Services
) -> list[str]:
    """Return the reasons, and one for each good instance above the number that may stay."""
    good = [place for place, why in enumerate(reasons) if not why]
    most = stage.max_instances_to_generate
    rng = services.rng(record, "instances")
    stay = set(good if len(good) <= most else rng.sample(good, most))
    too_many = f"too_many: at most {most} instances of a task are kept, drawn at random"
    return [why or ("" if place in stay else too_many) for place, why in enumerate(reasons)]


def _children(
    record: Record, found: Sequence[Instance], reasons: Sequence[str], services: Services
) -> list[Record]:
    children: list[Record] = []
    for number, (instance, why) in enumerate(zip(found, reasons, strict=True)):
        task = Written(record.instruction, instance.input, instance.output)
        child = record.child(
            services.label, number, messages=messages_of(task), fields=fields_of(task)
        )
        children.append(child.drop("filter", by=services.label, reason=why) if why else child)
    return children
