"""`synth curate`: which datasets it takes, and what it says of others."""
# datasets has no type stubs.
# pyright: reportMissingTypeStubs=false, reportCallIssue=false

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, load_dataset

from synth.cli.curating import planned
from synth.errors import InputError
from synth.run.plan import locate

ASKED, TOLD = "What is rye?", "A grain that is sown in autumn and used for bread."
TURNS = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": TOLD}]
SHAREGPT = [{"from": "human", "value": ASKED}, {"from": "gpt", "value": TOLD}]
QUESTION = {"question": ASKED, "answer": TOLD}
PAIR = {"prompt": ASKED, "chosen": TOLD, "rejected": "No idea."}
RENAMING = re.search(
    r"```python\n(.*?)```",
    (locate("curate_sft").parent / "README.md").read_text("utf-8"),
    re.DOTALL,
)


def written(path: Path, *rows: Any) -> str:
    """Return the name of a file of these rows, by the suffix a list or lines."""
    lines = "\n".join(json.dumps(row) for row in rows)
    path.write_text(json.dumps(rows) if path.suffix == ".json" else lines, "utf-8")
    return str(path)


def curate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synth.cli", "curate", *words, "--workers", "1"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("row", "recipe"),
    [
        ({"instruction": ASKED, "input": "", "output": TOLD}, "curate_sft"),
        ({"messages": TURNS}, "curate_sft"),
        ({"conversations": SHAREGPT}, "curate_sft"),
        ({"prompt": ASKED, "completion": TOLD}, "superfilter"),
        ({"prompt": ASKED, "response": TOLD}, "curate_sft"),
        (PAIR, "curate_dpo"),
        ({"chosen": TURNS, "rejected": [TURNS[0], {**TURNS[1], "content": "No."}]}, "curate_dpo"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_known_forms_take_the_place_of_the_seeds(
    row: Any, recipe: str, suffix: str, tmp_path: Path
):
    file = written(tmp_path / f"data{suffix}", row)

    made = planned(file, recipe, changes={})

    assert made.recipe.seeds == (file,)


@pytest.mark.parametrize(
    ("row", "recipe", "wanted", "found", "remedy"),
    [
        (QUESTION, "curate_sft", "a reply", "'question', 'answer'", "Rename"),
        (PAIR, "curate_sft", "a reply", "'chosen'", "`--recipe curate_dpo` takes"),
        ({**PAIR, "prompt": ""}, "curate_dpo", "two replies", "'prompt', 'chosen'", "Rename"),
        ({"messages": TURNS}, "curate_dpo", "two replies", "user, assistant", "curate_sft` takes"),
        (ASKED, "curate_sft", "a reply", "turns of user.", "`respond`"),
        ({"data": [QUESTION]}, "curate_sft", "a reply", "'data'", "Rename"),
    ],
)
def test_rows_of_another_form_are_refused_before_anything_runs(
    row: Any, recipe: str, wanted: str, found: str, remedy: str, tmp_path: Path
):
    file = written(tmp_path / "data.jsonl", row, row)

    with pytest.raises(InputError) as refused:
        planned(file, recipe, changes={})

    assert all(part in str(refused.value) for part in (wanted, found, remedy, "looked at 2"))


def test_some_rows_without_a_reply_are_no_reason_to_refuse_the_others(tmp_path: Path):
    file = written(tmp_path / "data.jsonl", {**PAIR, "chosen": None}, PAIR)

    made = planned(file, "curate_dpo", changes={})

    assert made.recipe.name == "curate_dpo"


def test_a_recipe_that_writes_replies_takes_rows_without_any(tmp_path: Path):
    recipe = "name: r\nseeds: [x]\nengines: {t: {scripted: {replies: r.jsonl}}}\n"
    (tmp_path / "recipe.yaml").write_text(recipe + "stages: [respond: {engine: t}]\n")
    written(tmp_path / "r.jsonl")

    made = planned(written(tmp_path / "data.jsonl", ASKED), str(tmp_path), changes={})

    assert made.recipe.name == "r"


def test_the_renaming_of_the_readme_makes_rows_that_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert RENAMING
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "data.jsonl", QUESTION)

    exec(RENAMING[1], {})  # noqa: S102 (our own document)

    made = planned("data.parquet", "curate_sft", changes={})

    assert made.recipe.seeds == (f"{tmp_path}/data.parquet",)


def test_a_split_of_a_saved_dataset_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = Dataset.from_list([{"prompt": ASKED, "completion": TOLD}])
    DatasetDict(train=rows, other=rows).save_to_disk(tmp_path / "saved")
    monkeypatch.chdir(tmp_path)

    made = planned("saved#other", "curate_sft", changes={})

    assert made.recipe.seeds == (f"{tmp_path}/saved#other",)


@pytest.mark.parametrize("name", ["gone.jsonl", "gone#train", "#"])
def test_a_dataset_that_is_not_there_is_named_without_a_line_of_the_recipe(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError) as refused:
        planned(name, "curate_sft", changes={})

    assert repr(name) in str(refused.value)
    assert "line" not in str(refused.value)


def test_seeds_may_not_be_named_twice(tmp_path: Path):
    file = written(tmp_path / "data.jsonl", PAIR)

    with pytest.raises(InputError, match="leave out `--set seeds`"):
        planned(file, "curate_dpo", changes={"seeds.0": "x.jsonl"})


def test_what_is_curated_opens_as_trainers_want_it(tmp_path: Path):
    rows = [{**PAIR, "prompt": f"{ASKED} {number}"} for number in range(3)]
    written(tmp_path / "data.jsonl", *rows)

    done = curate("data.jsonl", "--recipe", "curate_dpo", "--into", "run", cwd=tmp_path)
    made: Any = load_dataset(str(tmp_path / "run/export"), "dpo", split="train")

    assert done.returncode == 0, done.stderr
    assert made[0]["prompt"] == [{"role": "user", "content": f"{ASKED} 0"}]
    assert made[0]["chosen"] == [{"role": "assistant", "content": TOLD}]
    assert made[0]["rejected"] == [{"role": "assistant", "content": "No idea."}]


def test_conversations_that_end_with_the_same_question_are_no_duplicates(tmp_path: Path):
    begun = "\n\nHuman: {}\n\nAssistant: Gladly.\n\nHuman: Can you tell me more about it?"
    rows = [
        {side: f"{begun.format(asked)}\n\nAssistant: {said}" for side, said in PAIR.items()}
        for asked in ("What is rye?", "How high is the moon?")
    ]
    written(tmp_path / "data.jsonl", *[{**row, "prompt": None} for row in rows])

    done = curate("data.jsonl", "--recipe", "curate_dpo", "--into", "run", cwd=tmp_path)

    assert "2 seeds → 2 records" in done.stdout


def test_rows_that_cannot_be_read_are_told_and_can_be_allowed(tmp_path: Path):
    (tmp_path / "data.jsonl").write_text(json.dumps({"messages": TURNS}) + '\n{"messages": [\n')

    done = curate("data.jsonl", "--into", "run", cwd=tmp_path)
    allowed = curate("data.jsonl", "--into", "run", "--set", "max_error_rate=0.5", cwd=tmp_path)

    assert (done.returncode, allowed.returncode) == (1, 0)
    assert "50.0% of the rows cannot be used" in done.stderr
    assert "--set max_error_rate" in done.stderr


def test_a_dataset_of_which_nothing_is_left_is_not_offered(tmp_path: Path):
    written(
        tmp_path / "data.jsonl",
        {"prompt": ASKED, "completion": "I'm sorry, but I can't help with that."},
    )

    done = curate("data.jsonl", "--into", "run", cwd=tmp_path)

    assert "dataset sft: no rows" in done.stdout
    assert "load_dataset" not in done.stdout
    assert "`synth why run` shows why" in done.stderr
