"""From a recipe to what will run: plugins found, options checked, prompts read, keys computed.

Nothing is asked of a model here. All problems are collected, each with file and line, before any is
raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synth import seed
from synth.engine.base import Engine, Sampling
from synth.errors import InputError, PluginError, Problem, RecipeError, SynthError, did_you_mean
from synth.frozen import validated
from synth.plugins import find
from synth.prompt import Prompt
from synth.recipe import (
    Location,
    Recipe,
    Source,
    explain,
    label_of,
    load,
    understood,
)
from synth.record import canonical, digest
from synth.run.labels import SEEDS, named_stages, wrong_labels
from synth.seed import SeedSource
from synth.stage import Stage
from synth.stages.verify import judging_in


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a plan."""

    label: str
    stage: Stage
    prompts: Mapping[str, Prompt]
    identity: str
    """What its outcome depends on beside the records that come in, as canonical JSON."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe that can run."""

    source: Source
    recipe: Recipe
    engines: Mapping[str, Engine]
    steps: tuple[Step, ...]
    seeds: Sequence[SeedSource]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all stage files, `seeds` first."""
        return (SEEDS, *(step.label for step in self.steps))

    @property
    def takes_broken(self) -> bool:
        """Whether logs that break off may be seeds."""
        return self.steps[0].stage.takes_broken

    def at_once(self, requests: int) -> Plan:
        """Return the same plan with so many requests in flight on each engine."""
        changed = {
            name: engine.model_copy(update={"at_once": requests})
            for name, engine in self.engines.items()
        }
        return replace(self, engines=changed)

    def keys(self, limit: int | None) -> list[str]:
        """Return the key of each stage file, in order: each depends on the one before.

        Reads every seed file once. Raises SeedError or OutsideError if one cannot be read.
        """
        prints = [source.fingerprint() for source in self.seeds]
        broken = ["broken"] if self.takes_broken else []
        keys = [digest(SEEDS, canonical([seed.VERSION, prints, limit, *broken]))]
        for step in self.steps:
            keys.append(digest(keys[-1], step.label, str(self.recipe.seed), step.identity))
        return keys


def locate(recipe: str) -> Path:
    """Return the file of a recipe: a path, a folder that holds recipe.yaml, or a shipped name.

    Raises RecipeError that names the nearest shipped recipe.
    """
    path = Path(recipe)
    if path.is_dir():
        path = path / "recipe.yaml"
    if path.is_file():
        return path
    shipped = Path(str(files("synth.pipelines")))
    if (shipped / recipe / "recipe.yaml").is_file():
        return shipped / recipe / "recipe.yaml"
    known = shipped_recipes()
    raise RecipeError(
        f"no recipe {recipe!r}: neither a file, nor a folder with recipe.yaml, nor shipped. "
        f"{did_you_mean(recipe, known)}"
    )


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with synth."""
    folder = Path(str(files("synth.pipelines")))
    return sorted(path.parent.name for path in folder.glob("*/recipe.yaml"))


def plan(
    recipe: str | Path,
    *,
    changes: Mapping[str, str] | None = None,
    engines: Mapping[str, Engine] | None = None,
) -> Plan:
    """Return what will run. `engines` replace the recipe's by name, `changes` its values.

    Raises RecipeError with every problem found.
    """
    path = locate(str(recipe))
    source = load(path, shown=_shown(path), changes=changes)
    parsed, problems = understood(source)
    return _Planner(source, parsed, engines or {}, problems).plan()


def _shown(path: Path) -> str:
    """Return a recipe's path as the user wrote it; a shipped one's without where it lies."""
    shipped = Path(str(files("synth.pipelines")))
    return str(path.relative_to(shipped) if path.is_relative_to(shipped) else path)


def plan_parsed(
    source: Source, recipe: Recipe, *, engines: Mapping[str, Engine] | None = None
) -> Plan:
    """Return what will run for a recipe that was already read. Raises RecipeError."""
    return _Planner(source, recipe, engines or {}).plan()


