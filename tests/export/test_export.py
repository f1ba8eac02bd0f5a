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

from synth import export
from synth.errors import RunError, StorageError
from synth.recipe import Recipe
from synth.record import Record, canonical
from synth.store import database
from synth.store.calls import Store
from synth.store.stage_file import StageFile

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]
Judged = Callable[..., list[Record]]
BOTH: dict[str, Any] = {"sft": {"test_fraction": 0.3}, "dpo": {"rejected_by": ["judge"]}}


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


async def test_the_same_records_give_the_same_bytes_whenever_they_came(
    tmp_path: Path, judged: Judged
) -> None:
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


async def test_no_file_tells_place_address_or_key(tmp_path: Path, judged: Judged) -> None:
    run = tmp_path / "secret-folder"
    await make(run, judged(3), order=1)
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "seeds": ["/secret-place/seeds.jsonl"],
            "engines": {
                "teacher": {
                    "http": {"url": "http://secret-host/v1", "model": "mock", "at_once": 7}
                },
                "other": {"from_nowhere": {"url": "http://secret-host/v1", "model": "big"}},
            },
            "stages": [{"respond": {"engine": "teacher", "prompt": "/secret-place/p.jinja"}}],
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


async def test_provenance_holds_models_and_a_digest_for_each_file(
    tmp_path: Path, judged: Judged
) -> None:
    exported = await make(tmp_path / "run", judged(40), order=1)

    told = json.loads((exported / "provenance.json").read_text("utf-8"))

    assert told["models"] == [{"engine": "http", "model": "mock"}]
    files = [file for dataset in told["datasets"].values() for file in dataset]
    assert {file["path"]: file["sha256"] for file in files} == {
        path.relative_to(exported).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in exported.rglob("*.parquet")
    }


def test_counts_are_those_that_were_written(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    run = finish(judged(10))

    written = export.write(run, recipe(**BOTH))

    assert export.counts(run) == written


def test_a_new_export_replaces_the_old_one_wholly(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    run = finish(judged(10))
    export.write(run, recipe(**BOTH))

    export.write(run, recipe(sft={}))

    files = {path.relative_to(run / "export").as_posix() for path in (run / "export").rglob("*")}
    assert files == {"README.md", "provenance.json", "sft", "sft/train.parquet"}


def test_what_a_killed_export_left_is_swept_away(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    run = finish(judged(3))
    for name in ("export.part", "export.old"):
        (run / name / "sft").mkdir(parents=True)

    export.write(run, recipe(sft={}))

    assert {path.name for path in run.iterdir()} == {
        "00-verify.parquet",
        "dataset.duckdb",
        "export",
    }


def test_a_full_disk_leaves_the_old_export_as_it_was(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
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
