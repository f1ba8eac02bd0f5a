"""Self-Instruct in one call: instruction, input and output are written together, twenty at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from synth.engine.base import Completion, Sampling
from synth.record import Record
from synth.stages.parts.instruction_filters import InstructionFilters
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.task_pool import CUT_OFF, Written
from synth.stages.self_instruct import SelfInstruct

_BORDER = "###"
_NO_INPUT = "<noinput>"
_MORE_THAN_TEXT = ("video", "audio", "music", "flowchart", "diagram")


class Alpaca(SelfInstruct):
    """Make new tasks, each with its input and output, from the seeds that come in.

    As `self_instruct`, but for these: three seeds are shown in full and no machine-made task is
    ever shown; one reply goes on with the list up to its 20th task; there is no classification and
    no call for instances. Kept tasks are records with a user and an assistant turn. A seed shows
    its fields `instruction`, `input` and `output`, else the first of its `instances`, else its
    conversation.

    Dropped, with the reason's code: instructions by `filters` and `similar` as there, a task that
    is not written as asked or has the wrong number `malformed`, the last of a reply that was cut
    off `cut_off`, one without output `empty_output`.

    `mode: reference` does as the authors' code: raw text, `request_batch_size` prompts from one
    state of the pool, and no look at empty outputs.

    Method: Taori et al., "Alpaca: A Strong, Replicable Instruction-Following Model" (2023), and its
    code; after Wang et al., "Self-Instruct" (2022).
    """

    name: ClassVar[str] = "alpaca"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("alpaca")

    num_prompt_instructions: int = Field(default=3, ge=1)
    """Seeds shown in each request."""
    num_machine_instructions: int = Field(default=0, ge=0, le=0)
    """Always 0: what the model wrote is never shown to it."""
    filters: InstructionFilters = InstructionFilters(
        blacklist=(*InstructionFilters().blacklist, *_MORE_THAN_TEXT)
    )
    """Rules for the text of an instruction."""
    sampling: Sampling = Sampling(
        temperature=1.0, top_p=1.0, max_tokens=3072, stop=("\n20", "20.", "20 .")
    )
    """How new tasks are drawn; `stop` ends a list at its 20th task, and any text at `20.`: the
    authors' choice. They also kept the model from ending early by a `logit_bias` of -100 on its
    end-of-text token."""
    max_instances_to_generate: int = Field(default=1, ge=1, le=1)
    """Always 1: a task comes with its one instance."""

    @property
    def wants_instances(self) -> bool:
        """Never: a task is whole when it is written."""
        return False

    def shown(self, record: Record) -> Any:
        """Return a seed as the prompt is given it: instruction, input and output."""
        found = {**record.fields, **_first_instance(record)}
        return {
            "instruction": super().shown(record),
            "input": str(found.get("input") or "").strip() or _NO_INPUT,
            "output": str(found.get("output") or record.reply).strip(),
        }

    def written(self, reply: Completion, shown: int) -> list[Written]:
        """Return the tasks of a reply that goes on with the list."""
        first = f"{shown + 1}. Instruction:"
        text = reply.text.strip().removeprefix(_BORDER).strip()
        text = text if text.startswith(first) else f"{first} {text}"
        blocks = text.split(_BORDER)
        tasks = [self._task(block, shown + 1 + place) for place, block in enumerate(blocks)]
        if reply.finish_reason == "length":
            tasks[-1] = Written("", wrong=CUT_OFF, raw=blocks[-1].strip())
        return tasks

    def _task(self, block: str, number: int) -> Written:
        label = re.compile(rf"{number}\.\s+(Instruction|Input|Output):")
        parts = [part.strip() for part in label.split(block)]
        if len(parts) != 7:
            wanted = f"wanted instruction, input and output, each with the number {number}"
            return Written("", wrong=f"malformed: {wanted}", raw=block.strip())
        given = "" if parts[4].lower() == _NO_INPUT else parts[4]
        task = Written(" ".join(parts[2].split()), given, parts[6])
        if self.mode == "paper" and not task.output:
            return Written(task.instruction, given, "", "empty_output: the task has no output")
        return task


def _first_instance(record: Record) -> Mapping[str, Any]:
    match record.fields.get("instances"):
        case [{**first}, *_]:
            return first
        case _:
            return {}
