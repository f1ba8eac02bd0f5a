"""Preference pairs: what verifiers let pass against what they dropped, for the same prompt.

A prompt is all messages before the last turn, the assistant's. Chosen are live records without a
failing verdict of a verifier named in `rejected_by`; rejected are records that such a verifier
dropped. What was held or ended in an error is neither, and so is a live record that a named
verifier failed but the recipe kept.
"""
# ruff: noqa: S608 (SQL is put together from pieces of ours and numbers)

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synth.export.dataset import (
    JSON_TURNS,
    PLAIN,
    PLAIN_TURNS,
    TEXT,
    Dataset,
    Kind,
    in_test,
    tables,
    turns,
)
from synth.recipe import Dpo

# Texts stay where they are until pairs are known: an answer is its row and two digests.
_ANSWERS = """
CREATE OR REPLACE TEMP TABLE answers AS
SELECT line, id, position, parents, family, good,
       md5(turns[:-2]::VARCHAR) AS prompt,
       md5(turns[-1]) AS reply
FROM (
    SELECT rowid AS line, id, position, parents, family, state = 'live' AS good,
           from_json(messages, '["JSON"]')::VARCHAR[] AS turns
    FROM records
    WHERE (
        state = 'live' AND id NOT IN (
            SELECT record_id FROM verdicts
            WHERE outcome = 'fail' AND list_contains($labels, label)
        )
        OR state = 'dropped' AND drop_kind = 'verdict' AND list_contains($labels, drop_by)
    ) AND messages->>'$[#-1].role' = 'assistant' AND json_array_length(messages) > 1
)
"""
# A reply twice on one side gives the same pair twice; one on both sides teaches nothing.
_PAIRS = """
CREATE OR REPLACE TEMP TABLE pairs AS
WITH prompts AS (
    SELECT prompt, min_by(family, position) AS family FROM answers GROUP BY prompt
), distinct_answers AS (
    FROM answers
    WHERE good OR (prompt, reply) NOT IN (SELECT (prompt, reply) FROM answers WHERE good)
    QUALIFY row_number() OVER (PARTITION BY prompt, good, reply ORDER BY position, id) = 1
), of_siblings AS (
    SELECT *, row_number() OVER (PARTITION BY prompt, parents, good ORDER BY position, id) AS rank
    FROM distinct_answers
), siblings AS (
    SELECT prompt, chosen.line AS chosen, rejected.line AS rejected
    FROM of_siblings AS chosen JOIN of_siblings AS rejected USING (prompt, parents, rank)
    WHERE chosen.good AND NOT rejected.good
), of_others AS (
    SELECT *, row_number() OVER (PARTITION BY prompt, good ORDER BY position, id) AS rank
    FROM distinct_answers WHERE line NOT IN (SELECT unnest([chosen, rejected]) FROM siblings)
), others AS (
    SELECT prompt, chosen.line AS chosen, rejected.line AS rejected
    FROM of_others AS chosen JOIN of_others AS rejected USING (prompt, rank)
    WHERE chosen.good AND NOT rejected.good
), limited AS (
    FROM (FROM siblings UNION ALL FROM others)
    QUALIFY row_number() OVER (PARTITION BY prompt ORDER BY chosen) <= $most
)
SELECT row_number() OVER (ORDER BY chosen) - 1 AS number, chosen, rejected, family
FROM limited JOIN prompts USING (prompt)
"""
_NOT_PLAIN = f"""
SELECT 1 FROM records
WHERE rowid IN (SELECT unnest([chosen, rejected]) FROM pairs) AND NOT {PLAIN} LIMIT 1
"""
_WINDOW_PAIRS = 2048
_WINDOWS = f"""
SELECT number // {_WINDOW_PAIRS} AS number, min(chosen), max(chosen), min(rejected), max(rejected)
FROM pairs GROUP BY ALL ORDER BY ALL
"""


def dataset(connection: Any, options: Dpo) -> Dataset:
    """Return `prompt`, `chosen`, `rejected`, ids and family, by position of the chosen.

    Of a prompt the first chosen meets the first rejected, the second the second, and so on up to
    `pairs_per_prompt`: first among those made of the same record, so that pairs which came as pairs
    stay together, then among what is left. A record is used once, a reply's text once on each side,
    and never as rejected if a chosen one says the same. The split is that of the family of the
    prompt's first record.
    """
    labels = list(options.rejected_by)
    connection.execute(_ANSWERS, {"labels": labels})
    connection.execute(_PAIRS, {"most": options.pairs_per_prompt})
    other = connection.execute(_NOT_PLAIN).fetchall()
    kind = JSON_TURNS if other else PLAIN_TURNS
    columns = {
        **dict.fromkeys(("prompt", "chosen", "rejected"), kind),
        **dict.fromkeys(("chosen_id", "rejected_id", "family"), TEXT),
    }
    return Dataset(
        columns,
        _rows(connection, columns, kind, in_test(options.test_fraction, family="pairs.family")),
        "A row is a prompt with a chosen and a rejected reply, for preference tuning. "
        f"Rejected replies were dropped by {' or '.join(labels)}.",
    )


def _rows(connection: Any, columns: dict[str, Kind], kind: Kind, test: str) -> Iterator[Any]:
    """Yield the pairs window by window, each from the row ranges that hold its texts."""
    for number, *ranges in connection.execute(_WINDOWS).fetchall():
        first, last, first_rejected, last_rejected = ranges
        sql = f"""
        SELECT {turns(kind, "good.messages")}[:-2] AS prompt,
               {turns(kind, "good.messages")}[-1:] AS chosen,
               {turns(kind, "bad.messages")}[-1:] AS rejected,
               good.id AS chosen_id, bad.id AS rejected_id, pairs.family AS family,
               {test} AS test
        FROM pairs
        JOIN records AS good ON good.rowid = pairs.chosen
        JOIN records AS bad ON bad.rowid = pairs.rejected
        WHERE pairs.number // {_WINDOW_PAIRS} = {number}
          AND good.rowid BETWEEN {first} AND {last}
          AND bad.rowid BETWEEN {first_rejected} AND {last_rejected}
        ORDER BY pairs.number
        """
        yield from tables(connection, sql, columns)
