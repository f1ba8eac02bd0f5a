"""Solutions and tests of one problem held against each other: neither is known to be right.

The verdicts of a verifier that runs tests tell which solution passes which test. Tests that too few
solutions pass go first; solutions that pass too few of the others go then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

from pydantic import Field

from synth.frozen import Frozen
from synth.record import Judgement, Record, Verdict

_PASS = "pass"  # noqa: S105 (a word of the evidence)
_NOT_RUN = "killed"


class CrossCheck(Frozen):
    """Which tests and solutions stay. Equal solutions, white space apart, vouch for a test once."""

    by: str = "unit_tests"
    """Label of the verifier whose evidence tells one outcome for each test."""
    min_solutions: float | None = Field(default=0.0, ge=0, le=1)
    """Least share of the different solutions that pass a test, and at least one; null: tests are
    taken as they are."""
    min_tests: float = Field(default=0.8, ge=0, le=1)
    """Least share of the tests that stay which a solution passes, and at least one."""
    strict: bool = False
    """Whether shares must lie above `min_solutions` and `min_tests`."""
    least_solutions: int = Field(default=1, ge=1)
    """Different solutions that there must be to begin with."""
    least_tests: int = Field(default=1, ge=1)
    """Tests that there must be to begin with."""
    keep_tests: int = Field(default=1, ge=1)
    """Tests that must stay."""

    def enough(self, share: Fraction, least: float) -> bool:
        """Return whether a share suffices; none at all never does."""
        wanted = Fraction(str(least))
        return share > wanted or (share == wanted and share > 0 and not self.strict)


@dataclass(frozen=True, slots=True)
class Row:
    """One solution and what each test came to."""

    child: Record
    given: Judgement
    outcomes: tuple[str, ...]

    @property
    def code(self) -> str:
        """The solution without white space."""
        return "".join(str(self.child.fields["code"]).split())

    def share(self, kept: Sequence[int]) -> Fraction:
        """Return the share of the tests at these places that it passes."""
        return Fraction(self._passed(kept), len(kept))

    def _passed(self, kept: Sequence[int]) -> int:
        return sum(self.outcomes[place] == _PASS for place in kept)

    def followed(self, kept: Sequence[int], check: CrossCheck) -> Record:
        """Return the solution with its verdict on the tests that stay; dropped where it fails."""
        share, passed = self.share(kept), self._passed(kept)
        wrong = ""
        if not check.enough(share, check.min_tests):
            code = "rejected_by_tests" if passed else "suspect_solution"
            wrong = f"{code}: it passes {passed} of {len(kept)} tests that stay"
        evidence = {
            **(self.given.verdict.evidence or {}),
            "passed": passed,
            "total": len(kept),
            "tests": [self.outcomes[place] for place in kept],
        }
        evidence.pop("first_failure", None)
        verdict = Verdict("fail" if wrong else "pass", wrong, float(share), evidence)
        others = [one for one in self.child.judgements if one is not self.given]
        judged = replace(self.child, judgements=(*others, replace(self.given, verdict=verdict)))
        return judged.drop("verdict", by=check.by, reason=wrong) if wrong else judged


def checked(
    children: Sequence[Record], tests: Sequence[Any], check: CrossCheck, stage: str
) -> list[Record]:
    """Return the solutions of one problem, in order, dropped where they and the tests disagree.

    Those that were judged get the tests that stay as `tests`, the others as `suspect_tests`, and
    `pass_rate`: the share of all solutions that pass every test that stays; those dropped before
    count, but none whose call or verifier broke. Their verdict by `check.by` becomes that on the
    tests that stay. Drops of kind "verdict": `rejected_by_tests`, `suspect_solution` (no test
    accepts it). Of kind "filter": `not_judged`; and for all of them at once `suspect_tests` (no
    solution passes any), `no_agreement`.
    """
    children = [_dropped_unless_judged(child, len(tests), check, stage) for child in children]
    rows = {child.id: row for child in children if (row := _row(child, check.by))}
    kept, wrong = _kept(list(rows.values()), len(tests), check)
    if not wrong:
        after = {one: row.followed(kept, check) for one, row in rows.items()}
        fields = _fields(children, rows, tests, kept)
        after = {one: child.adding(fields) for one, child in after.items()}
        if any(child.state == "live" for child in after.values()):
            return [after.get(child.id, child) for child in children]
        wrong = "no_agreement: no solution passes enough of the tests"
    return [
        child.drop("filter", by=stage, reason=wrong) if child.id in rows else child
        for child in children
    ]


def difficulty(pass_rate: float) -> str:
    """Return easy above two thirds, hard below one third, else medium."""
    rate = Fraction(pass_rate).limit_denominator(1000)
    if rate > Fraction(2, 3):
        return "easy"
    return "hard" if rate < Fraction(1, 3) else "medium"


def _row(child: Record, by: str) -> Row | None:
    """Return the row of a live solution whose evidence tells outcomes."""
    given = [one for one in child.judgements if one.label == by]
    if child.state != "live" or not given:
        return None
    told = (given[-1].verdict.evidence or {}).get("tests")
    if not isinstance(told, list | tuple):
        return None
    return Row(child, given[-1], tuple(map(str, cast("Sequence[Any]", told))))


def _dropped_unless_judged(child: Record, count: int, check: CrossCheck, stage: str) -> Record:
    if child.state != "live":
        return child
    row = _row(child, check.by)
    if row is not None and len(row.outcomes) == count:
        return child
    told = f"it tells {len(row.outcomes)} outcomes of {count} tests" if row else _said(child, check)
    return child.drop("filter", by=stage, reason=f"not_judged: {told}")


def _said(child: Record, check: CrossCheck) -> str:
    given = [one.verdict for one in child.judgements if one.label == check.by]
    said = given[-1].reason or given[-1].outcome if given else "nothing"
    return f"{check.by!r} says {said}, and no outcome of each test"


def _kept(rows: Sequence[Row], count: int, check: CrossCheck) -> tuple[list[int], str]:
    """Return the places of the tests that stay, and why they do not suffice, or ""."""
    different = list({row.code: row for row in rows}.values())
    if len(different) < check.least_solutions or count < check.least_tests:
        found = f"{len(different)} different solutions and {count} tests"
        wanted = f"{check.least_solutions} and {check.least_tests}"
        return [], f"no_agreement: there are {found}, wants {wanted}"
    kept = [place for place in range(count) if _stays(place, different, check)]
    if not kept:
        return [], f"suspect_tests: no test of {count} is passed by enough solutions"
    if len(kept) < check.keep_tests:
        return [], f"no_agreement: {len(kept)} of {count} tests stay, wants {check.keep_tests}"
    return kept, ""


def _stays(place: int, rows: Sequence[Row], check: CrossCheck) -> bool:
    if check.min_solutions is None:
        return True
    # A test that was not run, for another took all time, is neither passed nor failed.
    ran = [row for row in rows if row.outcomes[place] != _NOT_RUN]
    passed = sum(row.outcomes[place] == _PASS for row in ran)
    return bool(ran) and check.enough(Fraction(passed, len(ran)), check.min_solutions)


def _fields(
    children: Sequence[Record], rows: dict[str, Row], tests: Sequence[Any], kept: Sequence[int]
) -> dict[str, Any]:
    counted = [child for child in children if child.id in rows or _is_unfit(child)]
    passed = sum(row.share(kept) == 1 for row in rows.values())
    return {
        "tests": [tests[place] for place in kept],
        "suspect_tests": [test for place, test in enumerate(tests) if place not in kept],
        "pass_rate": passed / len(counted),
    }


def _is_unfit(child: Record) -> bool:
    """Return whether a solution was dropped for what it says."""
    dropped = child.dropped if child.state == "dropped" else None
    return dropped is not None and dropped.kind != "error" and "not_judged" not in dropped.reason
