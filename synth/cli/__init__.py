"""The command line: each command parses, calls the library, and prints.

Results go to standard output, talk to standard error. Exit codes: 0 done, 1 done but too many
records failed, 2 your input is wrong and nothing ran, 3 the outside world failed, 130 interrupted.
Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000

app = typer.Typer(
    name="synth",
    help="Make and curate expert data for language models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Begin with: synth run quickstart",
)
plugins_app = typer.Typer(rich_markup_mode=None)
app.add_typer(plugins_app, name="plugins")

RecipeArgument = Annotated[
    str, typer.Argument(help="A shipped name, a folder with recipe.yaml, or a file.")
]
RunArgument = Annotated[Path, typer.Argument(help="The folder of a run.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes for verifiers.  [one a core]")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change a value, e.g. engines.teacher.http.url=http://…"
    ),
]


@app.command()
def run(  # noqa: PLR0913 (each parameter is an option of the command)
    recipe: RecipeArgument,
    into: Annotated[Path | None, typer.Option(help="The run folder.  [runs/<name>]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use only the first N seeds.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Requests in flight per engine.  [256]")
    ] = None,
    workers: Workers = None,
    changes: Set = None,
    as_json: Json = False,
) -> None:
    """Run a recipe, or go on where its last run stopped.

    synth run quickstart

    synth run ./my_recipe.yaml --into runs/today --limit 20
    """
    from synth.cli import running

    code = running.run(
        recipe,
        into,
        changes=changes or [],
        at_once=at_once,
        as_json=as_json,
        settings={"limit": limit, "until": until, "workers": workers},
    )
    raise typer.Exit(code)


@app.command()
def check(
    recipe: RecipeArgument,
    into: Annotated[
        Path | None, typer.Option(help="Also say what a run in this folder would make again.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="As for `run`.")] = None,
    changes: Set = None,
) -> None:
    """Check a recipe: all problems at once, with file and line. Asks no model.

    synth check my_recipe.yaml

    synth check my_recipe.yaml --into runs/today
    """
    from synth.cli import running

    running.check(recipe, into, limit=limit, changes=changes or [])


@app.command()
def verify(  # noqa: PLR0913 (each parameter is an option of the command)
    file: Annotated[Path, typer.Argument(help="A dataset: JSON Lines, Parquet, CSV, or a folder.")],
    verifiers: Annotated[
        list[str],
        typer.Option(
            "--with",
            metavar="VERIFIER",
            help="NAME, NAME=options.yaml or 'NAME: {option: value}', in the order they judge.",
        ),
    ],
    into: Annotated[Path, typer.Option(help="The run folder.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Judge only the first N rows.")] = None,
    workers: Workers = None,
    changes: Set = None,
    as_json: Json = False,
) -> None:
    """Judge a dataset that exists; generate nothing.

    synth verify data.jsonl --with repetition --with 'length: {min_words: 5}' --into runs/judged

    synth verify data.parquet --with near_duplicates --into runs/unique

    synth verify data.jsonl --with 'perplexity: {engine: m}' --set 'engines.m={hf: {model: gpt2}}'
    --into runs/likely
    """
    from synth.cli import running

    settings = {"limit": limit, "workers": workers}
    code = running.verify(
        file, verifiers, into, changes=changes or [], as_json=as_json, settings=settings
    )
    raise typer.Exit(code)


@app.command()
def curate(  # noqa: PLR0913 (each parameter is an option of the command)
    file: Annotated[
        str, typer.Argument(help="JSON Lines, JSON, Parquet, CSV; a folder, folder#split, hub:….")
    ],
    into: Annotated[Path, typer.Option(help="The run folder.")],
    recipe: Annotated[
        str, typer.Option(help="A recipe: the dataset takes the place of its seeds.")
    ] = "curate_sft",
    limit: Annotated[int | None, typer.Option(min=1, help="Use only the first N rows.")] = None,
    workers: Workers = None,
    changes: Set = None,
    as_json: Json = False,
) -> None:
    """Clean a dataset that exists: score, deduplicate, decontaminate, select.

    Shipped recipes for it: curate_sft, curate_dpo, superfilter, deita_6k.

    synth curate data.jsonl --into runs/curated

    synth curate pairs.parquet --recipe curate_dpo --into runs/pairs
    """
    from synth.cli import running

    settings = {"limit": limit, "workers": workers}
    code = running.curate(
        file, recipe, into, changes=changes or [], as_json=as_json, settings=settings
    )
    raise typer.Exit(code)


@app.command()
def show(
    folder: RunArgument,
    records: Annotated[int, typer.Option(min=0, help="Show so many accepted records.")] = 3,
    as_json: Json = False,
) -> None:
    """Show a run: how many records got how far, what was dropped and why, what it cost in tokens.

    Where `unit_tests` judged solutions it also shows pass@k, the unbiased estimate of how likely
    one of k solutions of a problem passes (k = 1, 10, 100; Chen et al. 2021). A problem is a
    record, its children are the samples. One that is unfit to be run counts as failed, one that
    could not be judged does not count; nor do repairs, and verdicts on all after them. Problems
    with less than k samples are left out of pass@k, which then tells how many are in ("of 12").

    Where `decontaminate` judged it tells how many items of each benchmark were found, in how many
    records, and marks benchmarks of which more than 2 % were (Lambert et al. 2024).

    synth show runs/quickstart

    synth show runs/quickstart --records 10
    """
    from synth.cli import looking

    looking.show(folder, records=records, as_json=as_json)


@app.command()
def why(
    folder: RunArgument,
    record: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A record's id, or its first digits."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell why a record is what it is: its lineage, the prompts, every verdict.

    Without an id: the most frequent reasons for drops, each with an example to look at.

    synth why runs/quickstart

    synth why runs/quickstart 3fa9
    """
    from synth.cli import looking

    looking.why(folder, record, as_json=as_json)


