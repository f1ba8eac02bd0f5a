"""Programs that want to be counted as right without being so, and honest ones.

Not by the sandbox's author. A program is a file in programs/adversaries, in `cheats` or `honest`.
Its first lines say what it does and what must hold, the rest is in parts:

    # expect: fail             each result, or several by commas; `fail or error`: either will do
    # integrity: weak          `strong` where nothing is said; `any`: it is not the point
    # inherent: why            it counts as passing, and nothing that looks at tests can help it
    # at lsm: error            what to expect at that level, where it differs
    # open: what happens       it does not hold yet
    # entry point: solve       where tests want one
    # --- code
    # --- calls                one line each: `solve(2, key="a") == 4`; compared here with `==`
    # --- tests                asserts, `check(candidate)`, pytest or unittest
    # --- stdin, # --- stdout  for a program
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synth import Sandbox
from synth.sandbox import Call, Ran, Result, calling, checking
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool

PROGRAMS = Path(__file__).parent / "programs" / "adversaries"
LEAST = {"cheats": 65, "honest": 65}
LEVELS: tuple[Level, ...] = ("ns", "lsm")
LIMITS = Sandbox(cpu_s=1, wall_s=2, output_kb=64, result_mb=1)
_HEADER = re.compile(r"^# (expect|integrity|inherent|open|entry point|at lsm): (.+)$", re.MULTILINE)
_PART = re.compile(r"^# --- (code|calls|tests|setup|stdin|stdout)\n", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """One file of the suite."""

    name: str
    header: dict[str, str]
    parts: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Program:
        """Read what it says of itself, and its parts."""
        head, *rest = _PART.split(path.read_text("utf-8"))
        header = dict(_HEADER.findall(head))
        assert "expect" in header, f"{path}: no line `# expect: …`"
        parts = dict(zip(rest[::2], rest[1::2], strict=True))
        return cls(f"{path.parent.name}/{path.stem}", header, parts)

    def expected(self, level: str) -> list[set[str]]:
        """Return the words that each result may have."""
        words = self.header.get(f"at {level}", self.header["expect"])
        return [set(one.strip().split(" or ")) for one in words.split(",")]

    @property
    def calls(self) -> Iterator[tuple[str, Call, Any]]:
        """What is called, with what, and what it should return."""
        for line in self.parts["calls"].splitlines():
            match ast.parse(line, mode="eval").body:
                case ast.Compare(ast.Call(function, args, keywords), [ast.Eq()], [expected]):
                    given = [ast.literal_eval(arg) for arg in args]
                    named = {str(one.arg): ast.literal_eval(one.value) for one in keywords}
                    yield ast.unparse(function), Call(given, named), ast.literal_eval(expected)
                case _:
                    raise ValueError(f"{self.name}: no call and its value: {line}")


def programs(*kinds: str) -> list[Program]:
    """Return those of some kinds, or all, in a steady order."""
    paths = [path for kind in kinds or LEAST for path in sorted((PROGRAMS / kind).glob("*.txt"))]
    return [Program.read(path) for path in paths]


@pytest.fixture(scope="module", params=LEVELS)
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    made = Pool(LIMITS)
    made._level = request.param  # the strictest would be chosen else
    yield made
    made.close()


def judged(pool: Pool, program: Program) -> tuple[list[str], Ran]:
    """Return the word for each test of a program, as a caller finds it who holds the answers."""
    code = program.parts["code"]
    if "calls" in program.parts:
        points, calls, expected = zip(*program.calls, strict=True)
        assert len(set(points)) == 1, f"{program.name}: one function, please"
        ran = calling.call(pool, code, points[0], calls)
        return [*map(_compared, ran.results, expected)], ran
    if "stdout" in program.parts:
        ran = calling.run(pool, code, program.parts.get("stdin", ""))
        same = ran.stdout == program.parts["stdout"]
        return [_word(ran.results[0], same=same)], ran
    given = checking.Given(
        code,
        program.parts["tests"],
        entry_point=program.header.get("entry point", ""),
        setup=program.parts.get("setup", ""),
    )
    ran = checking.check(pool, given)
    return [result.outcome for result in ran.results], ran


def _compared(result: Result, expected: Any) -> str:
    return _word(result, same=bool(result.value == expected) and bool(expected == result.value))


def _word(result: Result, *, same: bool) -> str:
    if result.outcome != "returned":
        return result.outcome
    return "pass" if same else "fail"


def _matches(words: Sequence[str], expected: Sequence[set[str]]) -> bool:
    wanted = [*expected] * (len(words) if len(expected) == 1 else 1)
    alike = len(words) == len(wanted) > 0
    return alike and all(word in either for word, either in zip(words, wanted, strict=True))


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_each_result_is_what_it_should_be(
    program: Program, pool: Pool, request: pytest.FixtureRequest
):
    if why := program.header.get("open"):
        request.applymarker(pytest.mark.xfail(reason=why, strict=True))

    words, ran = judged(pool, program)

    assert ran.isolation == pool.level
    assert _matches(words, program.expected(pool.level)), (words, ran)
    assert program.header.get("integrity", "strong") in (ran.integrity, "any"), ran
    "".join(result.message for result in ran.results).encode()  # fit to be written to a file


@pytest.mark.parametrize("program", programs("cheats"), ids=lambda program: program.name)
def test_a_cheat_is_never_expected_to_pass_as_strong(program: Program):
    passes = all("pass" in either for either in program.expected("ns"))

    assert not passes or "inherent" in program.header or program.header["integrity"] == "weak"


@pytest.mark.parametrize("program", programs("honest"), ids=lambda program: program.name)
def test_an_honest_program_is_expected_to_pass(program: Program):
    assert program.expected("ns") == [{"pass"}]


@pytest.mark.parametrize("kind", LEAST)
def test_there_are_many_programs_of_each_kind(kind: str):
    assert len(programs(kind)) >= LEAST[kind]
