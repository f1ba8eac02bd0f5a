"""What a row costs, beside a bare HTTP loop that only makes the calls.

    python benchmarks/overhead.py [--rows 20000] [--at-once 512] [--memory]

One mock server (50 ms latency, in a process of its own), two clients in one session: `bare` posts
the prompts with aiohttp and parses the replies, nothing else; `synth` is the whole command: seeds
read, prompt, call, two verifiers, every step durable, database and dataset written. CPU is that of
the whole process tree, start-up included; PSS is the largest sum over the tree, sampled ten times a
second. `--memory` runs synth alone at 10,000 and 100,000 rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_QUESTION = (
    "Explain to a colleague in a few sentences what happens in step {number} of the plan, why it "
    "comes before the next one, and what would go wrong if somebody left it out. Name one thing "
    "to check."
)
_RECIPE = """
name: bench
seeds: [seeds.jsonl]
engines:
  teacher: {{http: {{url: "{url}", model: mock, at_once: {at_once}}}}}
stages:
  - respond: {{engine: teacher, sampling: {{temperature: 0.8, max_tokens: 128}}, n: 1}}
  - verify: {{verifiers: [{{length: {{min_words: 1}}}}, repetition]}}
export: {{sft: {{test_fraction: 0.1}}}}
max_error_rate: 0.05
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_s: float
    """User and system time of the command and all its children."""
    peak_pss_mb: float


def measured(command: list[str], *, cwd: Path) -> Cost:
    """Run a command to its end; raise if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    peak = _Peak(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak.stop()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak.pss_mb)


class _Peak:
    """The largest PSS of a process tree, sampled in a thread."""

    def __init__(self, pid: int) -> None:
        self.pss_mb = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.pss_mb = max(self.pss_mb, sum(map(_pss_mb, _tree(self._pid))))

    def stop(self) -> None:
        """End the sampling."""
        self._done.set()
        self._thread.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += _tree(int(child))
    return found


def _pss_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


async def bare(url: str, seeds: Path, at_once: int) -> None:
    """Post every prompt, `at_once` at a time, and parse the replies."""
    import aiohttp

    slots = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(limit=0)

    async def call(session: aiohttp.ClientSession, question: str) -> int:
        body = {
            "model": "mock",
            "messages": [{"role": "user", "content": question}],
            "temperature": 0.8,
            "max_tokens": 128,
        }
        async with slots, session.post(f"{url}/chat/completions", json=body) as response:
            reply = json.loads(await response.read())
            return len(reply["choices"][0]["message"]["content"])

    lines = (await asyncio.to_thread(seeds.read_text, "utf-8")).splitlines()
    questions = [json.loads(line)["instruction"] for line in lines]
    async with aiohttp.ClientSession(connector=connector) as session:
        sizes = await asyncio.gather(*(call(session, question) for question in questions))
    assert all(sizes)


def _write_job(folder: Path, url: str, rows: int, at_once: int) -> None:
    folder.mkdir()
    (folder / "recipe.yaml").write_text(_RECIPE.format(url=url, at_once=at_once))
    with (folder / "seeds.jsonl").open("w") as seeds:
        for number in range(rows):
            seeds.write(json.dumps({"instruction": _QUESTION.format(number=number)}) + "\n")


def _synth(folder: Path) -> Cost:
    command = [sys.executable, "-m", "synth.cli", "run", "recipe.yaml", "--into", "run"]
    return measured(command, cwd=folder)


def _bare(folder: Path, url: str, at_once: int) -> Cost:
    command = [sys.executable, str(Path(__file__).resolve()), "--bare", url]
    return measured([*command, "--at-once", str(at_once)], cwd=folder)


def _say(name: str, rows: int, cost: Cost) -> None:
    print(
        f"{name:8} {rows:7,} rows  {cost.seconds:7.1f} s  {rows / cost.seconds:8,.0f} rows/s  "
        f"{1000 * cost.cpu_s / rows:6.3f} ms CPU a row  peak PSS {cost.peak_pss_mb:5.0f} MB",
        flush=True,
    )


def _folder_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def compare(url: str, at_once: int, *, rows: int, rounds: int) -> None:
    """Run both clients in turn and print costs and ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(rounds):
            folder = Path(scratch) / str(turn)
            _write_job(folder, url, rows, at_once)
            base, ours = _bare(folder, url, at_once), _synth(folder)
            _say("bare", rows, base)
            _say("synth", rows, ours)
            print(
                f"ratio    CPU {ours.cpu_s / base.cpu_s:.2f} × (at most 2)   "
                f"rate {base.seconds / ours.seconds:.2f} × (at least 0.5)   "
                f"run folder {_folder_mb(folder / 'run'):.0f} MB",
                flush=True,
            )


def memory(url: str, at_once: int) -> None:
    """Run synth at two sizes and print how its memory grows."""
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory() as scratch:
        for rows in (10_000, 100_000):
            folder = Path(scratch) / str(rows)
            _write_job(folder, url, rows, at_once)
            costs.append(_synth(folder))
            _say("synth", rows, costs[-1])
    growth = costs[1].peak_pss_mb / costs[0].peak_pss_mb
    print(f"memory at 100,000 rows is {growth:.2f} × that at 10,000 (at most 1.3)")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="What a row costs.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--bare", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        asyncio.run(bare(given.bare, Path("seeds.jsonl"), given.at_once))
        return
    server = subprocess.Popen(
        [sys.executable, str(_HERE / "mock_server.py"), "--port", "0", "--latency-ms", "50"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}/v1"
        if given.memory:
            memory(url, given.at_once)
        else:
            compare(url, given.at_once, rows=given.rows, rounds=given.rounds)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
