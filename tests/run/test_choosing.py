"""A stage that chooses: it gets columns of the whole set, and says which records stay."""

from __future__ import annotations

import json
import shutil

import pytest

from synth.engine.base import Origin, Prompted, Sampling
from synth.errors import InputError, PluginError
from tests.run.conftest import HERE, Project

RESPOND = {"respond": {"engine": "teacher"}}
SHORTEST = "./choosing_stages.py:Shortest"
CAP = {"cap": {"by": "kind", "most": 1}}


@pytest.fixture
def choosing(project: Project) -> Project:
    """A project whose recipes may name the stages of choosing_stages.py."""
    shutil.copy(HERE / "choosing_stages.py", project.folder)
    return project


def write(project: Project, stages: list[object], sizes: list[float | None]) -> None:
    project.write(stages, seeds=len(sizes))
    rows = [
        {"id": f"s{n}", "instruction": f"Say {n}.", "kind": "a", "size": size}
        for n, size in enumerate(sizes)
    ]
    (project.folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    return f"a calm reply to {origin.record_id}"


def left(project: Project, label: str) -> list[tuple[int, str]]:
    """Return each record's place and what became of it."""
    return [
        (record.position[0], record.dropped.reason if record.dropped else record.state)
        for record in project.records(label)
    ]


def test_what_is_not_chosen_is_a_drop_with_its_reason(choosing: Project):
    write(choosing, [{SHORTEST: {"as": "few"}}], [5, 1, 4, 2])

    choosing.run(reply)

    assert left(choosing, "few") == [
        (0, "too_long: 5"),
        (1, "live"),
        (2, "too_long: 4"),
        (3, "live"),
    ]


def test_what_is_chosen_goes_on(choosing: Project):
    write(choosing, [{SHORTEST: {"as": "few"}}, RESPOND], [5, 1, None, 2])

    choosing.run(reply)

    assert [place for place, state in left(choosing, "respond") if state == "live"] == [1, 3]


def test_it_may_give_fields_to_the_records(choosing: Project):
    write(choosing, [{"./choosing_stages.py:Ranked": {"as": "ranked"}}, RESPOND], [5, 1, 4])

    choosing.run(reply)

    assert [record.fields["place"] for record in choosing.records("ranked")] == [2, 0, 1]
    assert all("place" in record.fields for record in choosing.records("respond"))


def test_it_chooses_after_a_stage_that_asks_an_engine(choosing: Project):
    write(choosing, [RESPOND, {SHORTEST: {"as": "few"}}, CAP], [3, 2, 1])

    choosing.run(reply)

    assert [state for _, state in left(choosing, "few")] == ["too_long: 3", "live", "live"]
    assert [place for place, state in left(choosing, "cap") if state == "live"] == [1]


def test_a_finished_stage_before_it_is_not_read_twice(choosing: Project):
    write(choosing, [{SHORTEST: {"as": "few"}}], [5, 1, 4])
    choosing.run(reply)
    write(choosing, [{SHORTEST: {"as": "few", "most": 1}}], [5, 1, 4])

    choosing.run(reply)

    assert [state for _, state in left(choosing, "few")] == ["too_long: 5", "live", "too_long: 4"]


def test_no_records_are_no_trouble(choosing: Project):
    drop = {"cap": {"by": "kind", "most": 1, "others": {"a": 0}}}
    write(choosing, [drop, {SHORTEST: {"as": "few"}}], [5, 1])

    choosing.run(reply)

    assert left(choosing, "few") == []


def test_what_the_user_wrote_wrong_is_told_with_the_stage(choosing: Project):
    write(choosing, [{SHORTEST: {"as": "few", "of": "siez"}}], [5, 1])

    with pytest.raises(InputError, match="the stage 'few': no record has a score 'siez'"):
        choosing.run(reply)


def test_a_stage_that_breaks_ends_the_run_with_its_name(choosing: Project):
    write(choosing, [{"./choosing_stages.py:Broken": {"as": "broken"}}], [5, 1])

    with pytest.raises(PluginError, match=r"'broken' broke over the whole set: .*2 are too many"):
        choosing.run(reply)
