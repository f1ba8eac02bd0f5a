"""Grow a handful of tasks into many: the model sees some, writes more, and what is new is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from synth.engine.base import Chat, Completion, Prompted, Sampling, Text
from synth.errors import CallFailed, InputError
from synth.record import Record, digest
from synth.services import Services
from synth.similarity.words import unicode_words
from synth.stage import Leave, Stage
from synth.stages.parts.instruction_filters import InstructionFilters
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.task_instances import with_instances
from synth.stages.parts.task_pool import (
    CUT_OFF,
    Judged,
    TaskPool,
    Written,
    candidates,
    fields_of,
    messages_of,
    task_of,
)


class SelfInstruct(Stage):
    """Make new tasks, with instances, from all the seeds that come in, and from one another.

    Each request shows `num_prompt_instructions` tasks, up to `num_machine_instructions` of them
    machine-made, and asks for more. Replies are admitted in the order of the requests: an
    instruction is kept if it passes `filters` and is not `similar` (ROUGE-L above
    `similarity_threshold`) to any seed or instruction kept before. A kept one is then classified,
    and asked for instances: label first for a classification task, input first for others. Each
    instance is a record with a user and an assistant turn; its instruction is its parent. A kept
    instruction founds a family of its own. The seeds leave as parents, shown or not.

    Dropped, with the reason's code: instructions by `filters` (`empty`, `too_short`, `too_long`,
    `blacklisted`, `unwanted_prefix`, `starts_with_punctuation`, `starts_outside_ascii`), `similar`,
    `cut_off`; instances `output_is_input`, `empty_output`, `incomplete`, `contradiction` (all
    instances of the task), `duplicate`, `cut_off`, `too_many`; replies without any, `no_instance`.

    `mode: paper` draws each prompt from the pool as it stood `lag` requests before, so that many
    are in flight and the pool is the same every time; it asks in a chat, keeps a reply that was cut
    off but for its last item, and leaves the letters as they are. `mode: reference` does as the
    authors' code: `request_batch_size` prompts from one state of the pool, raw text, a cut-off
    reply is dropped whole, all letters but the first in lower case, and anything but Yes means no.

    A script addresses the calls by steps `instructions` (of the first seed, `sample` is the
    request's number), `classification` and `instances` (of the kept instruction, whose position is
    that of the first seed, the request's number and the instruction's place in the reply).

    Method: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions"
    (2022), sections 2.2 and 2.3, appendix A; code of the authors for `reference`.
    """

    name: ClassVar[str] = "self_instruct"
    version: ClassVar[str] = "2"
    sees_all: ClassVar[bool] = True
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("self_instruct")

    engine: str
    """Name of an engine of the recipe."""
    mode: Literal["paper", "reference"] = "paper"
    """Whether to follow the paper, with many requests in flight, or the authors' code."""
    num_instructions_to_generate: int = Field(default=100, ge=1)
    """Machine-made instructions to keep; the request that reaches the number is still admitted."""
    num_prompt_instructions: int = Field(default=8, ge=1)
    """Tasks shown in each request."""
    num_machine_instructions: int = Field(default=2, ge=0)
    """Of those, how many may be machine-made, once there are any."""
    lag: int = Field(default=512, ge=1)
    """Requests between a pool and the prompt that is drawn from it: eight times `at_once`, or a
    slow reply makes the engine wait; 1 is one request after the other. Not used in `reference`."""
    request_batch_size: int = Field(default=5, ge=1)
    """Requests that are drawn from one state of the pool, in `reference` only."""
    max_barren_requests: int = Field(default=100, ge=1)
    """Give up after so many requests in a row without anything new."""
    filters: InstructionFilters = InstructionFilters()
    """Rules for the text of an instruction."""
    similarity_threshold: float = Field(default=0.7, ge=0, le=1)
    """Highest ROUGE-L F1 to the pool; what equals it is kept."""
    tokenization: Literal["rouge", "unicode"] = "rouge"
    """What a word is. `rouge`, as published: what stands between white space, and for ROUGE-L runs
    of ASCII letters and digits, so that texts in other scripts are never similar. `unicode`: runs
    of letters of any script; of one without spaces, as in Chinese or Thai, each character."""
    neighbours: int = Field(default=10, ge=0)
    """How many of the most similar tasks, and the average, are noted with each kept instruction; 0
    notes none and is quicker."""
    max_instances_to_generate: int = Field(default=5, ge=0)
    """Instances of one task at most, drawn at random; 0 asks for none and keeps instructions."""
    sampling: Sampling = Sampling(
        temperature=0.7, top_p=0.5, presence_penalty=2.0, max_tokens=1024, stop=("\n16",)
    )
    """How new tasks are drawn; `stop` ends a list at its 16th item."""
    classification_sampling: Sampling = Sampling(temperature=0.0, max_tokens=10, stop=("Task:",))
    """How the answer to the classification test is drawn. The authors' 3 tokens are enough for raw
    text; a chat may say more than the word."""
    instance_sampling: Sampling = Sampling(
        temperature=0.0, presence_penalty=1.5, max_tokens=350, stop=("Example 6", "Task:")
    )
    """How instances are drawn; `stop` ends them at the sixth, or at a task of the model's own."""
    instructions_prompt: str | None = None
    """A Jinja file that shows `tasks`, a list of texts, and ends where the next one begins."""
    classification_prompt: str | None = None
    """A Jinja file that asks whether `instruction` is a classification task: yes or no."""
    input_first_prompt: str | None = None
    """A Jinja file that asks for instances of `instruction`."""
    output_first_prompt: str | None = None
    """A Jinja file that asks for instances of a classification task, labels before inputs."""

    @property
    def wants_instances(self) -> bool:
        """Whether each kept instruction is to be asked for instances."""
        return self.max_instances_to_generate > 0

    def needs(self, engine: str) -> frozenset[str]:
        """Return what the engine must do: continue raw text in `reference`, else chat."""
        return frozenset({"text" if self.mode == "reference" else "chat"})

    async def apply_all(self, records: Sequence[Record], services: Services, leave: Leave) -> None:
        """Let each instruction leave that is not kept, and each kept one with its instances."""
        if not records:
            raise InputError("self_instruct wants seed tasks to begin with, it was given none")
        leave([record.as_parent() for record in records])
        await _Bootstrap(self, records, services, leave).run()

    def shown(self, record: Record) -> Any:
        """Return a task as the prompt for new ones is given it."""
        return " ".join(task_of(record).split()).rstrip(":")

    def written(self, reply: Completion, shown: int) -> list[Written]:
        """Return the tasks of a reply to a prompt that showed so many."""
        reference = self.mode == "reference"
        tasks = [Written(text) for text in candidates(reply.text, capitalised=reference)]
        if reply.finish_reason == "length":
            whole = [] if reference else tasks[:-1]
            tasks[len(whole) :] = [replace(task, wrong=CUT_OFF) for task in tasks[len(whole) :]]
        return tasks

    def asked(self, name: str, services: Services, **names: object) -> Prompted:
        """Return one of the stage's prompts, filled in: a chat, or raw text in `reference`."""
        messages = services.prompts[name].render(names)
        if self.mode == "reference":
            return Text(messages[-1]["content"])
        return Chat(messages)


