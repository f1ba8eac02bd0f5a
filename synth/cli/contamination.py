"""What a run found of benchmarks: for each, how many items stood in how many records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synth.cli.text import say, table

Row = dict[str, Any]

MOST = 0.02
"""Above this share of items found, Tülu 3 takes a benchmark for spoilt by a dataset."""
_EXAMPLES = 3

JUDGED = """
SELECT label, count(DISTINCT record_id) AS judged FROM verdicts
WHERE verifier = 'decontaminate' GROUP BY label ORDER BY label
"""
"""How many records each label of the verifier `decontaminate` has judged."""

FOUND = """
SELECT DISTINCT ON (records.position, id, label) label, id, evidence,
       state = 'dropped' AND drop_by = label AS removed
FROM verdicts JOIN records ON record_id = id
WHERE verifier = 'decontaminate' AND outcome = 'fail' AND json_exists(evidence, '$.found')
ORDER BY records.position, id, label
"""
"""Each record that holds something of a benchmark: what its verdict tells, and whether it went."""


@dataclass(slots=True)
class _Tally:
    """What was found of one benchmark."""

    size: int
    items: set[str] = field(default_factory=set[str])
    unlisted: int = 0
    rows: int = 0
    removed: int = 0
    examples: list[Row] = field(default_factory=list[Row])

    def add(self, found: Mapping[str, Any], row: Row) -> None:
        """Count a record."""
        items = found["items"]
        self.items.update(items)
        self.unlisted = max(self.unlisted, found["count"] - len(items))
        self.rows += 1
        self.removed += row["removed"]
        if len(self.examples) < _EXAMPLES:
            self.examples.append({"item": items[0], "record": row["id"]})

    def told(self) -> Row:
        """Return it as a row."""
        return {
            "items": self.size,
            "items_found": len(self.items),
            # A record lists the first 50 items that it holds; of one with more this is a bound.
            "at_least": bool(self.unlisted),
            "share": len(self.items) / self.size,
            "rows": self.rows,
            "removed": self.removed,
            "examples": self.examples,
        }


def contamination(judged: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """Return a row for each label and benchmark, from what JUDGED and FOUND give.

    A label that found nothing has one row without a benchmark; benchmarks of which nothing was
    found have none. `items_found` are the different ones, `rows` the records that hold some,
    `removed` those of them that were dropped for it, `examples` the first three.
    """
    return [row for one in judged for row in _of_label(one, found)]


def _of_label(judged: Row, found: Sequence[Row]) -> Iterator[Row]:
    tallies: dict[str, _Tally] = {}
    for row in found:
        if row["label"] == judged["label"]:
            for name, what in json.loads(row["evidence"])["found"].items():
                tallies.setdefault(name, _Tally(what["of"])).add(what, row)
    if not tallies:
        yield {**judged, "benchmark": None, "rows": 0, "removed": 0}
    for name in sorted(tallies):
        yield {**judged, "benchmark": name, **tallies[name].told()}


def say_contamination(found: Sequence[Row]) -> None:
    """Print the rows, if the run looked for benchmarks."""
    if not found:
        return
    say("benchmarks: how many of their items stand in records")
    header = ("label", "judged", "benchmark", "items", "found", "share", "records", "removed", "")
    table([header, *map(_cells, found)])


def _cells(row: Row) -> tuple[Any, ...]:
    if row["benchmark"] is None:
        return (row["label"], row["judged"], "none found", *[""] * 6)
    items = f"{'≥ ' if row['at_least'] else ''}{row['items_found']}"
    example = row["examples"][0]
    share = f"{row['share']:.1%}{' (over 2 %)' if row['share'] > MOST else ''}"
    return (
        *(row["label"], row["judged"], row["benchmark"], row["items"], items, share),
        *(row["rows"], row["removed"], f"e.g. {example['item']} in {example['record']}"),
    )
