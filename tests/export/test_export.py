"""An export as a whole: loadable, repeatable, whole or as before."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth import export
from synth.errors import RunError, StorageError
from synth.recipe import Recipe
from synth.record import Judgement, Message, Record, Verdict, canonical
from synth.store import database
from synth.store.calls import Store
from synth.store.stage_file import StageFile

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]
BOTH: dict[str, Any] = {"sft": {"test_fraction": 0.3}, "dpo": {"rejected_by": ["judge"]}}

# In a process of its own: `datasets` reads its settings when it is imported.
LOAD = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
folder, *config = sys.argv[1:]
loaded = load_dataset(folder, *config)
print(json.dumps({
    "configs": get_dataset_config_names(folder),
    "features": {name: str(kind) for name, kind in next(iter(loaded.values())).features.items()},
    "rows": {split: rows.to_list() for split, rows in loaded.items()},
}))
"""


def answer(number: int, sample: int = 0, **more: Any) -> Record:
    seed = Record.seed({"n": number}, number=number)
    reply: Any = {"role": "assistant", "content": f"{number} {sample}", **more}
    asked: Message = {"role": "user", "content": f"{number}?"}
    return seed.child("respond", sample, messages=[asked, reply])


def judged(records: int, **more: Any) -> list[Record]:
    """Return a good and a dropped answer to each of so many prompts."""
    made: list[Record] = []
    for n in range(records):
        passed = Judgement("verify", "judge", "exact", "1", Verdict.passed())
        failed = Judgement("verify", "judge", "exact", "1", Verdict.failed("wrong", "| it is"))
        bad = (
            answer(n, 1, **more).judged(failed).drop("verdict", by="judge", reason="wrong: | it is")
        )
        made += [answer(n, 0, **more).judged(passed), bad]
    return made


def loaded(run: Path, *config: str) -> dict[str, Any]:
    """Return what `datasets.load_dataset` makes of an export, offline and with an empty cache."""
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(run / "hf"), "PATH": ""}
    command = [sys.executable, "-W", "ignore", "-c", LOAD, str(run / "export"), *config]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_datasets_loads_each_config_and_the_first_by_default(
    finish: Finish, recipe: Recipes
) -> None:
    run = finish(judged(30))
    counts = export.write(run, recipe(**BOTH))

    by_default, dpo = loaded(run), loaded(run, "dpo")

    assert by_default["configs"] == ["sft", "dpo"]
    assert {split: len(rows) for split, rows in by_default["rows"].items()} == counts["sft"]
    assert (
        by_default["features"]["messages"]
        == "List({'role': Value('string'), 'content': Value('string')})"
    )
    first = dpo["rows"]["train"][0]
    assert first["prompt"] == [{"role": "user", "content": "0?"}]
    assert (first["chosen"], first["rejected"]) == (
        [{"role": "assistant", "content": "0 0"}],
        [{"role": "assistant", "content": "0 1"}],
    )


def test_datasets_gives_tool_calls_back_exactly(finish: Finish, recipe: Recipes) -> None:
    call = {
        "id": "c",
        "function": {"name": "f", "arguments": {"z": [1, 2.5], "a": None, "s": "é\n"}},
    }
    odd = judged(2, tool_calls=[call], reasoning="so")
    run = finish([*odd, answer(9)])
    export.write(run, recipe(sft={}))

    found = loaded(run, "sft")

    assert found["features"]["messages"].startswith("List(Json(")
    messages = [row["messages"] for row in found["rows"]["train"]]
    assert messages == [list(record.messages) for record in (odd[0], odd[2], answer(9))]


def test_the_card_and_the_files_agree_with_what_datasets_would_write(
    finish: Finish, recipe: Recipes
) -> None:
    run = finish(judged(5, reasoning="so"))
    export.write(run, recipe(**BOTH))
    code = """
import sys, json, yaml
from datasets import Features
import pyarrow.parquet as pq
for name in ("sft", "dpo"):
    schema = pq.read_schema(f"{sys.argv[1]}/{name}/train.parquet")
    features = Features.from_arrow_schema(schema)
    assert features.arrow_schema.metadata == schema.metadata, name
    header = yaml.safe_load(open(f"{sys.argv[1]}/README.md").read().split("---")[1])
    info = next(i for i in header["dataset_info"] if i["config_name"] == name)
    assert Features._from_yaml_list(info["features"]) == features, name
    assert features._to_yaml_list() == info["features"], name
"""
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(run / "hf")}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(run / "export")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


