"""Programs that want to pass without an answer, honest ones that must, wrong ones that must not.

Each file in programs/integrity, honest and wrong is one; its parts are the code and what is asked
of it: `tests` (Sandbox.check), `calls` of `f` with what is expected (Sandbox.call), `stdin`
(Sandbox.run).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from synth.sandbox import Call, Ran, Sandbox

PROGRAMS = Path(__file__).parent / "programs"
SANDBOX = Sandbox(cpu_s=1, wall_s=4, memory_mb=256, output_kb=64)
_PART = re.compile(r"^# --- (\w+)\n", re.MULTILINE)


@dataclass
class Program:
    name: str
    parts: dict[str, str]
    expect: list[str]

    @classmethod
    def read(cls, path: Path) -> Program:
        head, *parts = _PART.split(path.read_text("utf-8"))
        expect = re.search(r"^# expect: (.*)$", head, re.MULTILINE)
        named = dict(zip(parts[::2], parts[1::2], strict=True))
        return cls(path.stem, named, expect[1].split() if expect else [])

    def checked(self) -> Ran:
        tests = self.parts["tests"]
        return SANDBOX.check(self.parts["code"], tests, entry_point="f" if "f(" in tests else "")


def programs(kind: str, part: str = "tests") -> list[object]:
    read = [Program.read(path) for path in sorted((PROGRAMS / kind).glob("*.txt"))]
    return [pytest.param(one, id=one.name) for one in read if part in one.parts]


def all_pass(ran: Ran) -> bool:
    return all(result.outcome == "pass" for result in ran.results)


@pytest.mark.parametrize("program", programs("integrity"))
def test_a_cheat_passes_no_tests_for_sure(program: Program):
    ran = program.checked()

    assert not (all_pass(ran) and ran.integrity == "strong"), ran


@pytest.mark.parametrize("program", programs("integrity", "calls"))
def test_a_cheat_returns_nothing_that_is_expected(program: Program):
    calls = ast.literal_eval(program.parts["calls"].strip())

    ran = SANDBOX.call(program.parts["code"], "f", [Call(args) for args, _ in calls])

    equal = [
        result.outcome == "returned" and result.value == expected
        for result, (_, expected) in zip(ran.results, calls, strict=True)
    ]
    assert not all(equal), ran


@pytest.mark.parametrize("program", programs("integrity", "stdin"))
def test_a_cheat_prints_nothing_that_is_expected(program: Program):
    ran = SANDBOX.run(program.parts["code"], program.parts["stdin"])

    assert ran.stdout.strip() != "5"


@pytest.mark.parametrize("program", programs("honest"))
def test_an_honest_program_passes(program: Program):
    ran = program.checked()

    assert all_pass(ran), ran


@pytest.mark.parametrize("program", programs("wrong"))
def test_a_wrong_program_fails_by_name(program: Program):
    ran = program.checked()

    assert [result.outcome for result in ran.results] == program.expect, ran
