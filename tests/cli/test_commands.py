"""The commands, through the real program, on a small finished run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RECIPE = """
name: capitals
seeds: [seeds.jsonl]
engines:
  teacher: {scripted: {replies: replies.jsonl}}
stages:
  - respond: {engine: teacher, n: 2}
  - verify: {verifiers: [{length: {min_words: 3}}, refusal]}
export:
  sft: {test_fraction: 0.2}
  dpo: {rejected_by: [length]}
max_error_rate: 0.5
"""
CITIES = {"France": "Paris", "Spain": "Madrid", "Japan": "Tokyo", "Chile": "Santiago"}


def synth(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synth.cli", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recipe.yaml and the finished run `run`: four seeds, one good reply each."""
    folder = tmp_path_factory.mktemp("capitals")
    (folder / "recipe.yaml").write_text(RECIPE)
    seeds = [{"instruction": f"What is the capital of {country}?"} for country in CITIES]
    replies: list[dict[str, Any]] = []
    for ordinal, (country, city) in enumerate(CITIES.items()):
        good = f"The capital of {country} is {city}."
        replies += [
            {"stage": "respond", "ordinal": ordinal, "sample": 0, "reply": good},
            {"stage": "respond", "ordinal": ordinal, "sample": 1, "reply": city},
        ]
    write_lines(folder / "seeds.jsonl", seeds)
    write_lines(folder / "replies.jsonl", replies[:-1])
    done = synth("run", "recipe.yaml", "--into", "run", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_run_prints_the_funnel_and_where_the_datasets_are(finished: Path):
    again = synth("run", "recipe.yaml", "--into", "run", cwd=finished)

    assert "capitals  4 seeds → 4 records" in again.stdout
    assert "length too_short 3" in again.stdout
    assert 'datasets.load_dataset("run/export", "dpo")' in again.stdout
    assert "next: synth show run" in again.stdout


def test_run_prints_json_that_a_script_can_read(finished: Path):
    again = synth("run", "recipe.yaml", "--into", "run", "--json", cwd=finished)

    summary = json.loads(again.stdout)
    assert summary["exit_code"] == 0
    assert summary["stages"][-1]["live"] == 4
    assert sum(summary["exports"]["dpo"].values()) == 3


def test_show_tells_funnel_reasons_and_tokens(finished: Path):
    shown = synth("show", finished / "run").stdout

    assert "too_short" in shown
    assert "no_scripted_reply" in shown
    assert "output tokens" in shown
    assert "The capital of France is Paris." in shown


def test_why_without_an_id_names_examples(finished: Path):
    reasons = json.loads(synth("why", finished / "run", "--json").stdout)

    assert {row["code"] for row in reasons} == {"too_short", "no_scripted_reply"}


def test_why_tells_the_story_of_a_dropped_record(finished: Path):
    reasons = json.loads(synth("why", finished / "run", "--json").stdout)
    example = next(row["example"] for row in reasons if row["code"] == "too_short")

    story = synth("why", finished / "run", example[:12]).stdout

    assert "dropped by length in stage verify: too_short" in story
    assert "What is the capital of" in story
    assert "asked by respond, reply 1: scripted" in story
    assert "length (verify): fail" in story


def test_why_names_an_id_that_does_not_exist(finished: Path):
    asked = synth("why", finished / "run", "zzzz")

    assert asked.returncode == 2
    assert "no record 'zzzz'" in asked.stderr


def test_query_answers_as_table_json_and_csv(finished: Path):
    sql = "SELECT state, count(*) AS n FROM records GROUP BY state ORDER BY state"

    as_table = synth("query", finished / "run", sql).stdout
    as_json = json.loads(synth("query", finished / "run", sql, "--json").stdout)
    as_csv = list(csv.reader(synth("query", finished / "run", sql, "--csv").stdout.splitlines()))

    assert "dropped" in as_table
    assert {row["state"]: row["n"] for row in as_json} == {"dropped": 4, "live": 4, "parent": 4}
    assert as_csv[0] == ["state", "n"]


def test_query_explains_what_is_wrong_with_the_sql(finished: Path):
    asked = synth("query", finished / "run", "SELECT nothing FROM nowhere")

    assert asked.returncode == 2
    assert "nowhere" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_query_cannot_change_the_run(finished: Path):
    asked = synth("query", finished / "run", "DELETE FROM records")

    assert asked.returncode == 2


def test_verify_judges_a_dataset_that_exists(finished: Path, tmp_path: Path):
    rows = [{"prompt": "Q?", "completion": text} for text in ("Yes.", "A whole answer to it.")]
    write_lines(tmp_path / "data.jsonl", rows)
    (tmp_path / "length.yaml").write_text("min_words: 3\n")

    done = synth(
        *("verify", "data.jsonl", "--with", "length=length.yaml", "--with", "refusal"),
        *("--into", "judged", "--json"),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exports"]["sft"] == {"train": 1}


def test_options_of_a_verifier_may_stand_on_the_command_line(tmp_path: Path):
    write_lines(tmp_path / "data.jsonl", [{"prompt": "Q?", "completion": "a=b: c"}])
    judge = ("verify", "data.jsonl", "--into", "judged", "--json", "--with")

    kept = synth(*judge, "pattern: {wants: ['a=b: c']}", cwd=tmp_path)
    wrong = synth(*judge, "pattern: {patern: x}", cwd=tmp_path)
    broken = synth(*judge, "pattern: {", cwd=tmp_path)

    assert json.loads(kept.stdout)["exports"]["sft"] == {"train": 1}
    assert wrong.stderr.startswith("synth: --with: no option 'patern' here")
    assert "--with pattern: {" in broken.stderr


def test_verify_says_how_to_allow_more_broken_rows_and_does_so(tmp_path: Path):
    write_lines(tmp_path / "data.jsonl", [{"prompt": "Q?", "completion": "Yes."}, {}])
    judge = ("verify", "data.jsonl", "--with", "refusal", "--into", "judged")

    stopped = synth(*judge, cwd=tmp_path)
    done = synth(*judge, "--set", "max_error_rate=0.5", cwd=tmp_path)

    assert (stopped.returncode, done.returncode) == (1, 0)
    assert "--set max_error_rate=" in stopped.stderr


def test_export_can_be_written_again_with_other_options(finished: Path):
    done = synth("export", finished / "run", "--set", "export.sft.test_fraction=0", "--json")

    assert json.loads(done.stdout)["sft"] == {"train": 4}


def test_set_changes_a_value_of_the_recipe(finished: Path):
    done = synth(
        *("run", "recipe.yaml", "--into", "changed", "--json", "--workers", "1"),
        *("--set", "stages.verify.verifiers=[refusal]", "--set", "export.dpo=null"),
        cwd=finished,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stages"][-1]["live"] == 7


def test_a_folder_that_is_no_run_is_named(tmp_path: Path):
    asked = synth("show", tmp_path)

    assert asked.returncode == 2
    assert "is no run folder" in asked.stderr


def test_too_many_errors_end_with_one(finished: Path):
    done = synth(
        *("run", "recipe.yaml", "--into", "strict", "--workers", "1"),
        *("--set", "max_error_rate=0.01"),
        cwd=finished,
    )

    assert done.returncode == 1
    assert "ended in an error" in done.stderr
