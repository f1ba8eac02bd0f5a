"""The pool of Self-Instruct: what a model is shown, and what its new tasks are held against."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synth.record import Message, Record
from synth.similarity.rouge_l import Pool, nearest
from synth.similarity.words import Words, rouge_words
from synth.stages.parts.instruction_filters import InstructionFilters

CUT_OFF = "cut_off: the reply ended at `max_tokens`"

_BETWEEN = re.compile(r"\n\d+\s?\. ?")
_NUMBER_FIRST = re.compile(r"\A\s*\d+\s?\. ?")


@dataclass(frozen=True, slots=True)
class Written:
    """A task that the model wrote."""

    instruction: str
    input: str = ""
    output: str | None = None
    """None where only the instruction was asked for."""
    wrong: str = ""
    """Why it is not kept, as `code: sentence`, or ""."""
    raw: str = ""
    """The reply's part that could not be read, if it is that."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A task with what spoke against it, and how alike it is to the pool."""

    task: Written
    wrong: str = ""
    similarity: Mapping[str, Any] = field(default_factory=dict[str, Any])


def candidates(reply: str, *, capitalised: bool) -> list[str]:
    """Return the instructions of a reply that goes on with a numbered list, white space made one.

    `capitalised` does as the authors' code: the first letter in upper case, *all others* in lower.
    """
    found = _BETWEEN.split(_NUMBER_FIRST.sub("", reply))
    texts = [" ".join(text.split()) for text in found]
    return [text.capitalize() for text in texts] if capitalised else texts


def fields_of(task: Written) -> dict[str, Any]:
    """Return what a record keeps of a task: its parts, and the raw text where it has none."""
    fields: dict[str, Any] = {"instruction": task.instruction}
    if task.output is not None:
        fields |= {"input": task.input, "output": task.output}
    return {**fields, "raw_reply": task.raw} if task.raw else fields


def messages_of(task: Written) -> list[Message]:
    """Return a task as a conversation: the input follows the instruction after a blank line."""
    asked = f"{task.instruction}\n\n{task.input}" if task.input else task.instruction
    turns = [Message(role="user", content=asked)]
    return (
        turns if task.output is None else [*turns, Message(role="assistant", content=task.output)]
    )


def task_of(record: Record) -> str:
    """Return a seed's instruction without its input, which the last user turn would have, too."""
    instruction = record.fields.get("instruction")
    return instruction if isinstance(instruction, str) else record.instruction


class TaskPool:
    """Seed tasks and the machine-made ones that were kept, in order."""

    def __init__(
        self,
        seeds: Sequence[Record],
        *,
        filters: InstructionFilters,
        threshold: float,
        neighbours: int,
        words: Words | None = None,
    ) -> None:
        self.seeds = seeds
        self.machine: list[Record] = []
        self._versions = [0]
        self._filters = filters
        self._threshold = threshold
        self._neighbours = neighbours
        self._ids: list[str] = []
        self._words = words
        self._texts = Pool(words or rouge_words)
        for record in seeds:
            self._show(record.id, task_of(record))

    def _show(self, record_id: str, instruction: str) -> None:
        self._texts.add(instruction)
        self._ids.append(record_id)

    @property
    def admitted(self) -> int:
        """How many requests it has taken the replies of."""
        return len(self._versions) - 1

    def drawn(self, rng: random.Random, *, count: int, machine: int, version: int) -> list[Record]:
        """Return `count` tasks in random order, at most `machine` of them machine-made.

        They are drawn from the pool as it stood when `version` requests had been admitted.
        """
        old = self.machine[: self._versions[version]]
        drawn = rng.sample(old, min(machine, len(old)))
        drawn += rng.sample(self.seeds, min(count - len(drawn), len(self.seeds)))
        rng.shuffle(drawn)
        return drawn

    def judged(self, task: Written) -> Judged:
        """Return a task with what speaks against it: a filter, or one that is like it."""
        text = task.instruction
        if wrong := task.wrong or self._filters.wrong(text, self._words or str.split):
            return Judged(task, wrong)
        if not self._neighbours:
            return Judged(task, self._too_similar(text))
        values = self._texts.all(text)
        near = nearest(values, self._neighbours)
        told = {
            "average_similarity": sum(values) / len(values),
            "most_similar": [
                {"id": self._ids[one.number], "rouge_l": round(one.f1, 6)} for one in near
            ],
        }
        if near[0].f1 > self._threshold:
            return Judged(task, _similar(near[0].f1, self._ids[near[0].number]), told)
        return Judged(task, "", told)

    def _too_similar(self, text: str) -> str:
        found = self._texts.first_above(text, self._threshold)
        return _similar(found.f1, self._ids[found.number]) if found else ""

    def keep(self, record: Record, instruction: str) -> None:
        """Take a new task: from now on others are held against it."""
        self.machine.append(record)
        self._show(record.id, instruction)

    def admit_request(self) -> None:
        """Note that all tasks of the next request have been judged."""
        self._versions.append(len(self.machine))


def _similar(value: float, record_id: str) -> str:
    return f"similar: ROUGE-L {value:.4f} to the task {record_id}"
