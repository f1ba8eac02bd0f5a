"""Programs that try to get out, to take everything or to stay: none may, at any level.

What a program tries and what must hold stands in its file; how that is told, in containing.py.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from synth.sandbox.launch import Level
from tests.sandbox.containing import CLASSES, Program, Suite, programs
from tests.sandbox.ordinary import as_nobody

LEVELS: tuple[Level, ...] = ("ns", "lsm")


@pytest.fixture(scope="module", params=LEVELS)
def suite(request: pytest.FixtureRequest) -> Iterator[Suite]:
    made = Suite(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_is_contained(program: Program, suite: Suite, request: pytest.FixtureRequest):
    if why := program.escapes_at(suite.level):
        request.applymarker(pytest.mark.xfail(reason=why, strict=True))

    assert suite.complaints(program) == []


def test_there_are_many_programs_of_each_class():
    counted = Counter(program.name.partition("/")[0] for program in programs())

    assert set(counted) == set(CLASSES)
    assert min(counted.values()) >= 10
    assert counted.total() >= 100


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as an ordinary user already")
@pytest.mark.parametrize("level", LEVELS)
def test_all_are_contained_for_an_ordinary_user(level: Level):
    said: dict[str, list[str]] = json.loads(as_nobody(["tests/sandbox/containing.py", level]))

    known = {program.name for program in programs() if program.escapes_at(level)}
    assert {name: found for name, found in said.items() if found and name not in known} == {}
    assert [name for name in known if not said[name]] == []
    assert len(said) == len(programs())
