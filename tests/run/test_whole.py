"""A stage that sees all: it waits for the whole set, and what it makes leaves at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from synth.engine.base import Origin, Prompted, Sampling
from synth.errors import EngineDown, PluginError
from tests.run.conftest import HERE, Project

RESPOND = {"respond": {"engine": "teacher"}}
REVERSE = "./whole_stages.py:Reverse"
CHAIN = "./whole_stages.py:Chain"


@pytest.fixture
def whole(project: Project) -> Project:
    """A project whose recipes may name the stages of whole_stages.py."""
    shutil.copy(HERE / "whole_stages.py", project.folder)
    return project


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    return f"a calm reply to {origin.record_id} {origin.sample}"


def test_it_sees_all_records_by_position(whole: Project):
    whole.write([RESPOND, {REVERSE: {"as": "reverse"}}], seeds=5)

    whole.run(reply)

    made = [record for record in whole.records("reverse") if record.state == "live"]
    assert [record.fields["of"] for record in made] == [5] * 5
    assert [record.position for record in made] == [(n, 0, 0) for n in range(5)]


def test_what_it_made_goes_on_before_it_has_ended(whole: Project):
    order: list[str] = []

    def noting(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        order.append(origin.step)
        return reply(prompt, sampling, origin)

    whole.write([{CHAIN: {"as": "chain"}}, RESPOND], seeds=2)

    whole.run(noting)

    assert sorted(order) == ["chain"] * 5 + ["reply"] * 5
    assert order.index("reply") < len(order) - 5


def test_a_run_that_was_stopped_goes_on_with_the_calls_it_has(whole: Project):
    asked: list[int] = []

    def dying(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if len(asked) == 3:
            raise EngineDown("nobody answers")
        asked.append(origin.sample)
        return reply(prompt, sampling, origin)

    def noting(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        asked.append(origin.sample)
        return reply(prompt, sampling, origin)

    whole.write([{CHAIN: {"as": "chain"}}], seeds=2)
    with pytest.raises(EngineDown):
        whole.run(dying)
    whole.run(noting)
    whole.run(noting, "other")

    assert asked == [*range(5), *range(5)]
    assert whole.made("run") == whole.made("other")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("vanish", "let record .* vanish"),
        ("twice", "leave twice"),
        ("foreign", "descends from nothing that it was given"),
        ("text", "let 'a reply' leave, wanted records"),
        ("broken", "'faithless' broke over the whole set.*KeyError"),
    ],
)
def test_what_may_not_leave_is_refused(whole: Project, how: str, message: str):
    whole.write([{"./whole_stages.py:FaithlessWhole": {"how": how, "as": "faithless"}}])

    with pytest.raises(PluginError, match=message):
        whole.run(reply)

    assert not list(Path(whole.folder / "run" / "stages").glob("*faithless*.parquet"))