@dataclass
class _Planner:
    source: Source
    recipe: Recipe
    given: Mapping[str, Engine]
    problems: list[Problem] = field(default_factory=list[Problem])

    def plan(self) -> Plan:
        seeds = self._seeds()
        engines = self._engines()
        steps = self._steps(engines)
        for at, message in wrong_labels(self.recipe):
            self._say(message, *at)
        if not self.problems:
            self._check_first_seed(seeds, steps[0].stage)
            self._check_ready(steps)
        if self.problems:
            raise RecipeError(sorted(self.problems, key=self._place))
        return Plan(self.source, self.recipe, engines, tuple(steps), seeds)

    def _place(self, problem: Problem) -> tuple[bool, str, int]:
        return problem.file != self.source.file, problem.file, problem.line

    def _say(self, message: str, *at: str | int) -> None:
        self.problems.append(self.source.problem(message, at))

    def _seeds(self) -> Sequence[SeedSource]:
        sources: list[SeedSource] = []
        written = self.recipe.seeds
        if isinstance(written, dict):
            return seed.resolve(written, self.source.folder)
        for number, name in enumerate(written):
            try:
                sources.extend(seed.resolve([name], self.source.folder))
            except InputError as error:
                self._say(str(error), "seeds", number)
        return sources

    def _engines(self) -> dict[str, Engine]:
        made: dict[str, Engine] = {}
        for name, written in self.recipe.engines.items():
            if name in self.given:
                made[name] = self.given[name]
                continue
            for kind, options in written.items():
                engine = self._plugin("engines", kind, options, "engines", name)
                if isinstance(engine, Engine):
                    made[name] = engine
        return made

    def _plugin(self, kind: Any, name: str, options: Mapping[str, Any], *at: str | int) -> Any:
        """Return a plugin made from its options, or None with the problems noted."""
        try:
            cls = find(kind, name, folder=self.source.folder).cls
        except PluginError as error:
            return self._say(str(error), *at, name)
        try:
            return validated(cls, options, folder=self.source.folder)
        except ValidationError as error:
            also = ("as",) if kind == "stages" else ()
            self.problems += explain(error, self.source, (*at, name), cls, also=also)
            return self._mended(cls, options, error)

    def _mended(self, cls: type[Any], options: Mapping[str, Any], error: ValidationError) -> Any:
        """Return a plugin without its wrong options, to look for further problems, or None."""
        wrong = {found["loc"][0] for found in error.errors() if found["loc"]}
        right = {option: value for option, value in options.items() if option not in wrong}
        with suppress(ValidationError):
            return validated(cls, right, folder=self.source.folder)
        return None

    def _steps(self, engines: Mapping[str, Engine]) -> list[Step]:
        steps: list[Step] = []
        for (number, name), written in named_stages(self.recipe):
            options = {option: value for option, value in written[name].items() if option != "as"}
            stage = self._plugin("stages", name, options, "stages", number)
            if isinstance(stage, Stage):
                at: Location = ("stages", number, name)
                steps.append(self._step(label_of(written), stage, engines, at))
        return steps

    def _step(self, label: str, stage: Stage, engines: Mapping[str, Engine], at: Location) -> Step:
        self._check_engines(stage, engines, at)
        self._check_sampling(stage, at)
        prompts = self._prompts(stage, at)
        identities = {
            name: engines[name].identity.canonical() for name in stage.engines() if name in engines
        }
        texts = {name: prompt.source for name, prompt in prompts.items()}
        identity = canonical([stage.name, stage.version, stage.identity, texts, identities])
        return Step(label, stage, prompts, identity)

    def _check_engines(self, stage: Stage, engines: Mapping[str, Engine], at: Location) -> None:
        for name in stage.engines():
            if name not in self.recipe.engines and name not in self.given:
                hint = did_you_mean(name, self.recipe.engines)
                hint = hint or "The recipe has no `engines:`."
                self._say(f"no engine named {name!r} in this recipe. {hint}", *at, "engine")
            elif name in engines:
                self._check_capabilities(stage, name, engines[name], at)

    def _check_capabilities(self, stage: Stage, name: str, engine: Engine, at: Location) -> None:
        needed, needs = f"{stage.name} needs an engine that can", stage.needs(name)
        if lacking := needs - engine.capabilities:
            can = " and ".join(sorted(lacking))
            said = f"{needed} {can}; {name!r} is of kind {engine.name!r}, which cannot"
            self._say(said, *at, "engine")
            return
        missing = {can: why for can, why in engine.lacking().items() if can in needs}
        for why in dict.fromkeys(missing.values()):
            can = " and ".join(sorted(one for one in missing if missing[one] == why))
            self._say(f"{needed} {can}; {name!r} cannot: {why}", *at, "engine")

    def _check_first_seed(self, seeds: Sequence[SeedSource], stage: Stage) -> None:
        if not seeds[0].at_hand:
            return
        rows = seed.records(seeds[:1], limit=1, broken=stage.takes_broken)
        first = next((row for row in rows if row.state == "live"), None)
        if first is not None and (lacking := stage.lacks(first)):
            has = f"the first one has none (it has {', '.join(first.fields) or 'no fields'})"
            self._say(f"{stage.name} needs of each seed {lacking}; {has}", "seeds")

    def _check_ready(self, steps: Sequence[Step]) -> None:
        for number, step in enumerate(steps):
            judging = judging_in(step.stage)
            used = {use.label: use.verifier for use in judging.verifiers} if judging else {}
            for label, plugin in {step.label: step.stage, **used}.items():
                try:
                    plugin.ready()
                except SynthError as error:
                    self._say(f"{label} cannot work here: {error}", "stages", number)

    def _check_sampling(self, stage: Stage, at: Location) -> None:
        sampling = getattr(stage, "sampling", None)
        if isinstance(sampling, Sampling) and sampling.seed is not None:
            self._say(
                "every call has a seed of its own, derived from the recipe's; write `seed:` at the "
                "top of the recipe instead",
                *(*at, "sampling", "seed"),
            )

    def _prompts(self, stage: Stage, at: Location) -> dict[str, Prompt]:
        overridden: dict[str, Prompt] = {}
        for option, file in stage.prompt_files().items():
            try:
                overridden[option] = Prompt.read(self.source.folder / file, shown=file)
            except RecipeError as error:
                self.problems += [
                    problem if problem.file else self.source.problem(problem.message, (*at, option))
                    for problem in error.problems
                ]
        return stage.compiled(overridden)