@app.command()
def query(
    folder: RunArgument,
    sql: Annotated[str, typer.Argument(help="Over records, verdicts, calls, sft.")],
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Ask the run's database in SQL (DuckDB's dialect, read only).

    synth query runs/quickstart "SELECT state, count(*) FROM records GROUP BY 1"

    synth query runs/quickstart "FROM sft" --json
    """
    from synth.cli import looking

    looking.query(folder, sql, style="json" if as_json else "csv" if as_csv else "table")


@app.command()
def export(
    folder: RunArgument,
    recipe: Annotated[
        str | None, typer.Option(help="Take `export:` from this recipe.  [the run's own]")
    ] = None,
    changes: Set = None,
    as_json: Json = False,
) -> None:
    """Write the datasets of a finished run again, with other options.

    synth export runs/today --set export.sft.test_fraction=0.1

    synth export runs/today --recipe my_recipe.yaml
    """
    from synth.cli import running

    running.export(folder, recipe, changes=changes or [], as_json=as_json)


@plugins_app.callback(invoke_without_command=True)
def plugins(context: typer.Context, as_json: Json = False) -> None:
    """List the engines, stages and verifiers that are installed; `show NAME` explains one.

    synth plugins

    synth plugins show length
    """
    if context.invoked_subcommand is None:
        from synth.cli import plugging

        plugging.list_all(as_json=as_json)


@plugins_app.command("show")
def plugins_show(
    name: Annotated[str, typer.Argument(help="A name, module:Class, or ./file.py:name.")],
    as_json: Json = False,
) -> None:
    """Explain a plugin: what it does, its options, their defaults.

    synth plugins show respond

    synth plugins show ./my_verifier.py:polite
    """
    from synth.cli import plugging

    plugging.show(name, as_json=as_json)


def main() -> None:
    """Run the command line; errors of synth become one message and their exit code."""
    from synth.errors import SynthError

    # Imports make many objects and hardly any garbage: looking for it costs a tenth of a second.
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    try:
        app()
    except SynthError as error:
        sys.stderr.write(f"synth: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.stderr.write("synth: interrupted\n")
        sys.exit(130)
