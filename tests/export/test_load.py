"""What `datasets.load_dataset` makes of an export, offline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from synth import export
from synth.recipe import Recipe
from synth.record import Record

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]
Judged = Callable[..., list[Record]]
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


def loaded(run: Path, *config: str) -> dict[str, Any]:
    """Return what `datasets.load_dataset` makes of an export, offline and with an empty cache."""
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(run / "hf"), "PATH": ""}
    command = [sys.executable, "-W", "ignore", "-c", LOAD, str(run / "export"), *config]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_datasets_loads_each_config_and_the_first_by_default(
    finish: Finish, recipe: Recipes, judged: Judged
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


def test_datasets_gives_tool_calls_back_exactly(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    call = {
        "id": "c",
        "function": {"name": "f", "arguments": {"z": [1, 2.5], "a": None, "s": "é\n"}},
    }
    odd = judged(2, tool_calls=[call], reasoning="so")
    plain = judged(10)[-2]
    run = finish([*odd, plain])
    export.write(run, recipe(sft={}))

    found = loaded(run, "sft")

    assert found["features"]["messages"].startswith("List(Json(")
    messages = [row["messages"] for row in found["rows"]["train"]]
    assert messages == [list(record.messages) for record in (odd[0], odd[2], plain)]


def test_the_tools_that_a_conversation_may_call_are_a_column(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    with_tools, _, without, _ = judged(2)
    run = finish([with_tools.adding({"tools": [tool]}), without])
    export.write(run, recipe(sft={}))

    found = loaded(run, "sft")

    assert {row["id"]: row["tools"] for row in found["rows"]["train"]} == {
        with_tools.id: [tool],
        without.id: [],
    }


def test_the_card_and_the_files_agree_with_what_datasets_would_write(
    finish: Finish, recipe: Recipes, judged: Judged
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
