"""The commands that look at a finished run: show, why, query."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.cli import contamination, pass_at
from synth.cli.text import amount, duration, number, say, say_json, table
from synth.errors import RunError
from synth.run.folder import RunFolder
from synth.store import database

Row = dict[str, Any]

_STAGES = """
SELECT stage, count(*) AS records, count(*) FILTER (state = 'live') AS live,
       count(*) FILTER (state = 'dropped') AS dropped, count(*) FILTER (state = 'held') AS held
FROM records GROUP BY stage ORDER BY min(len(position)), stage
"""
_DROPS = """
SELECT stage, drop_by, drop_kind, split_part(drop_reason, ':', 1) AS code, count(*) AS records,
       min_by(id, position) AS example, min_by(drop_reason, position) AS sentence
FROM records WHERE drop_kind IS NOT NULL
GROUP BY ALL ORDER BY records DESC, stage, drop_by, code
"""
_COST = """
SELECT stage, step, engine, model, count(*) AS calls,
       sum(prompt_tokens)::BIGINT AS prompt_tokens,
       sum(completion_tokens)::BIGINT AS completion_tokens, sum(seconds) AS seconds
FROM calls GROUP BY ALL ORDER BY stage, step, engine
"""
_LINEAGE = """
WITH RECURSIVE line(id, depth) AS (
    SELECT $id, 0
    UNION
    SELECT unnest(records.parents), line.depth + 1 FROM records JOIN line ON records.id = line.id
)
SELECT records.* FROM records JOIN (SELECT id, max(depth) AS depth FROM line GROUP BY id) AS line
ON records.id = line.id ORDER BY line.depth DESC, records.position
"""


def _rows(folder: Path, sql: str, **values: Any) -> list[Row]:
    """Return the rows of one of our own queries over a finished run."""
    found = RunFolder.of(folder)
    if not found.database.is_file():
        raise RunError(f"{str(folder)!r} is not finished (no dataset.duckdb); `synth run` goes on")
    with database.connect(found.path) as connection:
        result = connection.execute(sql, values or None)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def show(folder: Path, *, records: int, as_json: bool) -> None:
    """Print a run's funnel, cost, pass@k and found benchmarks if any, and some accepted records."""
    stages, drops, cost = _rows(folder, _STAGES), _rows(folder, _DROPS), _rows(folder, _COST)
    rates = pass_at.rates(_rows(folder, pass_at.SAMPLES))
    found = contamination.contamination(
        _rows(folder, contamination.JUDGED), _rows(folder, contamination.FOUND)
    )
    accepted = _rows(
        folder, "SELECT id, messages FROM sft ORDER BY position LIMIT $most", most=records
    )
    for row in accepted:
        row["messages"] = json.loads(row["messages"])
    if as_json:
        told = {"stages": stages, "drops": drops, "cost": cost, "pass_at": rates}
        say_json({**told, "contamination": found, "accepted": accepted})
        return
    say("records by the last stage they reached")
    header = ("stage", "records", "live", "dropped", "held")
    table([header, *(tuple(row[name] for name in header) for row in stages)])
    _say_drops(drops)
    _say_cost(cost)
    pass_at.say_rates(rates)
    contamination.say_contamination(found)
    for row in accepted:
        say()
        say(f"record {row['id']}")
        _say_messages(row["messages"])
    say()
    say(f"`synth why {folder} ID` tells the story of one record")


def _say_drops(drops: Sequence[Row]) -> None:
    if not drops:
        say("nothing was dropped")
        return
    say("dropped or held")
    table(
        [
            (row["stage"], row["drop_by"], row["code"], row["records"], f"e.g. {row['example']}")
            for row in drops[:20]
        ]
    )
    if len(drops) > 20:
        say(f'  and {len(drops) - 20} other reasons: synth query … "FROM drops"')


def _say_cost(cost: Sequence[Row]) -> None:
    if not cost:
        return
    say("cost")
    names = ("calls", "prompt_tokens", "completion_tokens")
    rows = [
        (
            row["stage"],
            row["step"],
            row["model"],
            *(row[name] for name in names),
            duration(row["seconds"]),
        )
        for row in cost
    ]
    total = [sum(row[name] for row in cost) for name in names]
    seconds = sum(row["seconds"] for row in cost)
    header = ("stage", "step", "model", "calls", "prompt tokens", "output tokens", "engine time")
    table([header, *rows, ("total", "", "", *total, duration(seconds))])
    say(f"  {amount(total[1] + total[2])} tokens in all")


def _say_messages(messages: Sequence[Mapping[str, Any]], indent: str = "  ") -> None:
    for message in messages:
        content = message["content"] or json.dumps(message.get("tool_calls", ""))
        lines = content.splitlines() or [""]
        say(f"{indent}{message['role'] + ':':10} {lines[0]}")
        for line in lines[1:]:
            say(f"{indent}{'':10} {line}".rstrip())


