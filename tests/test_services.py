"""What a stage may ask for besides engines."""

from __future__ import annotations

from pathlib import Path

from tests.running import question, services


async def test_random_choices_depend_on_record_label_parts_and_run_seed_alone(tmp_path: Path):
    async with services(tmp_path, label="a") as a, services(tmp_path, label="b") as b:
        drawn = a.rng(question("Why?")).random()

        assert a.rng(question("Why?")).random() == drawn
        assert a.rng(question("How?")).random() != drawn
        assert a.rng(question("Why?"), "part").random() != drawn
        assert b.rng(question("Why?")).random() != drawn
    async with services(tmp_path, label="a", run_seed=1) as other:
        assert other.rng(question("Why?")).random() != drawn
