"""What `kill -9` costs: a run is killed again and again, and then ends.

    python benchmarks/kill.py [--rows 4000] [--kills 10] [--seed 1]

The mock server counts. Each time, the whole process group of the run is killed at a random moment;
the last run ends by itself and is compared, byte for byte, with one that was never disturbed. A
call counts as in flight when the server has seen it and the run's store does not hold it. Exits
with 1 when a row was lost or doubled, or when more was repeated than was in flight.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

_HERE = Path(__file__).resolve().parent
_AT_ONCE = 64
_RECIPE = """
name: killed
seeds: [seeds.jsonl]
engines:
  teacher: {{http: {{url: "{url}", model: mock, at_once: {at_once}}}}}
stages:
  - respond: {{engine: teacher, sampling: {{temperature: 0.8, max_tokens: 128}}}}
  - verify: {{verifiers: [{{length: {{min_words: 1}}}}, near_duplicates]}}
"""


def main() -> None:
    """Run the comparison and print what it found."""
    parser = argparse.ArgumentParser(description="Kill a run at random moments, then end it.")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = [sys.executable, str(_HERE / "mock_server.py"), "--port", "0", "--latency-ms", "50"]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            sys.exit(_compared(Path(folder), url, options))
        finally:
            server.terminate()


def _compared(folder: Path, url: str, options: argparse.Namespace) -> int:
    rows = [json.dumps({"instruction": f"What is {n}?"}) for n in range(options.rows)]
    (folder / "seeds.jsonl").write_text("\n".join(rows))
    (folder / "recipe.yaml").write_text(_RECIPE.format(url=url, at_once=_AT_ONCE))
    drawn = random.Random(options.seed)
    started = time.monotonic()
    in_flight = 0
    for number in range(options.kills):
        lost = _killed(folder, url, drawn.uniform(0.7, 1.7))
        in_flight += lost
        print(f"kill {number + 1:2}: {_kept(folder):6} calls kept, {lost:4} in flight")
    _run(folder, "killed").wait()
    stats = _stats(url)
    repeated = stats["requests"] - stats["distinct"]
    _run(folder, "undisturbed").wait()
    same = _stage_files(folder / "killed") == _stage_files(folder / "undisturbed")
    missing, doubled = _rows(folder / "killed", options.rows)
    print(f"rows lost {missing}, doubled {doubled}; stage files {'equal' if same else 'DIFFER'}")
    print(f"calls repeated {repeated}, in flight at the {options.kills} kills {in_flight}")
    print(f"{time.monotonic() - started:.0f} s")
    return int(missing > 0 or doubled > 0 or not same or repeated > in_flight)


def _run(folder: Path, into: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "synth.cli", "run", "recipe.yaml", "--into", into]
    return subprocess.Popen(
        command,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _killed(folder: Path, url: str, after_s: float) -> int:
    """Let a run work for a while and kill it; return how many calls that cost."""
    asked_before = _stats(url)["requests"]
    kept_before = _kept(folder)
    run = _run(folder, "killed")
    time.sleep(after_s)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    # The server sees the connections end a moment later.
    time.sleep(0.2)
    return _stats(url)["requests"] - asked_before - (_kept(folder) - kept_before)


def _kept(folder: Path) -> int:
    path = folder / "killed" / "store.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as store:
        try:
            return store.execute("SELECT count(*) FROM calls").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # killed before the table was made


def _stats(url: str) -> dict[str, Any]:
    with urlopen(url.removesuffix("/v1") + "/stats") as answer:  # noqa: S310 (our own server)
        return json.load(answer)


def _stage_files(run: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (run / "stages").glob("*.parquet")}


def _rows(run: Path, wanted: int) -> tuple[int, int]:
    """Return how many seeds have no row in the last stage, and how many rows are too many."""
    import duckdb

    with duckdb.connect(run / "dataset.duckdb", read_only=True) as database:
        found = database.execute(
            "SELECT count(DISTINCT family), count(*) FROM records WHERE state <> 'parent'"
        ).fetchone()
    assert found is not None
    families, rows = found
    return wanted - families, rows - families


if __name__ == "__main__":
    main()