def why(folder: Path, record: str | None, *, as_json: bool) -> None:
    """Print the story of one record, or the most frequent reasons for drops."""
    if record is None:
        _why_any(folder, as_json=as_json)
        return
    line = _rows(folder, _LINEAGE, id=_whole_id(folder, record))
    ids = [row["id"] for row in line]
    calls = _rows(
        folder,
        "SELECT * EXCLUDE (key, prompt), prompt::VARCHAR AS prompt FROM calls "
        "WHERE list_contains($ids, record_id) ORDER BY stage, step, sample",
        ids=ids,
    )
    verdicts = _rows(folder, "FROM verdicts WHERE list_contains($ids, record_id)", ids=ids)
    for row in line:
        row["fields"], row["messages"] = json.loads(row["fields"]), json.loads(row["messages"])
    if as_json:
        say_json({"lineage": line, "calls": calls, "verdicts": verdicts})
        return
    for row in line:
        _say_record(row, calls, verdicts, last=row is line[-1])


def _whole_id(folder: Path, start: str) -> str:
    found = _rows(
        folder,
        "SELECT id FROM records WHERE starts_with(id, $start) ORDER BY id LIMIT 5",
        start=start,
    )
    if not found:
        raise RunError(
            f"no record {start!r} in {str(folder)!r}. `synth why {folder}` gives examples"
        )
    if len(found) > 1 and found[0]["id"] != start:
        raise RunError(f"{start!r} begins several ids: {', '.join(row['id'] for row in found)}, …")
    return str(found[0]["id"])


def _why_any(folder: Path, *, as_json: bool) -> None:
    drops = _rows(folder, _DROPS + " LIMIT 10")
    if as_json:
        say_json(drops)
        return
    _say_drops(drops)
    for row in drops[:3]:
        say(f"  {row['example']}: {row['sentence']}")


def _say_record(row: Row, calls: Sequence[Row], verdicts: Sequence[Row], *, last: bool) -> None:
    say(f"{row['id']}  {_state(row)}")
    if not row["parents"] and row["fields"]:
        table(
            [(name, json.dumps(value, ensure_ascii=False)) for name, value in row["fields"].items()]
        )
    if last or not row["parents"]:
        _say_messages(row["messages"])
    for verdict in verdicts:
        if verdict["record_id"] == row["id"]:
            _say_verdict(verdict)
    for call in calls:
        if call["record_id"] == row["id"]:
            _say_call(call)
    if not last:
        say()


def _state(row: Row) -> str:
    match row["state"]:
        case "dropped":
            return f"dropped by {row['drop_by']} in stage {row['stage']}: {row['drop_reason']}"
        case "held":
            return f"held, {row['drop_by']} could not judge it: {row['drop_reason']}"
        case "parent":
            return f"parent: stage {row['stage']} made children of it"
        case _:
            return f"live: it left the last stage, {row['stage']}"


def _say_verdict(verdict: Row) -> None:
    score = "" if verdict["score"] is None else f", score {verdict['score']:g}"
    reason = f": {verdict['reason']}" if verdict["reason"] else ""
    say(f"  {verdict['label']} ({verdict['stage']}): {verdict['outcome']}{score}{reason}")
    if verdict["evidence"] and verdict["outcome"] != "pass":
        say(f"    evidence {verdict['evidence']}")


def _say_call(call: Row) -> None:
    cost = f"{call['prompt_tokens']} + {call['completion_tokens']} tokens"
    took = duration(call["seconds"])
    say(
        f"  asked by {call['stage']}, {call['step']} {call['sample']}: {call['model']}, {cost}, "
        f"{took}, ended by {call['finish_reason']}"
    )
    prompt = json.loads(call["prompt"])
    if "messages" in prompt:
        _say_messages(prompt["messages"], indent="    ")
    else:
        for line in str(prompt.get("text", call["prompt"])).splitlines():
            say(f"    {line}")


def query(folder: Path, sql: str, *, style: str) -> None:
    """Print what a query gives: as a table, JSON Lines of one list, or CSV."""
    found = RunFolder.of(folder)
    columns, rows = database.query(found.path, sql)
    if style == "json":
        say_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif style == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
    else:
        given = list(rows)
        table([tuple(columns), *(tuple(_short(cell) for cell in row) for row in given)], indent="")
        sys.stderr.write(f"({number(len(given))} rows)\n")


def _short(cell: Any) -> Any:
    if isinstance(cell, int | float) or cell is None:
        return cell
    text = " ".join(str(cell).split())
    return text if len(text) <= 100 else text[:99] + "…"