class _Bootstrap:
    """One run of the method."""

    def __init__(
        self, stage: SelfInstruct, seeds: Sequence[Record], services: Services, leave: Leave
    ) -> None:
        self._stage = stage
        self._leave = leave
        self._first = seeds[0]
        self._services = services
        self._pool = TaskPool(
            seeds,
            filters=stage.filters,
            threshold=stage.similarity_threshold,
            neighbours=stage.neighbours,
            words=unicode_words if stage.tokenization == "unicode" else None,
        )
        self._requests: deque[asyncio.Task[Completion | CallFailed]] = deque()
        self._shown: dict[int, list[Record]] = {}
        self._started = 0
        self._barren = 0

    async def run(self) -> None:
        """Ask until there is enough; the pool grows in the order of the requests."""
        async with asyncio.TaskGroup() as tasks:
            while not self._enough():
                self._start_requests(tasks)
                reply = await self._requests.popleft()
                # Holding one reply against a large pool takes long: not on the event loop.
                for record in await asyncio.to_thread(self._admit, reply):
                    self._take(record, tasks)
            for request in self._requests:
                request.cancel()

    def _enough(self) -> bool:
        stage, admitted = self._stage, self._pool.admitted
        if stage.mode == "reference" and admitted % stage.request_batch_size:
            return False
        kept = len(self._pool.machine)
        return (
            kept >= stage.num_instructions_to_generate or self._barren >= stage.max_barren_requests
        )

    def _version(self, request: int) -> int:
        """Return how many requests must be admitted before this one can be drawn."""
        if self._stage.mode == "reference":
            size = self._stage.request_batch_size
            return request // size * size
        return max(0, request - self._stage.lag + 1)

    def _start_requests(self, tasks: asyncio.TaskGroup) -> None:
        while self._version(self._started) <= self._pool.admitted:
            self._requests.append(tasks.create_task(self._request(self._started)))
            self._started += 1

    async def _request(self, number: int) -> Completion | CallFailed:
        stage, services, first = self._stage, self._services, self._first
        shown = self._pool.drawn(
            services.rng(first, "tasks", str(number)),
            count=stage.num_prompt_instructions,
            machine=stage.num_machine_instructions,
            version=self._version(number),
        )
        self._shown[number] = shown
        tasks = [stage.shown(record) for record in shown]
        prompt = stage.asked("instructions_prompt", services, tasks=tasks)
        call = services.complete(
            stage.engine, prompt, stage.sampling, first, step="instructions", sample=number
        )
        try:
            return await call
        except CallFailed as failed:
            return failed

    def _admit(self, reply: Completion | CallFailed) -> list[Record]:
        """Take the reply of the next request; return its instructions, kept or dropped."""
        number = self._pool.admitted
        shown = self._shown.pop(number)
        if isinstance(reply, CallFailed):
            record = self._made(shown, (number, 0), Judged(Written("")))
            made = [record.drop("error", by=self._services.label, reason=reply.reason)]
        else:
            tasks = self._stage.written(reply, len(shown))
            made = [self._judged(shown, (number, place), task) for place, task in enumerate(tasks)]
        self._pool.admit_request()
        self._barren = 0 if any(record.state == "live" for record in made) else self._barren + 1
        return made

    def _judged(self, shown: Sequence[Record], place: tuple[int, int], task: Written) -> Record:
        """Return a task as a record, dropped or taken into the pool."""
        judged = self._pool.judged(task)
        record = self._made(shown, place, judged)
        if judged.wrong:
            return record.drop("filter", by=self._services.label, reason=judged.wrong)
        self._pool.keep(record, task.instruction)
        return record

    def _made(self, shown: Sequence[Record], place: tuple[int, int], judged: Judged) -> Record:
        """Return a new task: a child of what its request showed, and the first of a family."""
        parents = tuple(record.id for record in shown)
        made = digest("task", self._services.label, *map(str, place), *parents)
        return Record(
            id=made,
            parents=parents,
            family=made,
            position=(*self._first.position, *place),
            fields={"request": place[0], **fields_of(judged.task), **judged.similarity},
            messages=tuple(messages_of(judged.task)),
        )

    def _take(self, record: Record, tasks: asyncio.TaskGroup) -> None:
        """Let an instruction leave; a kept one as the parent of the instances to come."""
        if record.state == "live" and self._stage.wants_instances:
            self._leave([record.as_parent()])
            tasks.create_task(self._instances(record))
        else:
            self._leave([record])

    async def _instances(self, record: Record) -> None:
        self._leave(await with_instances(record, self._stage, self._services))
