"""What `synth show` tells of benchmarks: items, records, and what was removed, in a real run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synth.cli.contamination import contamination

QUESTIONS = [
    "How many boxes of figs does Ada carry from the harbour to the market in two days?",
    "A clock strikes once at one and twice at two; how often does it strike before noon?",
    "Which of the planets has a day that is longer than the year it belongs to?",
    "If every third apple is bad and nobody eats bad ones, what is left of ninety?",
]
RECIPE = """
name: clean
seeds: [seeds.jsonl]
stages:
  - verify:
      verifiers:
        - decontaminate: {against: [quiz.jsonl, other.jsonl], as: loose, on_fail: keep, n: 5}
        - decontaminate: {against: quiz.jsonl, mode: tulu3}
        - decontaminate: {against: other.jsonl, as: others}
export: {sft: {}}
"""


def synth(*words: str | Path, cwd: Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "synth.cli", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished run `run`: six records, of which four hold items of a quiz."""
    folder = tmp_path_factory.mktemp("clean")
    write_lines(folder / "quiz.jsonl", [{"id": f"q{n}", "ask": q} for n, q in enumerate(QUESTIONS)])
    write_lines(folder / "other.jsonl", [{"ask": "Name the seven hills of Rome, from north on."}])
    asked = [
        QUESTIONS[0],
        f"{QUESTIONS[1]} And then: {QUESTIONS[0]}",
        "Write a poem about rain.",
        QUESTIONS[1].upper(),
        "What is a fig?",
        " ".join(QUESTIONS[3].split()[:6]),
    ]
    (folder / "recipe.yaml").write_text(RECIPE)
    seeds: list[dict[str, Any]] = [
        {
            "messages": [
                {"role": "user", "content": text},
                {"role": "assistant", "content": "Well."},
            ]
        }
        for text in asked
    ]
    write_lines(folder / "seeds.jsonl", seeds)
    synth("run", "recipe.yaml", "--into", "run", "--workers", "1", cwd=folder)
    return folder


def test_each_label_tells_what_it_found_of_each_benchmark(folder: Path):
    told = json.loads(synth("show", "run", "--json", cwd=folder))["contamination"]

    rows = {row["label"]: row for row in told}
    quiz = {name: rows["decontaminate"][name] for name in ("benchmark", "items", "items_found")}
    assert list(rows) == ["decontaminate", "loose", "others"]
    assert quiz == {"benchmark": "quiz", "items": 4, "items_found": 2}
    assert rows["decontaminate"]["share"] == 0.5
    assert rows["loose"]["judged"] == 6


def test_removed_are_those_that_it_dropped_itself(folder: Path):
    told = json.loads(synth("show", "run", "--json", cwd=folder))["contamination"]

    counted = {row["label"]: (row["rows"], row["removed"]) for row in told}
    assert counted == {"decontaminate": (3, 3), "loose": (3, 0), "others": (0, 0)}


def test_examples_name_an_item_and_a_record(folder: Path):
    told = json.loads(synth("show", "run", "--json", cwd=folder))["contamination"]
    [first, *_] = told[0]["examples"]

    found = json.loads(
        synth(
            "query",
            "run",
            "SELECT id, messages FROM records ORDER BY position",
            "--json",
            cwd=folder,
        )
    )

    assert first == {"item": "q0", "record": found[0]["id"]}


def test_show_prints_a_table_and_marks_more_than_two_per_cent(folder: Path):
    shown = synth("show", "run", cwd=folder)

    rows = shown.partition("benchmarks: how many")[2].splitlines()[1:5]
    assert rows[0].split() == [
        *("label", "judged", "benchmark", "items", "found", "share", "records", "removed")
    ]
    assert rows[1].split()[:10] == [
        *("decontaminate", "6", "quiz", "4", "2", "50.0%", "(over", "2", "%)", "3")
    ]
    assert rows[3].split() == ["others", "3", "none", "found"]


def test_a_wrong_benchmark_is_told_with_its_line(folder: Path):
    recipe = RECIPE.replace("mode: tulu3", "mode: s1, n: 13").replace(
        "other.jsonl, as: others", "{file: other.jsonl, columns: [question]}, as: others"
    )
    (folder / "wrong.yaml").write_text(recipe)

    said = synth("check", "wrong.yaml", cwd=folder, code=2)

    assert "line 8: decontaminate: `mode: s1` has no use for n; leave it out" in said
    assert "'other' has no column 'question'; it has ask" in said


def test_items_beyond_those_listed_make_the_count_a_bound():
    evidence = {"found": {"quiz": {"of": 100, "count": 60, "items": [f"q{n}" for n in range(50)]}}}
    found = {"label": "a", "id": "r", "evidence": json.dumps(evidence), "removed": True}

    [row] = contamination([{"label": "a", "judged": 1}], [found])

    assert row["items_found"] == 50
    assert row["at_least"]


def test_a_run_without_the_verifier_has_nothing_to_tell():
    assert contamination([], []) == []