async def make(folder: Path, records: list[Record], *, order: int) -> Path:
    """Write a run whose calls and records came in some order; return its export."""
    folder.mkdir()
    shuffled = random.Random(order).sample(records, len(records))
    async with Store(folder / "store.sqlite") as store:
        for record in shuffled[:20]:
            key, reply = record.id.encode(), canonical({"text": record.reply})
            await store.keep_call(
                (
                    key,
                    "http",
                    "mock",
                    record.id,
                    "respond",
                    "reply",
                    0,
                    "{}",
                    reply,
                    3,
                    4,
                    "stop",
                    order / 7,
                )
            )
    file = StageFile(folder / "00-verify.parquet", key="key")
    file.add(shuffled)
    file.finish()
    database.build(folder, [("verify", folder / "00-verify.parquet")])
    recipe = {"name": "bench", "seeds": ["s.jsonl"], "stages": ["respond"], "export": BOTH}
    export.write(folder, Recipe.model_validate(recipe))
    return folder / "export"


async def test_the_same_records_give_the_same_bytes_whenever_they_came(tmp_path: Path) -> None:
    records = judged(2500)

    first = await make(tmp_path / "here", records, order=1)
    second = await make(tmp_path / "somewhere else", records, order=2)

    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert [path.as_posix() for path in files] == [
        *(
            "README.md",
            "dpo/train.parquet",
            "provenance.json",
            "sft/test.parquet",
            "sft/train.parquet",
        )
    ]
    assert [
        path for path in files if (first / path).read_bytes() != (second / path).read_bytes()
    ] == []


async def test_no_file_tells_place_address_or_key(tmp_path: Path) -> None:
    run = tmp_path / "secret-folder"
    await make(run, judged(3), order=1)
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "seeds": ["/home/secret-user/seeds.jsonl"],
            "engines": {
                "teacher": {
                    "http": {"url": "http://secret-host/v1", "model": "mock", "at_once": 7}
                },
                "other": {"from_nowhere": {"url": "http://secret-host/v1", "model": "big"}},
            },
            "stages": [{"respond": {"engine": "teacher", "prompt": "/home/secret-user/p.jinja"}}],
            "export": BOTH,
        }
    )

    export.write(run, recipe)

    texts = [path.read_bytes() for path in (run / "export").rglob("*") if path.is_file()]
    assert not [text for text in texts if b"secret" in text]
    told = json.loads((run / "export" / "provenance.json").read_text("utf-8"))
    assert told["recipe"]["content"]["engines"] == {
        "teacher": {"http": {"model": "mock"}},
        "other": {"from_nowhere": {"model": "big"}},
    }
    assert told["recipe"]["content"]["seeds"] == ["seeds.jsonl"]


async def test_provenance_holds_models_and_a_digest_for_each_file(tmp_path: Path) -> None:
    exported = await make(tmp_path / "run", judged(40), order=1)

    told = json.loads((exported / "provenance.json").read_text("utf-8"))

    assert told["models"] == [{"engine": "http", "model": "mock"}]
    files = [file for dataset in told["datasets"].values() for file in dataset]
    assert {file["path"]: file["sha256"] for file in files} == {
        path.relative_to(exported).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in exported.rglob("*.parquet")
    }


def test_another_address_is_the_same_recipe_and_another_model_is_not(
    finish: Finish, recipe: Recipes
) -> None:
    run = finish(judged(2))
    plain = recipe(**BOTH)

    def digest_with(options: dict[str, Any]) -> str:
        export.write(run, plain.model_copy(update={"engines": {"teacher": {"http": options}}}))
        return json.loads((run / "export" / "provenance.json").read_text("utf-8"))["recipe"][
            "digest"
        ]

    here = digest_with({"url": "http://a/v1", "model": "mock"})
    assert digest_with({"url": "http://b/v1", "model": "mock", "at_once": 3}) == here
    assert digest_with({"url": "http://a/v1", "model": "other"}) != here


