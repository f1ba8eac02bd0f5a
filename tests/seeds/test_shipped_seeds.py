"""Every shipped seed set is clean and tells where it comes from."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from synth import seed
from synth.record import canonical

README = (resources.files("synth.seeds") / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", seed.shipped())
def test_a_shipped_set_has_only_good_rows_without_empty_fields(name: str):
    made = list(seed.records(seed.resolve([name], Path("nowhere"))))

    assert made
    for record in made:
        assert record.state == "live", record.dropped
        assert (record.instruction or record.fields["persona"]).strip()
        assert all(value not in ("", None, [], {}) for value in record.fields.values())


@pytest.mark.parametrize("name", seed.shipped())
def test_no_instruction_of_a_shipped_set_stands_twice(name: str):
    made = seed.records(seed.resolve([name], Path("nowhere")))

    texts = [record.instruction or record.fields["persona"] for record in made]
    told = [" ".join(re.findall(r"\w+", text.lower())) for text in texts]

    assert len(told) == len(set(told))


@pytest.mark.parametrize("name", seed.shipped())
def test_the_text_of_a_shipped_set_is_trimmed_and_free_of_control_characters(name: str):
    for record in seed.records(seed.resolve([name], Path("nowhere"))):
        written = canonical([record.fields, record.messages])
        texts = [text for text in record.fields.values() if isinstance(text, str)]

        assert "\ufffd" not in written
        assert all(text == text.strip() for text in texts)
        assert all(line.isprintable() for text in texts for line in text.split("\n"))


@pytest.mark.parametrize("name", seed.shipped())
def test_the_readme_tells_rows_columns_source_and_licence_of_a_shipped_set(name: str):
    written = resources.files("synth.seeds").joinpath(f"{name}.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in written.splitlines()]

    found = re.search(
        rf"^\| `{name}` \| ([\d,]+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", README, re.MULTILINE
    )

    assert found is not None, f"no line for {name!r} in seeds/README.md"
    assert int(found[1].replace(",", "")) == len(rows)
    assert all(set(re.findall(r"`(\w+)`", found[2])) == set(row) for row in rows)


def test_the_quickstart_set_is_shipped():
    assert "everyday_questions" in seed.shipped()
