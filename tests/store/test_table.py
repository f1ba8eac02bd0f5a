"""Rows out of Parquet, `datasets` folders and the Hub; damage costs as little as it can."""
# pyarrow and datasets have no type stubs; what they return is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import datasets.config
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth import seed
from synth.errors import OutsideError, SeedError
from synth.record import Record
from synth.store import table

REVISION = "0" * 40


@pytest.fixture(autouse=True)
def _quiet_and_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def parquet(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def records_of(folder: Path, name: str) -> list[Record]:
    return list(seed.records(seed.resolve([name], folder)))


def saved(folder: Path, *, splits: tuple[str, ...] = ()) -> None:
    made = datasets.Dataset.from_dict({"q": ["1", "2", "3"], "split": ["whole"] * 3})
    if not splits:
        made.save_to_disk(folder, num_shards=2)
        return
    parts = [(name, datasets.Dataset.from_dict({"q": ["1"], "split": [name]})) for name in splits]
    datasets.DatasetDict(parts).save_to_disk(folder)


def cached_on_this_machine(tmp_path: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Put a dataset where `datasets` would have kept it after a download."""
    source = tmp_path / "source.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    builder = datasets.load_dataset_builder(
        "json", data_files=str(source), cache_dir=str(tmp_path / "made")
    )
    builder.download_and_prepare()
    folder = tmp_path / "cache" / f"acme___{name}" / "default" / "0.0.0" / REVISION
    shutil.copytree(str(builder.cache_dir), folder)
    (folder / "json-train.arrow").rename(folder / f"{name}-train.arrow")
    info = json.loads((folder / "dataset_info.json").read_text())
    (folder / "dataset_info.json").write_text(json.dumps({**info, "dataset_name": name}))


def test_parquet_rows_become_json_values(tmp_path: Path):
    parquet(
        tmp_path / "a.parquet",
        {
            "when": [datetime.date(2024, 1, 2)],
            "score": [float("nan")],
            "tags": [["a", None]],
            "nested": [{"x": {"y": 1}}],
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "large": pa.array(["t"], pa.large_string()),
            "exact": pa.array([1700000000123456789], pa.timestamp("ns")),
        },
    )

    (record,) = records_of(tmp_path, "a.parquet")

    assert record.fields == {
        "when": "2024-01-02",
        "score": None,
        "tags": ["a", None],
        "nested": {"x": {"y": 1}},
        "map": [["k", 1]],
        "large": "t",
        "exact": "2023-11-14T22:13:20.123456789",
    }


def test_chat_turns_of_parquet_lose_the_nulls_that_columns_force_on_them(tmp_path: Path):
    turns = [
        {"role": "user", "content": "Hi", "name": None},
        {"role": "tool", "content": "x", "name": "f"},
    ]
    parquet(tmp_path / "a.parquet", {"messages": [turns]})

    (record,) = records_of(tmp_path, "a.parquet")

    assert record.messages == (
        {"role": "user", "content": "Hi"},
        {"role": "tool", "content": "x", "name": "f"},
    )


def test_many_row_groups_come_in_order_with_their_row_numbers(tmp_path: Path):
    path = parquet(tmp_path / "a.parquet", {"n": list(range(5000))}, row_group_size=700)

    rows = list(table.parquet_rows(path, "a"))

    assert [row.value["n"] for row in rows] == list(range(5000))
    assert [row.number for row in rows] == list(range(1, 5001))


def test_a_row_that_python_cannot_hold_costs_itself_only(tmp_path: Path):
    texts = pa.array([b"good", b"\xff", b"fine"], pa.binary())
    broken = pa.StringArray.from_buffers(3, texts.buffers()[1], texts.buffers()[2])
    parquet(tmp_path / "a.parquet", {"t": broken, "n": [1, 2, 3]}, use_dictionary=False)

    good, bad, fine = records_of(tmp_path, "a.parquet")

    assert (good.fields["n"], fine.fields["n"]) == (1, 3)
    assert bad.dropped is not None
    assert bad.dropped.reason.startswith("not_utf8: a.parquet row 2: a text column holds bytes")
    assert bad.fields == {"raw": "", "file": "a.parquet", "row": 2}


def test_bytes_that_are_no_text_cost_their_row(tmp_path: Path):
    parquet(tmp_path / "a.parquet", {"image": [b"\xff\xd8", None]})

    image, none = records_of(tmp_path, "a.parquet")

    assert image.dropped is not None
    assert image.dropped.reason == "not_text: a.parquet row 1: 2 bytes that are not UTF-8 text"
    assert none.fields == {"image": None}


@pytest.mark.parametrize("content", [b"", b"no table at all", b"PAR1 but no more PAR1"])
def test_a_file_that_is_no_parquet_is_refused_by_name_and_without_its_path(
    tmp_path: Path, content: bytes
):
    (tmp_path / "a.parquet").write_bytes(content)

    with pytest.raises(SeedError, match=r"'a\.parquet'.*unreadable: a\.parquet row 1: ") as caught:
        records_of(tmp_path, "a.parquet")

    assert str(tmp_path) not in str(caught.value)


def test_damage_in_the_middle_gives_what_came_before_and_a_bad_row(tmp_path: Path):
    numbers = [f"{n:08d}" for n in range(4000)]
    path = parquet(
        tmp_path / "a.parquet", {"n": numbers}, row_group_size=1000, use_dictionary=False
    )
    start = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    with path.open("rb+") as file:
        file.seek(start)
        file.write(b"\xff" * 64)

    *good, bad = records_of(tmp_path, "a.parquet")

    assert [record.fields["n"] for record in good] == numbers[: len(good)]
    assert len(good) >= 1000
    assert bad.dropped is not None
    assert bad.dropped.reason.startswith(f"unreadable: a.parquet row {len(good) + 1}: ")


def test_a_saved_dataset_is_read_whole(tmp_path: Path):
    saved(tmp_path / "ds")

    made = records_of(tmp_path, "ds")

    assert [record.fields for record in made] == [{"q": q, "split": "whole"} for q in "123"]


def test_a_saved_dataset_gives_its_train_split_or_the_one_after_the_hash(tmp_path: Path):
    saved(tmp_path / "ds", splits=("test", "train"))

    assert {record.fields["split"] for record in records_of(tmp_path, "ds")} == {"train"}
    assert {record.fields["split"] for record in records_of(tmp_path, "ds#test")} == {"test"}


def test_the_only_split_of_a_saved_dataset_need_not_be_named(tmp_path: Path):
    saved(tmp_path / "ds", splits=("validation",))

    assert records_of(tmp_path, "ds")[0].fields["split"] == "validation"


def test_an_unknown_split_is_refused_with_the_known_ones(tmp_path: Path):
    saved(tmp_path / "ds", splits=("train", "test"))

    with pytest.raises(SeedError, match=r"no split 'tets' in 'ds#tets'. Did you mean 'test'\?"):
        records_of(tmp_path, "ds#tets")


def test_a_split_of_what_has_none_is_refused(tmp_path: Path):
    parquet(tmp_path / "a.parquet", {"n": [1]})

    with pytest.raises(SeedError, match="only a `datasets` folder has any"):
        records_of(tmp_path, "a.parquet#train")


def test_the_fingerprint_of_a_saved_dataset_tells_its_rows_and_not_when_it_was_saved(
    tmp_path: Path,
):
    for place in ("one", "two"):
        saved(tmp_path / place / "ds", splits=("train", "test"))

    one, two = (seed.resolve(["ds"], tmp_path / place)[0] for place in ("one", "two"))
    other_split = seed.resolve(["ds#test"], tmp_path / "one")[0]

    assert one.fingerprint() == two.fingerprint()
    assert one.fingerprint() != other_split.fingerprint()


@pytest.mark.parametrize("state", ["", "{}", '{"_data_files": [{"filename": "gone.arrow"}]}'])
def test_a_damaged_saved_dataset_is_refused(tmp_path: Path, state: str):
    saved(tmp_path / "ds")
    (tmp_path / "ds" / "state.json").write_text(state)

    with pytest.raises(SeedError, match="'ds'"):
        records_of(tmp_path, "ds")


def test_a_dataset_of_the_hub_is_read_from_its_cache_when_the_hub_cannot_be_reached(
    tmp_path: Path,
):
    cached_on_this_machine(
        tmp_path, "toy", [{"question": "1+1?", "answer": "2"}, {"question": "Why?"}]
    )

    first, second = records_of(tmp_path, "hub:acme/toy")

    assert first.fields == {"question": "1+1?", "answer": "2"}
    assert second.fields == {"question": "Why?", "answer": None}


def test_a_dataset_of_the_hub_may_be_sliced(tmp_path: Path):
    cached_on_this_machine(tmp_path, "toy", [{"n": 1}, {"n": 2}])

    assert [r.fields["n"] for r in records_of(tmp_path, "hub:acme/toy#train[:1]")] == [1]


def test_the_fingerprint_of_a_dataset_of_the_hub_changes_with_its_revision(tmp_path: Path):
    cached_on_this_machine(tmp_path, "toy", [{"n": 1}])
    versions = tmp_path / "cache" / "acme___toy" / "default" / "0.0.0"
    before = seed.resolve(["hub:acme/toy"], tmp_path)[0].fingerprint()
    assert seed.resolve(["hub:acme/toy"], tmp_path)[0].fingerprint() == before

    (versions / REVISION).rename(versions / ("1" * 40))

    assert seed.resolve(["hub:acme/toy"], tmp_path)[0].fingerprint() != before


def test_a_hub_that_cannot_be_reached_is_no_mistake_of_the_user(tmp_path: Path):
    (source,) = seed.resolve(["hub:acme/never_seen"], tmp_path)

    with pytest.raises(OutsideError, match="'hub:acme/never_seen', could not reach the Hub"):
        source.fingerprint()
    with pytest.raises(OutsideError):
        next(seed.records([source]))


def test_a_split_that_the_hub_does_not_have_is_refused(tmp_path: Path):
    cached_on_this_machine(tmp_path, "toy", [{"n": 1}])

    with pytest.raises(SeedError, match="no split 'trian'"):
        records_of(tmp_path, "hub:acme/toy#trian")


def test_text_seeds_need_neither_pyarrow_nor_datasets(tmp_path: Path):
    (tmp_path / "a.csv").write_text("n\n1\n")
    code = (
        "import sys; from pathlib import Path; from synth import seed;"
        "list(seed.records(seed.resolve(['a.csv', 'everyday_questions'], Path())));"
        "print({'pyarrow', 'datasets', 'duckdb'} & set(sys.modules))"
    )

    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert told.stdout.strip() == "set()"