def test_the_card_tells_the_funnel_and_the_verdicts(finish: Finish, recipe: Recipes) -> None:
    run = finish([*judged(4), answer(9).hold(by="judge", reason="broke: on | this\nline")])

    export.write(run, recipe(**BOTH))

    card = (run / "export" / "README.md").read_text("utf-8")
    assert "| live | 4 |\n| dropped | 4 |\n| held | 1 |" in card
    assert "| verify | judge | verdict | wrong | 4 |" in card
    assert "| verify | judge | exact 1 | 4 | 4 | 0 | 0 |" in card
    header = yaml.safe_load(card.split("---")[1])
    assert [config["config_name"] for config in header["configs"]] == ["sft", "dpo"]
    assert header["size_categories"] == ["n<1K"]


def test_counts_are_those_that_were_written(finish: Finish, recipe: Recipes) -> None:
    run = finish(judged(10))

    written = export.write(run, recipe(**BOTH))

    assert export.counts(run) == written


def test_a_new_export_replaces_the_old_one_wholly(finish: Finish, recipe: Recipes) -> None:
    run = finish(judged(10))
    export.write(run, recipe(**BOTH))

    export.write(run, recipe(sft={}))

    files = {path.relative_to(run / "export").as_posix() for path in (run / "export").rglob("*")}
    assert files == {"README.md", "provenance.json", "sft", "sft/train.parquet"}


def test_what_a_killed_export_left_is_swept_away(finish: Finish, recipe: Recipes) -> None:
    run = finish(judged(3))
    for name in ("export.part", "export.old"):
        (run / name / "sft").mkdir(parents=True)

    export.write(run, recipe(sft={}))

    assert {path.name for path in run.iterdir()} == {
        "00-verify.parquet",
        "dataset.duckdb",
        "export",
    }


def test_a_full_disk_leaves_the_old_export_as_it_was(finish: Finish, recipe: Recipes) -> None:
    run = finish(judged(2000))
    export.write(run, recipe(sft={}))
    before = {path: path.read_bytes() for path in (run / "export").rglob("*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write the datasets: .*Is the disk full"):
            export.write(run, recipe(**BOTH))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert {
        path: path.read_bytes() for path in (run / "export").rglob("*") if path.is_file()
    } == before
    assert not (run / "export.part").exists()


def test_a_run_that_is_not_finished_cannot_be_exported(tmp_path: Path, recipe: Recipes) -> None:
    with pytest.raises(RunError, match=r"has no dataset\.duckdb"):
        export.write(tmp_path, recipe(sft={}))

    assert list(tmp_path.iterdir()) == []


def test_an_export_without_its_provenance_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Delete the folder export and run again"):
        export.counts(tmp_path)


def test_neither_storing_nor_exporting_loads_datasets_or_pandas(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from synth import export
from synth.recipe import Recipe
from synth.record import Judgement, Message, Record, Verdict
from synth.store import database, stage_file
folder = Path(sys.argv[1])
turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!", "name": "Ann"}]
record = Record.seed({"n": 1}, turns).judged(Judgement("v", "v", "v", "1", Verdict.passed(score=1)))
file = stage_file.StageFile(folder / "00-v.parquet", key="key")
file.add([record])
file.finish()
assert list(stage_file.read(folder / "00-v.parquet", state="live")) == [record]
database.build(folder, [("v", folder / "00-v.parquet")])
wanted = {"sft": {}, "dpo": {"rejected_by": ["v"]}}
recipe = {"name": "n", "seeds": ["s"], "stages": ["respond"], "export": wanted}
export.write(folder, Recipe.model_validate(recipe))
print(sorted({"datasets", "pandas"} & set(sys.modules)))
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
