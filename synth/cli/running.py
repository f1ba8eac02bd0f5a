"""The commands that make something: run, check, verify, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from synth.cli.curating import planned
from synth.cli.display import shown
from synth.cli.text import amount, duration, number, pairs, say, say_json, table, tell
from synth.engine.base import Engine
from synth.errors import InputError, RecipeError, RunError
from synth.recipe import parse, read
from synth.run.folder import RunFolder
from synth.run.plan import Plan, locate, plan, plan_parsed
from synth.run.progress import Progress, StageProgress
from synth.run.start import Outcome, Settings, finished_stages
from synth.run.start import run as run_plan


def run(
    recipe: str,
    into: Path | None,
    *,
    changes: Sequence[str],
    at_once: int | None,
    as_json: bool,
    settings: Mapping[str, Any],
) -> int:
    """Run a recipe and print how it went; return the exit code."""
    made = plan(recipe, changes=pairs(changes, "--set"))
    if at_once is not None:
        made = made.at_once(at_once)
    return _run(made, into or Path("runs") / made.recipe.name, settings, as_json=as_json)


def curate(
    file: str,
    recipe: str,
    into: Path,
    *,
    changes: Sequence[str],
    as_json: bool,
    settings: Mapping[str, Any],
) -> int:
    """Run a recipe over a dataset in place of its seeds; return the exit code."""
    made = planned(file, recipe, changes=pairs(changes, "--set"))
    return _run(made, into, settings, as_json=as_json)


def verify(
    file: Path,
    verifiers: Sequence[str],
    into: Path,
    *,
    changes: Sequence[str],
    as_json: bool,
    settings: Mapping[str, Any],
) -> int:
    """Judge the rows of a dataset and print how it went; return the exit code."""
    if not file.exists():
        raise InputError(f"no dataset {str(file)!r} to judge")
    recipe: dict[str, Any] = {
        "name": "".join(letter if letter.isalnum() else "_" for letter in file.stem),
        "description": f"{file.name}, judged.",
        "seeds": [file.name],
        "stages": [{"verify": {"verifiers": [_verifier(written) for written in verifiers]}}],
        "export": {"sft": {}},
        "max_error_rate": 0.05,
    }
    text = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)
    folder, changed = file.resolve().parent, pairs(changes, "--set")
    try:
        made = plan_parsed(*parse(text, file="--with", folder=folder, changes=changed))
    except RecipeError as error:
        # Nobody has seen the lines of this recipe.
        raise RecipeError(replace(one, line=0) for one in error.problems) from error
    return _run(made, into, settings, as_json=as_json)


def _verifier(written: str) -> Any:
    """Return a verifier as recipes have it: `name`, `name=FILE`, or `name: {option: value}`."""
    try:
        inline: Any = yaml.safe_load(written)
        if isinstance(inline, dict):
            return cast("Any", inline)
        name, _, config = written.partition("=")
        return {name: yaml.safe_load(Path(config).read_text("utf-8")) if config else {}}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"--with {written}: cannot read the options: {error}") from error


def _run(made: Plan, into: Path, settings: Mapping[str, Any], *, as_json: bool) -> int:
    started: list[Progress] = []
    given = {name: value for name, value in settings.items() if value is not None}
    with shown(started):
        outcome = run_plan(made, into, Settings(**given, on_start=started.append))
    if outcome.exit_code == 130:
        tell(f"interrupted; what was finished is kept. Go on with the same command ({into})")
        return 130
    if as_json:
        say_json(_summary(outcome))
    else:
        _say_funnel(outcome)
    if outcome.exit_code == 1:
        _tell_errors(outcome.progress, made.recipe.max_error_rate, into)
    elif any(not rows for rows in outcome.exports.values()):
        tell(f"`synth why {into}` shows why a dataset has no rows")
    return outcome.exit_code


def _tell_errors(progress: Progress, allowed: float, into: Path) -> None:
    rate, seeds = progress.error_rate, progress.stages[0]
    if seeds.outcomes and seeds.errors / seeds.outcomes == rate:
        tell(f"synth: {rate:.1%} of the rows cannot be used, allowed: {allowed:.1%}.")
        tell(f"`synth why {into}` tells which; mend them, or allow more: --set max_error_rate=…")
        return
    tell(f"synth: {rate:.1%} of a stage's records ended in an error, allowed: {allowed:.1%}.")
    tell(f"`synth why {into}` shows why; the same command tries them again")


def _say_funnel(outcome: Outcome) -> None:
    progress = outcome.progress
    seeds, last = progress.stages[0], progress.stages[-1]
    say(f"{progress.name}  {number(seeds.taken)} seeds → {number(last.live)} records")
    table([_funnel_row(stage) for stage in progress.stages])
    for name, tally in progress.engines.items():
        kept = f", {number(tally.from_store)} answers from the store" if tally.from_store else ""
        tokens = amount(tally.completion_tokens)
        say(f"  engine {name}: {number(tally.made)} calls, {tokens} output tokens{kept}")
    for dataset, splits in outcome.exports.items():
        rows = ", ".join(f"{split} {number(count)}" for split, count in splits.items())
        say(f"dataset {dataset}: {rows or 'no rows'}")
        if rows:
            say(f'  datasets.load_dataset("{outcome.folder / "export"}", "{dataset}")')
    say(f"next: synth show {outcome.folder}")


def _funnel_row(stage: StageProgress) -> tuple[str, str, str, str]:
    reasons = " · ".join(f"{by} {number(count)}" for by, count in stage.dropped.most_common(4))
    dropped = f"{number(stage.dropped.total())} dropped" if stage.dropped else ""
    took = "kept from before" if stage.skipped else duration(stage.seconds)
    detail = f"{dropped:14}  {reasons}" if dropped else ""
    return stage.label, f"{number(stage.live):>9} live", took, detail


def _summary(outcome: Outcome) -> dict[str, Any]:
    progress = outcome.progress
    return {
        "run": str(outcome.folder),
        "exit_code": outcome.exit_code,
        "stages": [
            {
                "label": stage.label,
                "taken": stage.taken,
                "live": stage.live,
                "errors": stage.errors,
                "dropped": dict(stage.dropped),
                "skipped": stage.skipped,
                "seconds": round(stage.seconds, 3),
            }
            for stage in progress.stages
        ],
        "engines": {
            name: {
                "calls": tally.made,
                "from_store": tally.from_store,
                "completion_tokens": tally.completion_tokens,
            }
            for name, tally in progress.engines.items()
        },
        "exports": outcome.exports,
    }


def check(recipe: str, into: Path | None, *, limit: int | None, changes: Sequence[str]) -> None:
    """Print what a recipe would run; raise RecipeError with all its problems."""
    made = plan(recipe, changes=pairs(changes, "--set"))
    say(f"{made.recipe.name}: fine")
    say(f"  seeds    {', '.join(source.name for source in made.seeds)}")
    for name, engine in made.engines.items():
        say(f"  engine   {name}: {_described(engine)}")
    kept = 0 if into is None else finished_stages(RunFolder(into), made, limit)
    for number_, label in enumerate(made.labels):
        state = "" if into is None else f": {_state(number_ < kept)}"
        if number_ or state:
            say(f"  stage    {label}{state}")
    datasets = made.recipe.export.model_dump(exclude_none=True)
    say(f"  export   {', '.join(datasets) or 'nothing'}")


def _described(engine: Engine) -> str:
    model = engine.identity.model
    return f"{engine.name}{f', {model}' if model else ''}, {engine.at_once} at once"


def _state(kept: bool) -> str:
    return "kept" if kept else "to be made (from stored calls where they still hold)"


def export(folder: Path, recipe: str | None, *, changes: Sequence[str], as_json: bool) -> None:
    """Write the datasets of a finished run again and print their sizes."""
    from synth import export as exporting

    found = RunFolder.of(folder)
    if not found.database.is_file():
        raise RunError(f"{str(folder)!r} is not finished (no dataset.duckdb); `synth run` goes on")
    path = locate(recipe) if recipe else found.path / "recipe" / "recipe.yaml"
    _, parsed = read(path, changes=pairs(changes, "--set"))
    found.lock()
    try:
        counts = exporting.write(found.path, parsed)
        found.finish("")
    finally:
        found.unlock()
    if as_json:
        say_json(counts)
        return
    for dataset, splits in counts.items():
        rows = ", ".join(f"{split} {number(rows)}" for split, rows in splits.items())
        say(f"dataset {dataset}: {rows or 'no rows'}")
