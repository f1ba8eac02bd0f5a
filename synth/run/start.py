"""Run a plan in a folder: take what is finished, make the rest, then database and datasets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from synth import seed
from synth.engine.base import Asks, Engine
from synth.engine.cached import CachedEngine, Tally
from synth.engine.patient import PatientEngine
from synth.errors import RunError, StorageError, did_you_mean
from synth.record import Record, canonical, digest
from synth.run.flow import Flow
from synth.run.folder import RunFolder
from synth.run.interrupt import Interrupts
from synth.run.judging import Judging
from synth.run.lane import Lane
from synth.run.loop import give_back_memory, run_quickly
from synth.run.plan import SEEDS, Plan, Step
from synth.run.progress import Progress, StageProgress
from synth.run.workers import default_count
from synth.services import Resources, Services
from synth.stage import Stage
from synth.stages.verify import Verify, judging_in
from synth.store import stage_file
from synth.store.calls import Store
from synth.store.stage_file import StageFile

_STAGE_WITHOUT_ENGINE_AT_ONCE = 64
_BATCHES_IN_COMMIT = 8
"""So many batches of quick verifiers are judged while the verdicts of one get to the disk."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, never what: none of these changes a record."""

    limit: int | None = None
    """Use only the first so many good seeds."""
    until: str | None = None
    """Stop after the stage with this label."""
    workers: int = field(default_factory=default_count)
    """Worker processes of a verify stage at most."""
    on_start: Callable[[Progress], None] | None = None
    """Called once with the counts that the run will keep up to date."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    folder: Path
    progress: Progress
    exports: Mapping[str, Mapping[str, int]]
    """Dataset → split → rows."""
    exit_code: int
    """0 done, 1 too many records failed, 130 interrupted."""


def run(plan: Plan, into: Path, settings: Settings | None = None) -> Outcome:
    """Run a plan in the folder `into`, going on where its last run stopped.

    Raises InputError (nothing ran) or OutsideError (run again and it goes on).
    """
    return run_quickly(run_async(plan, into, settings or Settings()))


async def run_async(plan: Plan, into: Path, settings: Settings) -> Outcome:
    """Run a plan within an event loop; see `run`."""
    plan = _until(plan, settings.until)
    folder = RunFolder(into)
    folder.lock()
    try:
        return await _Run(plan, folder, settings).run()
    except OSError as error:
        raise StorageError(
            f"the run folder {str(into)!r} cannot be written: {error.strerror or error}. "
            "What is kept is whole: make room and run again"
        ) from error
    finally:
        folder.unlock()


def _until(plan: Plan, label: str | None) -> Plan:
    if label is None:
        return plan
    if label not in plan.labels[1:]:
        raise RunError(f"no stage {label!r} to stop after. {did_you_mean(label, plan.labels[1:])}")
    return replace(plan, steps=plan.steps[: plan.labels.index(label)])


class _Run:
    def __init__(self, plan: Plan, folder: RunFolder, settings: Settings) -> None:
        self.plan = plan
        self.folder = folder
        self.settings = settings
        self.progress = Progress(plan.recipe.name)
        self._open = AsyncExitStack()
        self._patient: list[PatientEngine] = []

    async def run(self) -> Outcome:
        keys = await asyncio.to_thread(self.plan.keys, self.settings.limit)
        finished = _finished(self.folder, self.plan.labels, keys)
        finished = self._report(finished)
        whole = digest(keys[-1], canonical(self.plan.recipe.model_dump(mode="json")["export"]))
        unchanged = finished == len(keys) and self.folder.finished() == whole
        if not unchanged:
            self.folder.finish("")
            self.folder.freeze(self.plan)
        self.folder.discard_stages(keep=finished)
        interrupted = False
        if finished < len(keys):
            interrupted = await self._make(keys, finished)
        if interrupted:
            return Outcome(self.folder.path, self.progress, {}, 130)
        exports = await self._conclude(rebuild=not unchanged)
        self.folder.finish(whole)
        too_many = self.progress.error_rate > self.plan.recipe.max_error_rate
        return Outcome(self.folder.path, self.progress, exports, 1 if too_many else 0)

    def _report(self, finished: int) -> int:
        """Count what finished stages hold; return how many of them are undamaged inside, too."""
        for number, label in enumerate(self.plan.labels):
            stage = StageProgress(label)
            if number < finished:
                came_in = self.progress.stages[-1].live if number else None
                try:
                    stage.recall(stage_file.read(self._path(number)), came_in)
                except StorageError:
                    finished, stage = number, StageProgress(label)
            self.progress.stages.append(stage)
        if self.settings.on_start:
            self.settings.on_start(self.progress)
        return finished

    def _path(self, number: int) -> Path:
        return self.folder.stage_file(number, self.plan.labels[number])

    async def _make(self, keys: Sequence[str], finished: int) -> bool:
        """Make the stages from number `finished` on; return whether the user stopped it."""
        async with self._open:
            store = await self._open.enter_async_context(Store(self.folder.store))
            steps = self.plan.steps[max(finished - 1, 0) :]
            engines = await self._engines(steps, store)
            files = self._files(keys, finished)
            resources = Resources()
            lanes = [
                self._lane(step, files[step.label], engines, (store, resources)) for step in steps
            ]
            flow = Flow(self._source(finished), lanes, seeds=self._seeds(files))
            with Interrupts([flow, *self._patient]):
                await flow.run()
            return flow.stopping

    def _files(self, keys: Sequence[str], finished: int) -> dict[str, StageFile]:
        """Open the files of the stages to be made; what is not finished when the run ends goes."""
        files: dict[str, StageFile] = {}
        for number, label in enumerate(self.plan.labels[finished:], finished):
            files[label] = StageFile(self._path(number), key=keys[number])
            self._open.callback(_abandon_unless_whole, files[label])
        return files

    async def _engines(self, steps: Sequence[Step], store: Store) -> dict[str, Asks]:
        names = {name for step in steps for name in step.stage.engines()}
        ready: dict[str, Asks] = {}
        tallies: dict[str, Tally] = {}
        for name in sorted(names):
            engine = self.plan.engines[name]
            self._open.push_async_callback(engine.close)
            await engine.start()
            self._patient.append(_patient(engine))
            cached = CachedEngine(self._patient[-1], store)
            ready[name] = cached
            tallies[name] = cached.tally
        self.progress.engines = tallies
        self.progress.patience = dict(zip(tallies, self._patient, strict=True))
        return ready

    def _lane(
        self,
        step: Step,
        file: StageFile,
        engines: Mapping[str, Asks],
        shared: tuple[Store, Resources],
    ) -> Lane:
        store, resources = shared
        judges, workers = _judges(step.stage), self.settings.workers
        judging = Judging(judges, store, workers=workers, folder=self.folder.stages)
        self._open.push_async_callback(judging.close)
        services = Services(
            step.label,
            engines=engines,
            prompts=step.prompts,
            judge=judging,
            resources=resources,
            run_seed=self.plan.recipe.seed,
        )
        return Lane(
            step,
            services,
            file,
            at_once=self._at_once(step),
            progress=self.progress.stages[self.plan.labels.index(step.label)],
            given=self._path(self.plan.labels.index(step.label) - 1),
        )

    def _at_once(self, step: Step) -> int:
        """Return how many records (or batches) of a stage are worked on at once.

        More than its engines' requests in flight: some records wait for their commit, and the
        engine must always find the next one ready.
        """
        in_flight = sum(self.plan.engines[name].at_once for name in step.stage.engines())
        if step.stage.batch > 1:
            return 2 * self.settings.workers + _BATCHES_IN_COMMIT + in_flight // 64
        return in_flight + in_flight // 2 + _STAGE_WITHOUT_ENGINE_AT_ONCE

    def _source(self, finished: int) -> Iterator[Record]:
        if finished == 0:
            limit, broken = self.settings.limit, self.plan.takes_broken
            return seed.records(self.plan.seeds, limit=limit, broken=broken)
        return stage_file.read(self._path(finished - 1), state="live")

    def _seeds(self, files: Mapping[str, StageFile]) -> tuple[StageFile, StageProgress] | None:
        return (files[SEEDS], self.progress.stages[0]) if SEEDS in files else None

    async def _conclude(self, *, rebuild: bool) -> dict[str, dict[str, int]]:
        from synth import export
        from synth.store import database

        if rebuild or not self.folder.database.is_file():
            self.progress.phase = "database"
            give_back_memory()
            await asyncio.to_thread(database.build, self.folder.path, self.folder.stage_files())
            rebuild = True
        self.progress.phase = "export"
        give_back_memory()
        if rebuild or not self.folder.export.is_dir():
            return await asyncio.to_thread(export.write, self.folder.path, self.plan.recipe)
        return export.counts(self.folder.path)


def _patient(engine: Engine) -> PatientEngine:
    return PatientEngine(
        engine,
        at_once=engine.at_once,
        tries=engine.tries,
        give_up_after_s=engine.give_up_after_s,
    )


def finished_stages(folder: RunFolder, plan: Plan, limit: int | None) -> int:
    """Return how many stages, from the first, a run in `folder` would take as they are."""
    return _finished(folder, plan.labels, plan.keys(limit))


def _finished(folder: RunFolder, labels: Sequence[str], keys: Sequence[str]) -> int:
    """Return how many stage files, from the first, can be taken as they are.

    A stage in which something broke is made again: its good records come from the store, and what
    broke gets another chance.
    """
    finished = 0
    for number, (label, key) in enumerate(zip(labels, keys, strict=True)):
        path = folder.stage_file(number, label)
        if stage_file.key_of(path) != key:
            break
        if number > 0 and stage_file.counts_of(path).get("error", 0):
            break
        finished += 1
    return finished


def _judges(stage: Stage) -> Verify:
    """Return the verify stage whose limits hold for what judges in a stage."""
    return judging_in(stage) or Verify.model_construct()


def _abandon_unless_whole(file: StageFile) -> None:
    # A file that has its name was finished, even if the run ended before it could note that.
    if not file.path.exists():
        # On a full disk even closing fails; the next run removes what is left.
        with suppress(OSError):
            file.abandon()
