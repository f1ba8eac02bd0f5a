"""pass@k of a run: how likely one of k solutions of a problem passes its tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from synth.cli.text import say, table

Row = dict[str, Any]

KS = (1, 10, 100)
"""The numbers of tries that pass@k is told of."""

# A record that `revise` made tells its step in the field `revision`; a repair had a failing test's
# message to go by, and is no independent sample: a label that judged one has no pass@k. A drop for
# being like or worse than others says nothing of tests.
SAMPLES = """
WITH judged AS (
    SELECT record_id, label, any_value(outcome) AS outcome FROM verdicts
    WHERE label IN (
        SELECT label FROM verdicts
        WHERE verifier = 'unit_tests'
           OR (json_exists(evidence, '$.passed') AND json_exists(evidence, '$.total'))
    )
    GROUP BY ALL
), samples AS (
    SELECT made.id, above.id AS problem, len(made.position) AS depth, made.state,
           CASE WHEN made.state <> 'dropped' THEN ''
                WHEN made.drop_kind = 'error' OR split_part(made.drop_reason, ':', 1) IN (
                    'near_duplicate', 'not_best', 'no_score', 'minority_answer', 'no_majority',
                    'pass_rate_too_high', 'pass_rate_too_low', 'over_cap', 'duplicate') THEN 'aside'
                ELSE 'unfit' END AS dropped,
           made.fields->>'revision' IS NOT NULL
               AND made.fields->>'revision' IS DISTINCT FROM above.fields->>'revision' AS revised
    FROM records AS made JOIN records AS above ON made.parents[1] = above.id
), depths AS (
    SELECT label, unnest(list_distinct(list(depth))) AS depth
    FROM judged JOIN samples ON record_id = id GROUP BY label HAVING NOT bool_or(revised)
), problems AS (
    SELECT depths.label, problem, count(*) FILTER (outcome = 'pass') AS passed,
           count(*) FILTER (outcome = 'fail') AS failed,
           count(*) FILTER (outcome IS NULL AND dropped = 'unfit') AS unfit,
           count(*) FILTER (
               outcome IN ('abstain', 'error')
               OR (outcome IS NULL AND (state = 'held' OR dropped = 'aside'))
           ) AS uncounted
    FROM depths JOIN samples USING (depth)
    LEFT JOIN judged ON judged.record_id = samples.id AND judged.label = depths.label
    WHERE NOT revised GROUP BY ALL
)
SELECT label, passed + failed + unfit AS samples, passed, count(*) AS problems,
       sum(unfit)::BIGINT AS unfit, sum(uncounted)::BIGINT AS uncounted
FROM problems GROUP BY ALL ORDER BY label, samples, passed
"""
"""For each label of a verifier that runs tests (it is `unit_tests`, or its evidence tells `passed`
and `total`), how many problems had so many samples of which so many passed.

A problem is a record, its samples are its children. A child counts as failed, too, when it was
dropped as unfit before its tests were run. Not counted: one whose judging broke or abstained, whose
call failed, or that was put aside for being like others. A label that judged what `revise` made is
left out.
"""


def pass_at(k: int, samples: int, passed: int) -> float:
    """Return the unbiased estimate that one of `k` solutions passes; wants k ≤ samples.

    It is 1 - C(samples - passed, k) / C(samples, k), as a product that cannot overflow. Method:
    Chen et al., "Evaluating Large Language Models Trained on Code" (2021), section 2.1.
    """
    if k > samples:
        raise ValueError(f"pass@{k} wants at least {k} samples of a problem, got {samples}")
    failed = samples - passed
    if failed < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / drawn for drawn in range(failed + 1, samples + 1))


def rates(found: Sequence[Row]) -> list[Row]:
    """Return a row for each label from what SAMPLES gives, with `pass_at` for each k.

    pass@k is the mean over the problems with at least k samples, `problems` in number; a k that no
    problem has samples for is left out, as is a label without samples.
    """
    labelled = [(label, list(rows)) for label, rows in groupby(found, itemgetter("label"))]
    return [_rate(label, rows) for label, rows in labelled if any(row["samples"] for row in rows)]


def _rate(label: str, found: Sequence[Row]) -> Row:
    rows = [row for row in found if row["samples"]]
    return {
        "label": label,
        "problems": sum(row["problems"] for row in rows),
        "samples": sum(row["problems"] * row["samples"] for row in rows),
        "passed": sum(row["problems"] * row["passed"] for row in rows),
        "unfit": sum(row["unfit"] for row in rows),
        "uncounted": sum(row["uncounted"] for row in found),
        "pass_at": {str(k): at for k in KS if (at := _mean(k, rows))},
    }


def _mean(k: int, rows: Sequence[Row]) -> Row | None:
    enough = [row for row in rows if row["samples"] >= k]
    problems = sum(row["problems"] for row in enough)
    if not problems:
        return None
    total = math.fsum(row["problems"] * pass_at(k, row["samples"], row["passed"]) for row in enough)
    return {"rate": total / problems, "problems": problems}


def say_rates(found: Sequence[Row]) -> None:
    """Print pass@k, if the run has any."""
    if not found:
        return
    say("pass@k: how likely one of k solutions passes its tests")
    names = ("label", "problems", "samples", "passed", "unfit", "uncounted")
    ks = [str(k) for k in KS if any(str(k) in row["pass_at"] for row in found)]
    header = (*names, *(f"pass@{k}" for k in ks))
    table([header, *((*(row[name] for name in names), *_told(row, ks)) for row in found)])


def _told(row: Row, ks: Sequence[str]) -> list[str]:
    """Return each pass@k as text, with the number of problems where it is not all of them."""
    return [_rate_told(row["pass_at"].get(k), row["problems"]) for k in ks]


def _rate_told(at: Row | None, problems: int) -> str:
    if at is None:
        return "-"
    few = f" of {at['problems']}" if at["problems"] < problems else ""
    return f"{at['rate']:.3f}{few}"
